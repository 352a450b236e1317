#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors of native/model/frame.h, packed here from the words of that header alone, with
nothing of the C code: NAME.hex is one frame, NAME.json what it says. 64-bit integers are texts in the
JSON. refused.json lists frames that a reader must refuse, why, and of a batch with which shape it is
read."""

import json
import os
import struct

PLACE = os.path.dirname(os.path.abspath(__file__))
TYPES = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 text".split()
CODES = dict(zip(TYPES, "?bBhHiIqQfd"))
KINDS = ["none", "enum", "bits"]


def frame(kind, body, length=None, version=1, reserved=0):
    size = 8 + len(body) if length is None else length
    return struct.pack("<IBBH", size, version, kind, reserved) + body


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<H", len(data)) + data


# Devices


def device(number=1, id="meter-1", site="", profile="", tags=()):
    return {"kind": "device", "number": number, "id": id, "site": site, "profile": profile, "tags": [list(t) for t in tags]}


def pack_device(d, count=None, tail=b""):
    body = struct.pack("<IH", d["number"], len(d["tags"]) if count is None else count)
    for value in (d["id"], d["site"], d["profile"]):
        body += text(value)
    for key, value in d["tags"]:
        body += text(key) + text(value)
    return frame(1, body + tail)


# Shapes


def point(name, type="float32", size=None, unit="", description="", labels=(), labels_kind=None, deadband=0.0, writable=False, min=None, max=None, step=0.0):
    if size is None:
        size = struct.calcsize("<" + CODES[type]) if type != "text" else 17
    kind = labels_kind or ("enum" if labels else "none")
    return {"name": name, "unit": unit, "description": description, "type": type, "size": size, "labels_kind": kind,
            "labels": [list(l) for l in labels], "deadband": deadband, "writable": writable, "min": min, "max": max, "step": step}


def shape(scan, *points):
    return {"kind": "shape", "scan": scan, "points": list(points)}


def hash_shape(s):
    def add(value, data):
        for byte in data:
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
        return value

    def data_of(t):
        return (t if isinstance(t, bytes) else t.encode()).split(b"\0")[0] + b"\0"

    value = add(0xCBF29CE484222325, data_of(s["scan"]))
    for p in s["points"]:
        for key in ("name", "unit", "description"):
            value = add(value, data_of(p[key]))
        type = TYPES.index(p["type"]) if isinstance(p["type"], str) else p["type"]
        kind = KINDS.index(p["labels_kind"]) if isinstance(p["labels_kind"], str) else p["labels_kind"]
        value = add(value, struct.pack("<7I", type, p["size"], kind, len(p["labels"]), p["writable"],
                                       p["min"] is not None, p["max"] is not None))
        value = add(value, struct.pack("<4d", p["deadband"], p["min"] or 0, p["max"] or 0, p["step"]))
        for number, name in p["labels"]:
            value = add(add(value, struct.pack("<I", number)), data_of(name))
    return value


def pack_point(p, flags=0, reserved=0, count=None):
    type = TYPES.index(p["type"]) if isinstance(p["type"], str) else p["type"]
    kind = KINDS.index(p["labels_kind"]) if isinstance(p["labels_kind"], str) else p["labels_kind"]
    flags |= (1 if p["writable"] else 0) | (2 if p["min"] is not None else 0) | (4 if p["max"] is not None else 0)
    out = struct.pack("<BBHHBB4d", type, kind, p["size"], len(p["labels"]) if count is None else count, flags, reserved,
                      p["deadband"], p["min"] or 0, p["max"] or 0, p["step"])
    out += text(p["name"]) + text(p["unit"]) + text(p["description"])
    for number, name in p["labels"]:
        out += struct.pack("<I", number) + text(name)
    return out


def pack_shape(s, hash=None, count=None, tail=b"", **how):
    body = struct.pack("<QH", hash_shape(s) if hash is None else hash, len(s["points"]) if count is None else count)
    body += text(s["scan"]) + b"".join(pack_point(p, **how) for p in s["points"])
    return frame(2, body + tail)


# Batches


def pack_value(p, value):
    if p["type"] == "text":
        data = value.encode() if isinstance(value, str) else value
        return bytes([len(data)]) + data + bytes(p["size"] - 1 - len(data))
    if p["type"] in ("int64", "uint64", "float32", "float64") and isinstance(value, str):
        value = float(value) if p["type"].startswith("float") else int(value)
    return struct.pack("<" + CODES[p["type"]], value)


def batch(shape=None, values=(), kind="samples", quality=None, codes=None, text="", flags=0, device=7, boot=3,
          time_ns=1767225600123456789, mono_ns=86400000000000, seq=42):
    return {"kind": "batch", "shape": shape, "device": device, "boot": boot, "time_ns": str(time_ns), "mono_ns": str(mono_ns),
            "seq": str(seq), "batch_kind": kind, "flags": flags, "quality": quality, "codes": codes, "values": list(values), "text": text}


def pack_batch(b, shapes, content=None, points=None, text_len=None, reserved=0, hash=None, values=None, tail=b"", kind=None):
    s = shapes[b["shape"]] if b["shape"] else None
    n = len(s["points"]) if s else 0
    parts = (1 if b["quality"] else 0) | (2 if b["codes"] else 0)
    data = b["text"].encode()
    if kind is None:
        kind = ["samples", "event", "outcome"].index(b["batch_kind"])
    if hash is None:
        hash = hash_shape(s) if s else 0
    body = struct.pack("<IIQqQQBBBBHH", b["device"], b["boot"], hash, int(b["time_ns"]), int(b["mono_ns"]), int(b["seq"]), kind,
                       b["flags"], parts if content is None else content, reserved, n if points is None else points,
                       len(data) if text_len is None else text_len)
    body += bytes(b["quality"] or []) + bytes(b["codes"] or [])
    body += values if values is not None else b"".join(pack_value(p, v) for p, v in zip(s["points"] if s else [], b["values"]))
    return frame(3, body + data + tail)


# What is written


def good():
    devices = {
        "device-least": device(0, "m"),
        "device": device(7, "meter-1", "plant-7", "rockwell/powermonitor-500", [("asset", "meter 1"), ("line", "l1")]),
        "device-utf8": device(2**32 - 1, "a.B_c-9", "s", "/opt/Zähler.yaml", [("empty", ""), ("ort", "Küche \"3\"\n"), ("z/[0]:", "😀")]),
        "device-most": device(1, "i" * 64, "s" * 64, "p" * 1024, [(f"key-{i:02}", "v" * 100) for i in range(32)]),
    }
    shapes = {
        "shape-one": shape("fast", point("power/total", unit="W")),
        "shape-none": shape("empty"),
        "shape-types": shape("slow", *[point(t, t) for t in TYPES]),
        "shape-limits": shape(
            "fast",
            point("setpoint", "float64", unit="kW", description="What the controller aims at", deadband=0.5, writable=True, min=-10.5, max=10.5, step=0.5),
            point("low", "int16", min=-5), point("high", "uint16", max=5), point("fixed", "int32", min=7, max=7),
            point("t2", "text", 2), point("t251", "text", 251)),
        "shape-labels": shape(
            "fast",
            point("state", "uint16", labels=[(0, "off"), (1, "on"), (65535, "fault / Störung")]),
            point("switch", "bool", labels=[(0, "open"), (1, "closed")]),
            point("code", "int64", labels=[(2**32 - 1, "all")]),
            point("alarms", "uint32", labels_kind="bits", labels=[(0, "overvoltage"), (31, "door")]),
            point("byte", "uint8", labels_kind="bits", labels=[(7, "")]),
            point("bit", "bool", labels_kind="bits", labels=[(0, "set")])),
    }
    mixed = [True, -128, 255, -32768, 65535, -(2**31), 2**32 - 1, str(-(2**63)), str(2**64 - 1), 0.1, -0.1, "Phase L1 ü"]
    zeros = [False, 0, 0, 0, 0, 0, 0, "0", "0", 0.0, 0.0, ""]
    batches = {
        "batch-good": batch("shape-types", mixed),
        "batch-zero": batch("shape-types", zeros, time_ns=0, mono_ns=0, seq=0, boot=0, device=0),
        "batch-extremes": batch("shape-types", [True, 127, 0, 32767, 0, 2**31 - 1, 0, str(2**63 - 1), "1", "inf", "-inf", "x" * 16],
                                time_ns=-(2**63), mono_ns=2**64 - 1, seq=2**64 - 1, boot=2**32 - 1, device=2**32 - 1, flags=3),
        "batch-nan": batch("shape-one", ["nan"], flags=2),
        "batch-quality": batch("shape-types", mixed, quality=[0, 0x40, 0x83, 0xC2, 0xFF, 0, 0, 0, 0, 0, 0, 0x81]),
        "batch-codes": batch("shape-types", mixed, quality=[0] * 11 + [0x84], codes=[0] * 11 + [2]),
        "batch-good-codes": batch("shape-one", [1.5], codes=[255], flags=1),
        "batch-text": batch("shape-one", [1.5], text="read back"),
        "batch-no-points": batch("shape-none"),
        "batch-limits": batch("shape-limits", [0.5, -5, 5, 7, "x", "y" * 250]),
        "event": batch(kind="event", text="meter-1: no answer from 10.0.0.21:502 for 3 s"),
        "event-silent": batch(kind="event"),
        "outcome": batch(kind="outcome", text="refused: 12 °C is above 10"),
    }
    return devices, shapes, batches


def refused(shapes):
    d = device(1, "meter-1", "plant", "p", [("a", "1"), ("b", "2")])
    flat = pack_device(d)
    yield "device-short-frame", flat[:4] + b"\x01\x01\x00\x00", "the length is less than what is there"
    yield "device-reserved", flat[:6] + b"\x01\x00" + flat[8:], "a reserved byte is set"
    yield "device-tail", pack_device(d, tail=b"\0"), "a byte too many"
    yield "device-tags-missing", pack_device(d, count=3), "a tag less than said"
    yield "device-tags-left", pack_device(d, count=1), "a tag more than said"
    yield "device-tags-huge", pack_device(d, count=65535), "tags past the limit"
    yield "device-33-tags", pack_device(device(tags=[(f"k{i}", "") for i in range(33)])), "tags past the limit"
    yield "device-same-tag", pack_device(device(tags=[("a", "1"), ("a", "2")])), "two tags of one key"
    yield "device-no-id", pack_device(device(id="")), "an empty id"
    yield "device-long-id", pack_device(device(id="i" * 65)), "an id past the limit"
    for name, value in {"space": "a b", "slash": "a/b", "wildcard": "a+", "line": "a\nb", "dot": ".a", "utf8": "ä"}.items():
        yield f"device-id-{name}", pack_device(device(id=value)), "an id with a wrong character"
    yield "device-id-nul", pack_device(device(id="a\0b")), "NUL in an id"
    yield "device-site", pack_device(device(site="a b")), "a site that is no id"
    yield "device-tag-key", pack_device(device(tags=[("a b", "1")])), "a tag key that is no name"
    yield "device-tag-no-key", pack_device(device(tags=[("", "1")])), "an empty tag key"
    yield "device-tag-long", pack_device(device(tags=[("a", "v" * 1025)])), "a tag value past the limit"
    yield "device-tag-nul", pack_device(device(tags=[("a", "x\0")])), "NUL in a tag value"
    yield "device-tag-latin", pack_device({**d, "tags": [["a", b"\xb0C"]]}), "a tag value that is not UTF-8"
    yield "device-tag-surrogate", pack_device({**d, "tags": [["a", b"\xed\xa0\x80"]]}), "a surrogate in UTF-8"
    yield "device-profile-long", pack_device(device(profile="p" * 1025)), "a profile past the limit"
    yield "device-profile-torn", pack_device({**d, "profile": b"p\xc3"}), "half a character"

    def one(**how):
        return shape("fast", point("a", **how))

    def raw(**how):
        return {"kind": "shape", "scan": "fast", "points": [{**point("a"), **how}]}

    s = one()
    yield "shape-hash", pack_shape(s, hash=hash_shape(s) ^ 1), "a hash that is not the shape's"
    yield "shape-hash-none", pack_shape(s, hash=0), "the hash 0, which means none"
    yield "shape-tail", pack_shape(s, tail=b"\0"), "a byte too many"
    yield "shape-points-missing", pack_shape(s, count=2), "a point less than said"
    yield "shape-points-left", pack_shape(s, count=0), "a point more than said"
    yield "shape-points-huge", pack_shape(s, count=65535), "points past the limit"
    yield "shape-reserved", pack_shape(s, reserved=1), "a reserved byte is set"
    yield "shape-flags", pack_shape(s, flags=8), "an unknown flag"
    yield "shape-same-name", pack_shape(shape("fast", point("a"), point("b"), point("a"))), "two points of one name"
    yield "shape-no-scan", pack_shape(shape("", point("a"))), "an empty scan"
    yield "shape-scan", pack_shape(shape("a b", point("a"))), "a scan that is no name"
    yield "shape-name", pack_shape(shape("fast", point("a b"))), "a point that is no name"
    yield "shape-no-name", pack_shape(shape("fast", point(""))), "an empty name"
    yield "shape-long-name", pack_shape(shape("fast", point("n" * 129))), "a name past the limit"
    yield "shape-type", pack_shape(raw(type=12, size=4)), "an unknown type"
    yield "shape-size", pack_shape(raw(size=8)), "a float32 of 8 bytes"
    yield "shape-size-none", pack_shape(raw(size=0)), "a float32 of no bytes"
    yield "shape-text-1", pack_shape(one(type="text", size=1)), "a text without room"
    yield "shape-text-252", pack_shape(one(type="text", size=252)), "a text past the limit"
    yield "shape-labels-kind", pack_shape(raw(type="uint8", size=1, labels_kind=3)), "an unknown kind of labels"
    yield "shape-labels-unasked", pack_shape(one(type="uint8", labels=[(1, "on")], labels_kind="none")), "labels of no kind"
    yield "shape-labels-float", pack_shape(one(labels=[(1, "on")])), "labels of a float"
    yield "shape-labels-text", pack_shape(one(type="text", labels=[(1, "on")])), "labels of a text"
    yield "shape-bits-bool", pack_shape(one(type="bool", labels=[(1, "on")], labels_kind="bits")), "a second bit of a bool"
    yield "shape-bits-past", pack_shape(one(type="uint16", labels=[(16, "on")], labels_kind="bits")), "a bit past the type's"
    yield "shape-labels-missing", pack_shape_labels(one(type="uint8", labels=[(1, "on")]), 2), "a label less than said"
    yield "shape-labels-huge", pack_shape_labels(one(type="uint8", labels=[(1, "on")]), 65535), "labels that cannot be there"
    yield "shape-label-nul", pack_shape(one(type="uint8", labels=[(1, "o\0n")])), "NUL in a label"
    yield "shape-label-long", pack_shape(one(type="uint8", labels=[(1, "l" * 1025)])), "a label past the limit"
    yield "shape-unit-latin", pack_shape(raw(unit=b"\xb0C")), "a unit that is not UTF-8"
    yield "shape-description-long", pack_shape(one(description="d" * 1025)), "a description past the limit"
    nan, inf = float("nan"), float("inf")
    for name, how in {"deadband-nan": dict(deadband=nan), "deadband-negative": dict(deadband=-1.0), "deadband-infinite": dict(deadband=inf),
                      "step-negative": dict(step=-1.0), "step-nan": dict(step=nan), "min-nan": dict(min=nan), "max-infinite": dict(max=inf),
                      "min-past-max": dict(min=2.0, max=1.0)}.items():
        yield f"shape-{name}", pack_shape(one(**how)), "limits that make no sense"

    full = batch("shape-types", [True, 1, 1, 1, 1, 1, 1, "1", "1", 1.0, 1.0, "abc"], quality=[0x40] * 12, codes=[1] * 12)
    flat = b"".join(pack_value(p, v) for p, v in zip(shapes["shape-types"]["points"], full["values"]))
    event = batch(kind="event", text="lost")
    yield "batch-hash", pack_batch(full, shapes, hash=1), "another shape"
    yield "batch-no-hash", pack_batch(full, shapes, hash=0), "no shape"
    yield "batch-kind", pack_batch(event, shapes, kind=4), "an unknown kind"
    yield "batch-message-topic", pack_batch(event, shapes, kind=3), "a message whose topic has no end"
    yield "batch-message-empty", pack_batch({**event, "text": ""}, shapes, kind=3), "a message of nothing"
    yield "batch-flags", pack_batch({**full, "flags": 4}, shapes), "an unknown flag"
    yield "batch-content", pack_batch(full, shapes, content=7), "an unknown part"
    yield "batch-content-less", pack_batch(full, shapes, content=1), "codes that are not said"
    yield "batch-content-more", pack_batch({**full, "codes": None}, shapes, content=3), "codes that are missing"
    yield "batch-reserved", pack_batch(full, shapes, reserved=1), "a reserved byte is set"
    yield "batch-points", pack_batch(full, shapes, points=11), "a point less than the shape has"
    yield "batch-points-huge", pack_batch(full, shapes, points=65535), "points past the limit"
    yield "batch-text-missing", pack_batch(full, shapes, text_len=1), "a text that is missing"
    yield "batch-text-left", pack_batch({**full, "text": "abc"}, shapes, text_len=2), "a text longer than said"
    yield "batch-tail", pack_batch(full, shapes, tail=b"\0"), "a byte too many"
    yield "batch-values-short", pack_batch(full, shapes, values=flat[:-1]), "a value that ends too early"
    yield "batch-bool", pack_batch(full, shapes, values=b"\x02" + flat[1:]), "a bool that is 2"
    yield "batch-text-slot", pack_batch(full, shapes, values=flat[:-17] + b"\x11" + flat[-16:]), "a text longer than its room"
    yield "batch-event-with-shape", pack_batch({**full, "batch_kind": "event"}, shapes), "an event with points"
    yield "batch-samples-without-shape", pack_batch({**event, "batch_kind": "samples"}, shapes), "samples without points"
    yield "batch-event-points", pack_batch(event, shapes, points=1), "points without a shape"
    yield "batch-header", frame(3, bytes(40)), "a header that ends too early"


def pack_shape_labels(s, count):
    data = pack_shape(s)
    at = data.index(struct.pack("<BBHH", 2, 1, 1, 1))
    return data[: at + 4] + struct.pack("<H", count) + data[at + 6 :]


def write(name, text):
    with open(os.path.join(PLACE, name), "w", encoding="utf-8") as file:
        file.write(text + "\n")


def write_pair(name, data, meaning):
    write(name + ".hex", "\n".join(data[i : i + 32].hex(" ", 4) for i in range(0, len(data), 32)))
    write(name + ".json", json.dumps(meaning, ensure_ascii=False, indent=1))


def main():
    devices, shapes, batches = good()
    for name, d in devices.items():
        write_pair(name, pack_device(d), d)
    for name, s in shapes.items():
        write_pair(name, pack_shape(s), {**s, "hash": str(hash_shape(s))})
    for name, b in batches.items():
        write_pair(name, pack_batch(b, shapes), b)
    rows = []
    for name, data, why in refused(shapes):
        row = {"name": name, "kind": name.split("-")[0], "why": why}
        if row["kind"] == "batch" and (data[16:24] != bytes(8) or name == "batch-no-hash"):
            row["shape"] = "shape-types"
        rows.append(json.dumps({**row, "hex": data.hex()}, ensure_ascii=False))
    write("refused.json", "[\n" + ",\n".join(rows) + "\n]")


if __name__ == "__main__":
    main()
