#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the same data as Python's json.dumps and Node's JSON.stringify give it, in their forms that
differ: escaped or plain characters, compact, indented, with tabs. What must be read from all of them
stands in tests/unit/test_doc.c."""

import json
import os
import subprocess

DATA = {
    "quotes": 'say "hi"',
    "backslash": "a\\b\\\\n",
    "slash": "http://x/y",
    "blanks": "a\tb\nc\rd",
    "control": "\b\f\x01\x1f",
    "delete": "a\x7fb",
    "c1": "a\x80\x85\x9fb",
    "latin": "°C é ß",
    "separators": "a\u2028b\u2029c",
    "mark": "\ufeffa\ufffe",
    "emoji": "😀 \U0010ffff",
    "empty": "",
    "yaml": "- a: b # c",
    "number text": "12",
    "null text": "null",
    "int": 12,
    "negative": -1,
    "tenth": 0.1,
    "small": 0.001,
    "large": 1e21,
    "yes": True,
    "no": False,
    "none": None,
    "empty map": {},
    "empty list": [],
    "list": [1, "two", [3], {"four": 4}],
    "": "the empty key",
    "?": "question",
    "-": "dash",
    "a: b": "colon",
    "°/\"\\\n": "all in a key",
    "k" * 2000: "a long key",
}

NODE = """
const data = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(data, null, process.argv[1] === 'tab' ? '\\t' : Number(process.argv[1])));
"""

PLACE = os.path.dirname(os.path.abspath(__file__))


def write(name, text):
    with open(os.path.join(PLACE, name), "w", encoding="utf-8", newline="") as file:
        file.write(text)


def by_node(indent):
    result = subprocess.run(["node", "-e", NODE, indent], input=json.dumps(DATA).encode(), capture_output=True, check=True)
    return result.stdout.decode()


def main():
    write("python.json", json.dumps(DATA))
    write("python-plain.json", json.dumps(DATA, ensure_ascii=False, separators=(",", ":")))
    write("python-indent.json", json.dumps(DATA, indent=2))
    write("node.json", by_node("0"))
    write("node-indent.json", by_node("2") + "\n")
    write("node-tab.json", by_node("tab").replace("\n", "\r\n"))


main()
