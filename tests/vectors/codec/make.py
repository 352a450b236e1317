#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes values.json: raw registers and what they mean, by Python's struct and decimal alone.

Each row has the keys of a profile's point, the raw bytes in hex and the value. 64-bit integers past
2^53 are texts.
"""
import json
import os
import random
import struct
from decimal import Decimal, getcontext

getcontext().prec = 60
random.seed(1)

FORMATS = {
    "int8": ">b", "uint8": ">B", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I",
    "int64": ">q", "uint64": ">Q", "float32": ">f", "float64": ">d",
}
ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"]
VALUES = {
    "int16": [1, -1, 12345, -32768, 32767],
    "uint16": [1, 258, 65535],
    "int32": [1, -1, 16909060, -(2**31), 2**31 - 1],
    "uint32": [1, 16909060, 2**32 - 1],
    "int64": [1, -1, 72623859790382856, -(2**63), 2**63 - 1],
    "uint64": [1, 72623859790382856, 2**64 - 1, 123456789012],
    "float32": [230.1, -0.5, 50.02, 1e-45, 3.4028234663852886e38, 0.1],
    "float64": [230.1, -0.5, 1e-300, 1.7976931348623157e308],
}
BCD = {"bcd16": (4, [1, 1234, 9999]), "bcd32": (8, [12345678, 99999999]),
       "bcd64": (16, [1234567890123456, 9999999999999999])}
RANGES = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1),
          "uint32": (0, 2**32 - 1), "int64": (-(2**62), 2**62), "uint64": (0, 2**64 - 1)}
rows = []


def reorder(raw, order):
    words = [raw[i:i + 2] for i in range(0, len(raw), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return b"".join(words)


def single(value):
    return struct.unpack(">f", struct.pack(">f", value))[0]


def shortest(value):
    """The shortest decimal that reads back as the same float32."""
    for digits in range(1, 10):
        text = "%.*g" % (digits, value)
        try:
            if single(float(text)) == value:
                return float(text)
        except OverflowError:
            pass
    raise ValueError(value)


def add(kind, order, raw, value, **keys):
    if isinstance(value, int) and abs(value) > 2**53 - 1:
        value = str(value)
    rows.append({"type": kind, "order": order, "raw": reorder(raw, order).hex(), **keys, "value": value})


def add_scaled(kind, raw, scale="1", plus="0", power=0, sign=1):
    if kind == "float32":
        raw = single(raw)
    exact = Decimal(raw) * sign * Decimal(scale) * Decimal(10) ** power + Decimal(plus)
    value = shortest(single(float(exact))) if kind == "float32" else float(exact)
    keys = {"scale": scale, "add": plus, "power": power, "sign": sign}
    plain = {"scale": "1", "add": "0", "power": 0, "sign": 1}
    keys = {key: given for key, given in keys.items() if given != plain[key]}
    add(kind, "ABCD", struct.pack(FORMATS[kind], raw), value or 0, **keys)


def add_types():
    for order in ORDERS:
        for kind, values in VALUES.items():
            for value in values:
                shown = shortest(single(value)) if kind == "float32" else value
                add(kind, order, struct.pack(FORMATS[kind], value), shown)
        for kind, (digits, values) in BCD.items():
            for value in values:
                add(kind, order, bytes.fromhex(str(value).zfill(digits)), value)


def add_parts():
    for order in ORDERS:
        for kind, value in (("int8", -5), ("int8", 127), ("uint8", 200), ("uint8", 1)):
            byte = struct.pack(FORMATS[kind], value)
            add(kind, order, b"\x5a" + byte, value, byte="low")
            add(kind, order, byte + b"\x5a", value, byte="high")
        add("bit", order, b"\x00\x01", True, bit=0)
        add("bit", order, b"\x80\x00", True, bit=15)
        add("bit", order, b"\x80\x00", False, bit=14)
        add("uint16", order, b"\xff\xdf", 5, bit=4, bits=3)
        add("uint32", order, b"\x12\x3a\xbc\x45", 0x3AB, bit=12, bits=12)
        add("uint64", order, bytes(range(1, 9)), 0x01020304, bit=32, bits=32)


def add_scales():
    for given in [
        ("int16", 3, "0.1"), ("int16", -3, "0.1"), ("int16", 2301, "0.1"), ("uint16", 1, "0.001"),
        ("uint16", 65535, "0.01"), ("int32", -(2**31), "0.001"), ("uint32", 123456789, "0.001"),
        ("uint32", 7, "0.7"), ("int64", 2**53 + 1, "0.1"), ("uint64", 2**64 - 1, "0.001"),
        ("int64", -(2**63), "1e-9"), ("int16", 5, "1000"), ("uint16", 1000, "1e3"),
        ("int16", 7, "-0.1"), ("uint16", 29, "0.035"), ("float32", 230.1, "0.1"),
        ("float32", 1.5, "1000"), ("float64", 230.1, "1000"),
        ("int16", 2301, "0.1", "-273.15"), ("int16", 0, "0.1", "0.3"), ("int16", 1, "0.1", "0.2"),
        ("uint16", 400, "0.1", "-40"), ("int16", 4, "1", "0.1"), ("uint64", 2**64 - 1, "1", "1"),
        ("float32", 20.5, "1", "273.15"),
        ("uint32", 1, "0.5", "0", -2), ("int32", -12345, "1", "0", -4),
        ("int16", 2301, "0.1", "0", 0, -1), ("uint16", 3, "0.1", "0", 0, -1),
        ("int64", -(2**63), "0.001", "0", 0, -1), ("float32", 230.1, "1", "0", 0, -1),
        ("float64", -1.5, "2", "1", 0, -1),
        ("float32", 0.0, "1", "0", 0, -1), ("float64", 0.0, "1", "0", 0, -1),
    ]:
        add_scaled(*given)
    for power in (-10, -3, -1, 1, 3, 10):
        add_scaled("int16", 2301, power=power)
    scales = ["0.1", "0.01", "0.001", "0.0001", "0.25", "0.7", "3.6", "1e-6", "12.5"]
    for _ in range(60):
        kind = random.choice(list(RANGES))
        raw, scale = random.randint(*RANGES[kind]), random.choice(scales)
        add_scaled(kind, raw, scale, random.choice(["0", "0", "0", "-273.15", "0.1", "100"]))


def add_negated():
    for kind, value in (("int8", -128), ("uint8", 255)):
        add(kind, "ABCD", b"\0" + struct.pack(FORMATS[kind], value), -value, byte="low", sign=-1)
    for kind, value in (("int16", -32768), ("int16", 5), ("uint16", 65535), ("int32", -(2**31)),
                        ("uint32", 2**32 - 1), ("int64", -(2**63) + 1), ("uint64", 2**63)):
        add(kind, "ABCD", struct.pack(FORMATS[kind], value), -value, sign=-1)


add_types()
add_parts()
add_scales()
add_negated()
with open(os.path.join(os.path.dirname(__file__), "values.json"), "w", encoding="utf-8") as out:
    out.write("[\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n]\n")
