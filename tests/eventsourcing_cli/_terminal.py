"""A terminal of 60 columns to run the command on."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from threading import Timer

COLUMNS = 60
DEADLINE = 60.0  # seconds until something counts as never happening


class Terminal:
    """A command that runs on a pseudo-terminal.

    Args:
        command: The program and its arguments.
        environment: Added to that of this process.
    """

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        self.process = subprocess.Popen(  # noqa: S603 - the command of this repository
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=inherited | {"TERM": "xterm-256color"} | (environment or {}),
            start_new_session=True,
        )
        os.close(theirs)
        self._deadline = Timer(DEADLINE, self.process.kill)
        self._deadline.start()
        self.shown = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode

    def read_until(self, text: str) -> None:
        """Read on until a text was shown."""
        while text not in self.shown:
            part = self._read()
            assert part, f"{text!r} was never shown, but: {self.shown}"
            self.shown += part

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def write(self, text: str) -> None:
        """Type something."""
        os.write(self._ours, text.encode())

    def finish(self) -> int:
        """Read to the end, and give the exit code."""
        while part := self._read():
            self.shown += part
        code = self.process.wait()
        self._deadline.cancel()
        os.close(self._ours)
        return code

    def _read(self) -> str:
        try:
            read = os.read(self._ours, 65536)
        except OSError:  # how Linux says that the other side is closed
            read = b""
        return self._decode(read, not read)


def shown_on_terminal(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a command to its successful end, and give what the terminal was sent."""
    terminal = Terminal(command, environment)
    code = terminal.finish()
    assert code == 0, terminal.shown
    return terminal.shown.replace("\r\n", "\n")


def without_styles(shown: str) -> str:
    """Take the colours out of what a terminal was sent; anything else of its language stays."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)
