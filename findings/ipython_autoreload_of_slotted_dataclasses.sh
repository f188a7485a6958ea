#!/usr/bin/env bash
# IPython 9.18.1, Python 3.11; seen on 2026-11-30.
#
# `%autoreload 2` loads a changed module again and turns the objects of its old classes into ones of the new
# classes. It does so by assigning their `__class__`, which Python refuses where the slots differ. So after a
# field was added to a dataclass with slots, and an object of it is alive, the reload is reported as failed. The
# module has the new class all the same, and the object keeps the old one: there are two classes of one name. A
# dataclass without slots is changed without a word, and its old object lacks the new field.
#
# Whoever keeps classes by name must expect a second class from the same place, with another layout.
#
# Seen output:
#   slots=True: reload failed with TypeError: True, new class has both fields: True, object is of it: False
#   slots=False: reload failed with TypeError: False, new class has both fields: True, object is of it: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ipython==9.18.1 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import contextlib
import io
import os
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

sys.path.insert(0, sys.argv[1])
shell = InteractiveShell.instance()
shell.run_cell("%load_ext autoreload\n%autoreload 2")


def write(module: str, slots: bool, fields: str, changed: int) -> None:
    path = Path(sys.argv[1], f"{module}.py")
    path.write_text(
        "from dataclasses import dataclass\n\n\n"
        f"@dataclass(frozen=True, slots={slots})\nclass Opened:\n{fields}"
    )
    os.utime(path, (changed, changed))


for slots in (True, False):
    module = f"events_{slots}".lower()
    write(module, slots, "    name: str\n", 1_000_000_000)
    shell.run_cell(f"import {module}\nopened = {module}.Opened('a')")
    write(module, slots, "    name: str\n    by: str = ''\n", 1_000_000_100)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        shell.run_cell("again = 1")
    cls = getattr(sys.modules[module], "Opened")
    is_of_it = type(shell.user_ns["opened"]) is cls
    failed = "autoreload of" in said.getvalue() and "TypeError" in said.getvalue()
    both = set(cls.__dataclass_fields__) == {"name", "by"}
    print(f"slots={slots}: reload failed with TypeError: {failed}, new class has both fields: {both}, object is of it: {is_of_it}")
PROGRAM
(cd "$folder" && IPYTHONDIR="$folder/ipython" venv/bin/python -W ignore program.py "$folder" 2>errors | grep "^slots" | tee output)
diff - "$folder/output" <<'EXPECTED'
slots=True: reload failed with TypeError: True, new class has both fields: True, object is of it: False
slots=False: reload failed with TypeError: False, new class has both fields: True, object is of it: True
EXPECTED
