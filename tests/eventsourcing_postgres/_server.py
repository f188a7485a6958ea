"""A real PostgreSQL for the tests, from a wheel: nothing needs to be installed on the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_postgres.testing._local_server import NOBODY, LocalServer, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

__all__ = ["GUARDED", "NOBODY", "Server", "free_port", "running", "running_server"]

GUARDED = "guarded"
"""The user who needs a password, if there is one of this name."""


class Server(LocalServer):
    """A cluster that can be killed, and that can be a standby of another one.

    Args:
        version: Which of the wheel's two servers: ``pginstall18`` or ``pginstall``.
        settings: Of the server, besides those that each one here has.
        primary: The server of which this one is a standby; None: it begins empty.
    """

    def __init__(
        self,
        version: str = "pginstall18",
        *,
        settings: Mapping[str, object] | None = None,
        primary: Server | None = None,
    ) -> None:
        super().__init__(version, settings=settings)
        self._make_data(primary)

    def demand_password(self, user: str) -> None:
        """Trust everybody but this user; before the start."""
        rules = self.data / "pg_hba.conf"
        line = f"host all {user} 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(line + rules.read_text("utf-8"), "utf-8")

    def kill(self) -> None:
        """Kill every process of the server at once; return when all have ended."""
        pid_file = self.data / "postmaster.pid"
        pid = int(pid_file.read_text("utf-8").split()[0])
        os.kill(pid, signal.SIGSTOP)  # it must not start another process meanwhile
        _wait_until(lambda: _processes()[pid].state.startswith("T"))
        pids = {pid} | {one for one, process in _processes().items() if process.parent == pid}
        for one in pids:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        _wait_until(lambda: not running(pids))
        # Where nobody reaps the dead, the next start would take this one for a running server.
        pid_file.unlink()

    def become_standby(self) -> None:
        """Stop as one should, and start as a server that only follows another one."""
        self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data)
        (self.data / "standby.signal").touch()
        self.start()

    def begin_anew(self, primary: Server) -> None:
        """Forget everything, once it was killed, and start as a standby of another server."""
        shutil.rmtree(self.data)
        self._make_data(primary)
        self.start()

    def _make_data(self, primary: Server | None) -> None:
        if primary is None:
            self.make()
            return
        self.make_folder()
        where = ("-D", self.data, "--no-sync")
        source = ("-d", primary.url(), "--checkpoint=fast", "--write-recovery-conf")
        self.run("pg_basebackup", *where, *source)


@contextmanager
def running_server() -> Iterator[str]:
    """Give the URL of a database on a running server.

    ``EVENTSOURCING_POSTGRES_URL`` names one; else it is one of its own, which trusts everybody but
    the user ``GUARDED``, and is stopped at the end.
    """
    named = os.environ.get("EVENTSOURCING_POSTGRES_URL")
    if named:
        yield named
        return
    server = Server()
    try:
        server.demand_password(GUARDED)
        server.start()
        yield server.url()
    finally:
        server.stop()


def running(pids: Collection[int]) -> set[int]:
    """Give those of some processes that still run; one that nobody reaped does not."""
    return {
        pid
        for pid, process in _processes().items()
        if pid in pids and not process.state.startswith("Z")
    }


class _Process(NamedTuple):
    parent: int
    state: str


def _processes() -> dict[int, _Process]:
    """Give the processes of this machine."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,stat="],  # noqa: S607 - any ps
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    words = (line.split() for line in listed.splitlines())
    return {int(pid): _Process(int(parent), state) for pid, parent, state in words}


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            message = "the processes of the server are not in the state that was waited for"
            raise TimeoutError(message)
        time.sleep(0.01)
