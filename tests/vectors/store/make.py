#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes v1.db, a store of version 1, by the words of native/store/store.h alone, with Python's SQLite and
the packs of ../pack/make.py. A version that is out in the field must be read for ever: do not make it
anew, but another one beside it."""

import importlib.util
import os
import sqlite3
import struct

PLACE = os.path.dirname(os.path.abspath(__file__))
TABLES = """
CREATE TABLE stream (id INTEGER PRIMARY KEY, class INTEGER NOT NULL, next INTEGER NOT NULL DEFAULT 0,
  packs INTEGER NOT NULL DEFAULT 0, records INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
  name TEXT NOT NULL) STRICT;
CREATE TABLE pack (key INTEGER PRIMARY KEY, n INTEGER NOT NULL, age INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE cursor (stream INTEGER NOT NULL, sink TEXT NOT NULL, ranges BLOB NOT NULL, PRIMARY KEY (stream, sink))
  STRICT, WITHOUT ROWID;
CREATE TABLE name (kind INTEGER NOT NULL, hash INTEGER NOT NULL, frame BLOB NOT NULL, PRIMARY KEY (kind, hash))
  STRICT, WITHOUT ROWID;
CREATE TABLE dead (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, time_ns INTEGER NOT NULL, age INTEGER NOT NULL,
  reason TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX dead_age ON dead (age);
CREATE TABLE value (key TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
OPEN = 2**64 - 1


def load(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(PLACE, "..", name, "make.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PACKS = load("pack")


def signed(value):
    return value - 2**64 if value >= 2**63 else value


def ranges(*pairs):
    return b"".join(struct.pack("<QQ", *pair) for pair in pairs)


def put_names(db):
    for d in PACKS.DEVICES.values():
        db.execute("INSERT INTO name VALUES (1, ?, ?)", (signed(PACKS.hash_device(d)), PACKS.FRAMES.pack_device(d)))
    for s in PACKS.SHAPES.values():
        db.execute("INSERT INTO name VALUES (2, ?, ?)", (signed(PACKS.FRAMES.hash_shape(s)), PACKS.FRAMES.pack_shape(s)))


def put_stream(db, id, kind, name, batches_of, first=0):
    total = [0, 0, 0]
    for batches in batches_of:
        body = PACKS.pack(batches)
        db.execute("INSERT INTO pack VALUES (?, ?, ?, ?)", (id << 47 | first, len(batches), 1000 * first, body))
        first += len(batches)
        total = [total[0] + 1, total[1] + len(batches), total[2] + len(body)]
    db.execute("INSERT INTO stream (id, class, next, packs, records, bytes, name) VALUES (?, ?, ?, ?, ?, ?, ?)",
               (id, kind, first, *total, name))


def main():
    path = os.path.join(PLACE, "v1.db")
    if os.path.exists(path):
        os.remove(path)
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;" + TABLES)
    db.executescript("PRAGMA application_id = %d; PRAGMA user_version = 1;" % int.from_bytes(b"bbus", "big"))
    good = PACKS.good()
    long = [PACKS.batch(None, message=b"topic\0" + bytes([65 + i]) * 3000, seq=i) for i in range(4)]
    db.execute("BEGIN")
    put_names(db)
    put_stream(db, 1, 0, "influx", [good["one"], good["later"], good["sources"], good["parts"]], first=100)
    put_stream(db, 2, 1, "influx+mqtt", [good["texts"], long])
    put_stream(db, 7, 0, "mqtt", [])
    letter = PACKS.pack(good["one"])
    db.execute("INSERT INTO dead VALUES (4, 'influx', 1767225600000000000, 5, 'field type conflict', ?)", (letter,))
    db.execute("INSERT INTO stream VALUES (0, 0, 5, 1, 1, ?, '')", (len(letter),))
    db.execute("INSERT INTO cursor VALUES (1, 'influx', ?)", (ranges((100, 103), (106, OPEN)),))
    db.execute("INSERT INTO cursor VALUES (2, 'influx', ?)", (ranges(),))
    db.execute("INSERT INTO cursor VALUES (2, 'mqtt', ?)", (ranges((0, OPEN)),))
    db.execute("INSERT INTO value VALUES ('clock', x'0102030405060708')")
    db.execute("COMMIT")
    db.close()


if __name__ == "__main__":
    main()
