"""A pgbouncer in front of the test server, which lends its connections for one transaction each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.eventsourcing_postgres._server import NOBODY, free_port


def executable() -> str | None:
    """Find pgbouncer; Debian puts it where only root's PATH leads."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


class Pooler:
    """A pgbouncer in transaction mode, on a free port of the loopback interface.

    Args:
        server_url: The server behind it.
        size: How many connections to the server all clients of a database share.
    """

    def __init__(self, server_url: str, size: int) -> None:
        program = executable()
        if program is None:
            message = "no pgbouncer on this machine: install Debian's package of that name"
            raise LookupError(message)
        server = urlsplit(server_url)
        behind = {
            "host": server.hostname or "127.0.0.1",
            "port": str(server.port or 5432),
            "user": unquote(server.username or "postgres"),
            "password": unquote(server.password or ""),
        }
        self._port = free_port()
        self._user = NOBODY if os.getuid() == 0 else None  # it refuses to run as root
        self._folder = Path(tempfile.mkdtemp(prefix="pooler-"))
        self._folder.chmod(0o755)
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(
            f"""
            [databases]
            * = {" ".join(f"{name}={_quoted(value)}" for name, value in behind.items() if value)}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {self._port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = {size}
            max_client_conn = 500
            """.replace("\n            ", "\n"),
            "utf-8",
        )
        if self._user is not None:  # it may hold a password
            os.chown(settings, self._user, self._user)
        settings.chmod(0o600)
        self._command = [program, str(settings)]
        self._process: subprocess.Popen[bytes] | None = None

    def in_front_of(self, url: str) -> str:
        """Give the URL that leads to a database of the server through the pooler."""
        through = f"anybody@127.0.0.1:{self._port}"
        return urlsplit(url)._replace(netloc=through).geturl()

    def start(self) -> None:
        """Start, and return when connections are taken."""
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a program of the machine's
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                user=self._user,
                group=self._user,
            )
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        message = f"pgbouncer does not start:\n{log.read_text('utf-8')}"
        raise RuntimeError(message)

    def kill(self) -> None:
        """End it at once: its clients and the server lose their connections."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it, if it runs, and remove its folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
