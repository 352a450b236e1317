#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors of native/store/pack.h, packed here from the words of that header alone, with
nothing of the C code: NAME.hex is one pack, NAME.json the batches in it, as in ../frame, each with its
device; `bytes` is the text of a message in hex. refused.json lists packs that a reader must refuse, and
why; their checksums are right."""

import importlib.util
import json
import os
import struct
import zlib

PLACE = os.path.dirname(os.path.abspath(__file__))


def load_frames():
    spec = importlib.util.spec_from_file_location("frames", os.path.join(PLACE, "../frame/make.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FRAMES = load_frames()
DEVICES, SHAPES, _ = FRAMES.good()
KINDS = ["samples", "event", "outcome", "message"]
MASK = 2**64 - 1


def hash_device(d):
    value = 0xCBF29CE484222325
    for text in [d["id"], d["site"], d["profile"]] + [text for tag in d["tags"] for text in tag]:
        for byte in text.encode() + b"\0":
            value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def varint(value, longer=0):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(longer):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def signed(value):
    value &= MASK
    if value >= 2**63:
        value -= 2**64
    return varint(2 * value if value >= 0 else -2 * value - 1)


def source_of(b):
    s = SHAPES[b["shape"]] if b["shape"] else None
    return hash_device(DEVICES[b["device"]]), FRAMES.hash_shape(s) if s else 0, b["boot"]


def text_of(b):
    return bytes.fromhex(b["bytes"]) if "bytes" in b else b["text"].encode()


def pack_record(b, before, place, head=None, flags=None, text=None, record_tail=b"", source_longer=0):
    s = SHAPES[b["shape"]] if b["shape"] else None
    data = text_of(b)
    bits = KINDS.index(b["batch_kind"])
    bits |= (16 if b["quality"] else 0) | (32 if b["codes"] else 0) | (64 if data else 0)
    out = varint(place, source_longer)
    out += bytes([bits if head is None else head, b["flags"] if flags is None else flags])
    for key in ("time_ns", "mono_ns", "seq"):
        out += signed(int(b[key]) - before[key])
        before[key] = int(b[key])
    if data or text is not None:
        out += varint(len(data) if text is None else text)
    out += bytes(b["quality"] or []) + bytes(b["codes"] or [])
    out += b"".join(FRAMES.pack_value(p, v) for p, v in zip(s["points"] if s else [], b["values"]))
    return out + data + record_tail


def pack(batches, version=1, byte5=0, n_sources=None, n_records=None, n_families=None, at14=0, family_end=0, family_of=None,
         place_of=None, length=0, longer=0, tail=b"", crc=0, **record):
    sources, families, records = [], [], b""
    before = {"time_ns": 0, "mono_ns": 0, "seq": 0}
    for b in batches:
        source = source_of(b)
        if source not in sources:
            sources.append(source)
        if source[1:] not in families:
            families.append(source[1:])
        place = sources.index(source) if place_of is None else place_of
        data = pack_record(b, before, place, **record)
        records += varint(len(data) + length, longer) + data
    out = struct.pack("<BBHIHH", version, byte5, len(sources) if n_sources is None else n_sources,
                      len(batches) if n_records is None else n_records,
                      len(families) if n_families is None else n_families, at14)
    for shape, boot in families:
        out += struct.pack("<QII", shape, boot, family_end)
    for device, shape, boot in sources:
        out += struct.pack("<QH", device, families.index((shape, boot)) if family_of is None else family_of)
    out += records + tail
    return struct.pack("<I", zlib.crc32(out) ^ crc) + out


def batch(shape, values=(), device="device", message=None, **how):
    b = FRAMES.batch(shape, values, **how)
    b["device"] = device
    if message is not None:
        b["batch_kind"] = "message"
        b["bytes"] = message.hex()
    return b


MIXED = [True, -128, 255, -32768, 65535, -(2**31), 2**32 - 1, str(-(2**63)), str(2**64 - 1), 0.1, -0.1, "Phase L1"]


def good():
    one = [batch("shape-one", [1.5])]
    later = [batch("shape-one", [float(i)], time_ns=1767225600000000000 + i * 25000, mono_ns=10**12 + i * 25000, seq=i) for i in range(5)]
    back = [batch("shape-one", [1.0], time_ns=2000, mono_ns=5000, seq=9), batch("shape-one", [2.0], time_ns=1000, mono_ns=4000, seq=8)]
    ends = [
        batch("shape-one", ["nan"], time_ns=-(2**63), mono_ns=0, seq=2**64 - 1, boot=2**32 - 1),
        batch("shape-one", [0.0], time_ns=2**63 - 1, mono_ns=2**64 - 1, seq=0, boot=0),
        batch("shape-one", [0.0], time_ns=0, mono_ns=2**63, seq=2**63),
    ]
    sources = [
        batch("shape-one", [1.0], device="device"),
        batch("shape-one", [2.0], device="device-least"),
        batch("shape-types", MIXED, device="device"),
        batch(None, kind="event", device="device-utf8", text="lost"),
        batch("shape-one", [3.0], device="device", boot=4),
        batch("shape-one", [4.0], device="device-least"),
        batch("shape-none", device="device"),
    ]
    parts = [
        batch("shape-types", MIXED, quality=[0, 0x40, 0x83, 0xC2, 0xFF, 0, 0, 0, 0, 0, 0, 0x81]),
        batch("shape-types", MIXED, codes=[0] * 11 + [2]),
        batch("shape-types", MIXED, quality=[0x84] * 12, codes=[7] * 12, text="read back", flags=3),
        batch("shape-one", [1.0], text="t" * 128, flags=1),
    ]
    texts = [
        batch(None, kind="event"),
        batch(None, kind="event", text="meter-1: no answer from 10.0.0.21:502 for 3 s", flags=2),
        batch(None, kind="outcome", text="refused: 12 °C is above 10", flags=1),
        batch(None, message=b"a/b\0{}"),
        batch(None, message=b"\0", flags=0x10),
        batch(None, message=b"\0\0\xff" + bytes(range(256)), flags=0x1D),
        batch(None, message=b"a/b\0\4\0\3\0\1x{}", flags=0x20),
        batch(None, message=b"a\0\0\0", flags=0x34),
    ]
    return {"one": one, "later": later, "back": back, "ends": ends, "sources": sources, "parts": parts, "texts": texts}


def refused():
    one = [batch("shape-one", [1.5])]
    event = [batch(None, kind="event", text="lost")]
    silent = [batch(None, kind="event")]
    message = [batch(None, message=b"a\0b")]
    typed = [batch("shape-types", MIXED)]
    flat = b"".join(FRAMES.pack_value(p, v) for p, v in zip(SHAPES["shape-types"]["points"], MIXED))
    whole = pack(typed)
    yield "nothing", b"", "nothing at all"
    yield "short", pack(one)[:15], "a header that ends too early"
    yield "checksum", pack(one, crc=1), "a checksum of something else"
    yield "version-none", pack(one, version=0), "the version 0"
    yield "reserved-5", pack(one, byte5=1), "a reserved byte is set"
    yield "reserved-14", pack(one, at14=1), "a reserved byte is set"
    yield "reserved-family", pack(one, family_end=1), "a reserved byte of a family is set"
    yield "sources-none", pack(one, n_sources=0), "no sources"
    yield "sources-more", pack(one, n_sources=1025), "sources past the limit"
    yield "sources-missing", pack(one, n_sources=40), "sources that are not there"
    yield "families-none", pack(one, n_families=0), "no families"
    yield "families-more", pack(one, n_families=1025), "families past the limit"
    yield "families-missing", pack(one, n_families=40), "families that are not there"
    yield "family-unknown", pack(one, family_of=1), "a source of a family that is not there"
    yield "records-none", pack(one, n_records=0), "no records"
    yield "records-more", pack(one, n_records=65536), "records past the limit"
    yield "records-missing", pack(one, n_records=2), "a record less than said"
    yield "records-left", pack(one + one, n_records=1), "a record more than said"
    yield "tail", pack(one, tail=b"\0"), "a byte too many"
    yield "source-unknown", pack(one, place_of=1), "a record of a source that is not there"
    yield "length-less", pack(one, length=-1), "a record longer than said"
    yield "length-more", pack(one, length=1), "a record shorter than said"
    yield "length-longer", pack(one, longer=1), "a length not in its shortest form"
    yield "source-longer", pack(one, source_longer=1), "a place not in its shortest form"
    yield "varint-64", seal(pack(one)[4:42] + b"\x0d\x00\x00\x00" + b"\xff" * 9 + b"\x02"), "a number past 64 bits"
    yield "kind", pack(event, head=0x44), "an unknown kind"
    yield "head-80", pack(one, head=0x80), "a reserved bit is set"
    yield "flags", pack(one, flags=4), "an unknown flag"
    yield "flags-message", pack(message, flags=2), "a flag that messages do not have"
    yield "samples-without-shape", pack(event, head=0x40), "samples without a shape"
    yield "event-with-shape", pack(one, head=0x01), "an event with a shape"
    yield "event-quality", pack(silent, head=0x11), "qualities without points"
    yield "event-codes", pack(silent, head=0x21), "codes without points"
    yield "event-tail", pack(silent, record_tail=b"\0"), "an event with a byte too many"
    yield "text-empty", pack(silent, head=0x41, text=0), "a text that is there and empty"
    yield "text-missing", pack(event, text=5), "a text shorter than said"
    yield "text-left", pack(event, text=3), "a text longer than said"
    yield "text-huge", pack(event, text=65536), "a text past the limit"
    yield "message-no-topic", pack([batch(None, message=b"abc")]), "a message without a NUL"
    yield "message-empty", pack([batch(None, message=b"")]), "a message of nothing"
    yield "properties-no-length", pack([batch(None, message=b"a\0\0")], flags=0x20), "properties without a length"
    yield "properties-cut", pack([batch(None, message=b"a\0\3\0xx")], flags=0x20), "properties shorter than said"
    yield "quality-missing", pack(typed, head=0x10), "qualities that are missing"
    yield "codes-missing", pack(typed, head=0x20), "codes that are missing"
    yield "values-missing", pack([batch("shape-types", MIXED[:-1])]), "a value less than the shape has"
    yield "values-left", pack(one, record_tail=b"\0"), "a byte more than the shape has"
    yield "bool", seal(whole[4:].replace(flat, b"\x02" + flat[1:])), "a bool that is 2"
    yield "slot", seal(whole[4:].replace(flat, flat[:-17] + b"\x11" + flat[-16:])), "a text longer than its room"


def seal(body):
    return struct.pack("<I", zlib.crc32(body)) + body


def write(name, text):
    with open(os.path.join(PLACE, name), "w", encoding="utf-8") as file:
        file.write(text + "\n")


def main():
    for name, batches in good().items():
        data = pack(batches)
        write(name + ".hex", "\n".join(data[i : i + 32].hex(" ", 4) for i in range(0, len(data), 32)))
        write(name + ".json", json.dumps({"batches": batches}, ensure_ascii=False, indent=1))
    rows = [json.dumps({"name": name, "why": why, "hex": data.hex()}, ensure_ascii=False) for name, data, why in refused()]
    write("refused.json", "[\n" + ",\n".join(rows) + "\n]")


if __name__ == "__main__":
    main()
