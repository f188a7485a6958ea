#!/usr/bin/env bash
# SQLite 3.44.2 and 3.50.4 (the wheels apsw 3.44.2.0 and 3.50.4.0), Python 3.11; seen on 2026-11-30.
#
# JSON may write a character of a name as it is, or escaped: {"größe": 1} and {"gr\u00f6\u00dfe": 1} are the same
# object. `json.dumps` of Python escapes unless it is told not to. Up to SQLite 3.44 a path is compared with the
# name as it is written in the text, so `json_extract` and `->>` find nothing in what is escaped, without an error;
# `json_each` of the same text gives the name unescaped. An index on such an expression misses these rows, too.
# From 3.45 on both are found: the same query on the same file gives another result.
#
# Whoever writes JSON that SQLite is to look into writes names without escapes (`ensure_ascii=False`); a store
# that takes JSON from others has to ask for that.
#
# Seen output:
#   3.44.2: escaped: None, None, listed as größe; not escaped: 1, 1, listed as größe
#   3.50.4: escaped: 1, 1, listed as größe; not escaped: 1, 1, listed as größe
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat >"$folder/program.py" <<'PROGRAM'
import json

import apsw

SQL = """
select json_extract(:text, '$.größe'), :text ->> 'größe', (select key from json_each(:text))
"""

connection = apsw.Connection(":memory:")
found = []
for kind, is_escaped in (("escaped", True), ("not escaped", False)):
    text = json.dumps({"größe": 1}, ensure_ascii=is_escaped)
    ((extracted, arrow, listed),) = connection.execute(SQL, {"text": text})
    found.append(f"{kind}: {extracted}, {arrow}, listed as {listed}")
print(f"{apsw.sqlite_lib_version()}: {'; '.join(found)}")
PROGRAM
for version in 3.44.2.0 3.50.4.0; do
    "$folder/venv/bin/pip" install --quiet apsw==$version 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
    "$folder/venv/bin/python" -W ignore "$folder/program.py"
done | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
3.44.2: escaped: None, None, listed as größe; not escaped: 1, 1, listed as größe
3.50.4: escaped: 1, 1, listed as größe; not escaped: 1, 1, listed as größe
EXPECTED
