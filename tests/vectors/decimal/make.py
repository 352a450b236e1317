#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes apply.json: raw × scale × 10^power + offset, worked out in whole fractions and rounded once
to the nearest double by Python. Random rows with a fixed seed, besides those that are chosen.

The 18 digits that a scale or an offset may have, and raw values at the ends of 64 bits, are in.
Left out are sums of more than 38 digits, which may be rounded twice (native/base/decimal.h).
"""

import json
import os
import random
from decimal import Decimal
from fractions import Fraction

CHOSEN = [
    (3, "0.1", 0, "0"), (1, "0.1", 0, "0.2"), (-3, "0.1", 0, "0"), (0, "0.1", 0, "-0.3"),
    (7, "0.01", 0, "0"), (235, "0.1", 0, "-40"), (1, "1e-22", 0, "0"), (1, "1e-23", 0, "0"),
    (9007199254740993, "1", 0, "0"), (9007199254740993, "0.1", 0, "0"),
    (2**64 - 1, "1", 0, "0"), (-(2**63), "1", 0, "0"), (2**63 - 1, "0.001", 0, "0"),
    (2**64 - 1, "999999999999999999", 0, "0"), (-(2**63), "0.999999999999999999", 0, "0"),
    (1, "1e300", 0, "0"), (1, "1e300", 9, "0"), (1, "1e-300", -24, "0"), (1, "1e-300", -25, "0"),
    (12345, "1", -2, "0"), (12345, "1", 3, "0"), (12345, "0.5", -10, "100"), (5, "1", 400, "0"),
    (5, "1", -400, "0"), (-5, "1", 400, "0"), (0, "1", 400, "1.5"), (0, "7", -32768, "0"),
    (1, "1", 32767, "0"), (1, "1", -32768, "0.1"), (65535, "0.1", 0, "0.05"), (1, "0.3", 0, "0.6"),
    (100, "1.8", 0, "32"), (-273, "1.8", 0, "32"), (1, "1e20", 0, "1e-10"),
]


def nearest(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def apply(raw, scale, power, offset):
    return nearest(Fraction(raw) * Fraction(Decimal(scale)) * Fraction(10) ** power + Fraction(Decimal(offset)))


def digits_of_sum(scale, power, offset):
    def parts(text):
        _, digits, exponent = Decimal(text).normalize().as_tuple()
        return len(digits), exponent
    (n, a), (m, b) = parts(scale), parts(offset)
    a += power
    low = min(a, b)
    return max(n + 20 + a, m + b) - low


def random_decimal(rng):
    digits = rng.choice([1, 2, 3, 6, 12, 18])
    value = rng.randrange(1, 10**digits)
    return f"{rng.choice(['', '-'])}{value}e{rng.choice([0, 0, -1, -2, -3, -6, -9, -15, 2, 4])}"


def random_row(rng):
    while True:
        bits = rng.choice([8, 16, 16, 32, 32, 64])
        signed = rng.random() < 0.5
        raw = rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else rng.randrange(2**bits)
        scale = random_decimal(rng)
        power = rng.choice([0, 0, 0, -1, -2, -3, 1, 2, 3, rng.randrange(-30, 30)])
        offset = rng.choice(["0", "0", random_decimal(rng)])
        if offset == "0" or digits_of_sum(scale, power, offset) <= 38:
            return raw, scale, power, offset


def main():
    rng = random.Random(1)
    rows = CHOSEN + [random_row(rng) for _ in range(600)]
    lines = [
        json.dumps({"raw": str(raw), "scale": scale, "power": power, "offset": offset,
                    "expected": repr(apply(raw, scale, power, offset))})
        for raw, scale, power, offset in rows
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apply.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")


main()
