"""The servers: a PostgreSQL for all sides but one, and UmaDB. What is started here is stopped."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import free_port, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers.sides import Listed

_numbers = count(1)
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
"""Settings that must be on."""
SHOWN = (*DURABLE, "server_version", "wal_sync_method", "shared_buffers", "max_wal_size")


class Servers:
    """Gives each side a place of its own, empty.

    Args:
        postgres: The URL of a database from which others can be made.
    """

    def __init__(self, postgres: str) -> None:
        self._postgres = postgres

    @contextmanager
    def place(self, side: Listed) -> Iterator[str]:
        """Give the URL of an empty database, or of an UmaDB that was started for this."""
        with ExitStack() as stack:
            if side.needs_umadb:
                yield stack.enter_context(running_umadb())
            else:
                name = f"{RUN}_peers_{next(_numbers)}"
                yield stack.enter_context(temporary_database(self._postgres, name))

    def settings(self) -> dict[str, str]:
        """Give the settings that matter; refuse to measure if what is committed could be lost."""
        found = asyncio.run(_settings(self._postgres))
        for name in DURABLE:
            if found[name] != "on":
                message = f"the server must have {name} = on, it has {found[name]!r}"
                raise RuntimeError(message)
        return found

    def checkpoint(self) -> None:
        """Let the server write what it owes, so that it does not do so during a measurement."""
        asyncio.run(_execute(self._postgres, "checkpoint"))


@contextmanager
def servers() -> Iterator[Servers]:
    """Start PostgreSQL, or use the one of ``EVENTSOURCING_POSTGRES_URL``."""
    with running_server() as url:
        yield Servers(url)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _settings(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        return {name: await connection.fetchval(f"show {name}") for name in SHOWN}
    finally:
        await connection.close()


@contextmanager
def running_umadb() -> Iterator[str]:
    """Start UmaDB with its own defaults, where PostgreSQL's files are."""
    folder = tempfile.mkdtemp(prefix="umadb-", dir="/tmp")
    port = free_port()
    program = Path(sys.executable).with_name("umadb")
    process = subprocess.Popen(  # noqa: S603 - the program of the pinned wheel
        [program, "--listen", f"127.0.0.1:{port}", "--db-path", Path(folder, "uma.db")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
