"""How the files that are kept here were made, one for each commit that landed.

``<commit>.sql`` is a dump of the file, ``<commit>.txt`` is what that commit read from it. They are
filled by the program of ``tests/eventsourcing_postgres/landed``, which takes any URL. In a clone at
that commit, with both folders in it::

    program=tests.eventsourcing_postgres.landed.program
    python -c "from $program import main; main('sqlite:///landed.db')" >COMMIT.txt
    python tests/eventsourcing_sqlite/landed/dump.py landed.db >COMMIT.sql

Since there are views, ``following`` of that folder is run in between, on ``store.db``, and the
files beside it are dumped as well, into ``views``. Since events are upcast, ``evolved`` of that
folder fills ``evolved.db``, which is dumped into ``evolved``, with its view's file in ``views``.

Neither is edited afterwards. ``checksums.txt`` has the migrations that landed: they are not edited
either.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PRAGMAS = ("application_id", "user_version")
"""What a file says of itself, and ``iterdump`` does not."""


def dump(path: Path) -> Iterator[str]:
    """Give the statements that make a file as it is."""
    with closing(sqlite3.connect(path)) as connection:
        yield from connection.iterdump()
        for pragma in PRAGMAS:
            ((value,),) = connection.execute(f"PRAGMA {pragma}")
            yield f"PRAGMA {pragma} = {value};"


if __name__ == "__main__":
    print("\n".join(dump(Path(sys.argv[1]))))
