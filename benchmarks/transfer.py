"""``eventsourcing import`` and ``export`` of this build beside those of another one.

Both run in turns, against one server and one disk, as processes of their own::

    python -m benchmarks transfer ../before/.venv/bin/python

A rate has the start of the process in it, and an import the check of the file. The other build's
environment is made as for ``builds``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.builds import places
from benchmarks.peers.payload import CURRENCY, EVENT_TYPE, MEMO, OWNER
from eventsourcing_cli._archive import PartialArchive, Selection
from eventsourcing_core import RecordedEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STORES = ("postgres", "sqlite")
_TOGETHER, _EACH = 100, 10  # streams that are mixed, and events of each
_LOOK = 0.02  # seconds between two looks at the memory of a command
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Run(NamedTuple):
    """What a command took."""

    seconds: float
    """By the clock."""
    processor: float
    """Seconds of processor time of the command itself."""
    megabytes: float
    """Of memory, at the most."""


def main(arguments: Sequence[str]) -> None:
    """Read the command line, measure, and print a table for each store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks transfer", description=__doc__)
    parser.add_argument("python", help="the Python of the other build's environment")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", choices=STORES, action="append", help="default: all")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "events.jsonl"
        write(archive, given.events)
        for store in given.store or STORES:
            print(f"\n{store}: {given.events:,} events")
            print(f"  {'':<22}{'events/s':>12}{'processor':>12}{'memory':>10}")
            compare(store, (sys.executable, given.python), archive, given.events, given.rounds)


def write(path: Path, count: int) -> None:
    """Write an archive of streams of ten events, a hundred of them mixed."""
    block = _TOGETHER * _EACH
    with PartialArchive(path, Selection()) as archive:
        for number in range(count):
            stream = number // block * _TOGETHER + number % _TOGETHER
            archive.write(
                RecordedEvent(
                    EVENT_TYPE,
                    {"owner": OWNER, "amount": number, "currency": CURRENCY, "memo": MEMO},
                    stream_id=f"account-{stream}",
                    version=number % block // _TOGETHER + 1,
                    position=number + 1,
                    timestamp=_BEGIN + timedelta(milliseconds=number),
                )
            )
        archive.finish()


def compare(store: str, pythons: tuple[str, str], archive: Path, count: int, rounds: int) -> None:
    """Let two builds take turns; print the medians, and the ratio of the speeds."""
    runs: dict[tuple[str, int], list[Run]] = {}
    for number in range(rounds):
        with places(store) as urls:
            for build in (0, 1) if number % 2 else (1, 0):
                for act, run in transfers(pythons[build], urls[build], archive):
                    runs.setdefault((act, build), []).append(run)
    for act in ("import", "export"):
        for build, name in enumerate(("this build", "the other build")):
            one = Run(
                *(statistics.median(values) for values in zip(*runs[act, build], strict=True))
            )
            print(
                f"  {act + ', ' + name:<22}{count / one.seconds:>12,.0f}"
                f"{one.processor:>10.2f} s{one.megabytes:>7.0f} MB"
            )
        ours, others = runs[act, 0], runs[act, 1]
        ratio = statistics.median(
            [other.seconds / own.seconds for own, other in zip(ours, others, strict=True)]
        )
        print(f"  {act}, ratio of speeds: {ratio:.2f}", flush=True)


def transfers(python: str, url: str, archive: Path) -> Iterator[tuple[str, Run]]:
    """Import the archive into an empty store, and export that."""
    command = (python, "-m", "eventsourcing_cli")
    if url.startswith("postgresql"):
        run(*command, "migrate", url)
    yield "import", run(*command, "import", str(archive), url)
    again = archive.with_name("again.jsonl")
    yield "export", run(*command, "export", url, str(again), "--force")
    if again.read_bytes() != archive.read_bytes():
        message = "the export is not what was imported"
        raise AssertionError(message)


def run(*command: str) -> Run:
    """Run a command to its end.

    Raises:
        RuntimeError: It failed; what it said is on the screen.
    """
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own command, by a Python that the caller names
        most = kilobytes(process.pid)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        while not ended:
            time.sleep(_LOOK)
            most = max(most, kilobytes(process.pid))
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{' '.join(command)} failed"
        raise RuntimeError(message)
    seconds = time.perf_counter() - begin
    return Run(seconds, used.ru_utime + used.ru_stime, most / 1024)


def kilobytes(pid: int) -> int:
    """Give what a process has had in memory at the most.

    What the system says when it has ended begins with what we have.
    """
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
