#!/usr/bin/env bash
# msgspec 0.23.0, msgpack 1.2.4, Python 3.11; seen on 2026-11-30.
#
# msgspec is strict: an int for a `str`, or a number with a fraction for an `int`, is a ValidationError. But for a
# `float` field it takes an int, and rounds it without a word: 9007199254740993 (2**53 + 1) becomes
# 9007199254740992.0, in JSON and in MessagePack. So a number that was an int when it was written, and whose field
# became `float` since, may be read as its neighbour; and two programs of which one has the old class disagree about
# an id or an amount in the smallest unit. Python's own conversion rounds as well, but the trees of `json` and
# `msgpack` still hold the int, so that a reader can see that digits would be lost and refuse. With msgspec nobody
# can, afterwards: `Meta(gt=-2**53, lt=2**53)` on the field is what refuses it. Other limits do not help: `strict` is
# on already.
#
# It also writes what it would not read: `msgspec.json.encode(float("nan"))` gives `null`, which a `float` field
# refuses; msgpack keeps the NaN.
#
# Seen output:
#   json: 9007199254740993 for a float: msgspec 9007199254740992.0, json.loads 9007199254740993
#   msgpack: 9007199254740993 for a float: msgspec 9007199254740992.0, unpackb 9007199254740993
#   with Meta(gt=-2**53, lt=2**53): ValidationError: Expected `float` < 9007199254740992.0
#   nan as JSON: null, read as float: ValidationError: Expected `float`, got `null`
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet msgspec==0.23.0 msgpack==1.2.4 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import json
from typing import Annotated

import msgpack
import msgspec

NUMBER = 2**53 + 1


def tried(read) -> object:
    try:
        return read()
    except msgspec.ValidationError as error:
        return f"ValidationError: {error}"


text, packed = json.dumps(NUMBER).encode(), msgpack.packb(NUMBER)
print(f"json: {NUMBER} for a float: msgspec {msgspec.json.decode(text, type=float)!r}, json.loads {json.loads(text)}")
print(
    f"msgpack: {NUMBER} for a float: msgspec {msgspec.msgpack.decode(packed, type=float)!r}, "
    f"unpackb {msgpack.unpackb(packed)}"
)
bounded = Annotated[float, msgspec.Meta(gt=-(2.0**53), lt=2.0**53)]
print("with Meta(gt=-2**53, lt=2**53):", tried(lambda: msgspec.json.decode(text, type=bounded)))
nan = msgspec.json.encode(float("nan"))
print(f"nan as JSON: {nan.decode()}, read as float:", tried(lambda: msgspec.json.decode(nan, type=float)))
PROGRAM
"$folder/venv/bin/python" "$folder/program.py" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
json: 9007199254740993 for a float: msgspec 9007199254740992.0, json.loads 9007199254740993
msgpack: 9007199254740993 for a float: msgspec 9007199254740992.0, unpackb 9007199254740993
with Meta(gt=-2**53, lt=2**53): ValidationError: Expected `float` < 9007199254740992.0
nan as JSON: null, read as float: ValidationError: Expected `float`, got `null`
EXPECTED
