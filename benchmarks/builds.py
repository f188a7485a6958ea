"""This build beside another one: a checkout of an earlier commit, with an environment of its own.

Both run the same acts in processes of their own, in turns, against one server and one disk::

    git worktree add ../before COMMIT && (cd ../before && python -m uv sync)
    python -m benchmarks builds ../before/.venv/bin/python

The ratio is this build's speed divided by the other one's: 1.00 is equal, more is faster.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ACTS = (
    "append by 64 tasks",
    "append 10 by 64 tasks",
    "encode 10",
    "append by one task",
    "append 10,000",
    "load 10,000",
    "update by 16 tasks",
    "read_all",
)
STORES = ("memory", "sqlite", "postgres")
WORKER = Path(__file__).with_name("_build_worker.py")
_LIMIT = 0.97  # what the worst median may be, unless a change is meant to cost something


class Build:
    """A process of one build, which does what it is told and says how long it took."""

    def __init__(self, python: str, url: str, worker: Path = WORKER) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program, by a Python that the caller names
            [python, "-W", "error", str(worker), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=WORKER.parent,  # not the root: its folders would be found in place of the packages
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=30)

    def seconds(self, act: str) -> float:
        """Do something once.

        Raises:
            RuntimeError: The process has ended; what it said is on the screen.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:  # pragma: no cover - both are pipes
            raise AssertionError
        stdin.write(f"{json.dumps(act)}\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            message = f"the process of a build ended while it was to {act}"
            raise RuntimeError(message)
        return float(json.loads(answer))


def main(arguments: Sequence[str]) -> None:
    """Read the command line, measure, and print a table for each store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks builds", description=__doc__)
    parser.add_argument("python", help="the Python of the other build's environment")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--store", choices=STORES, action="append", help="default: all")
    parser.add_argument("--act", choices=ACTS, action="append", help="default: all")
    given = parser.parse_args(arguments)
    for store in given.store or STORES:
        print(f"\n{store}: seconds of this build and of the other one, and the ratio of speeds")
        for act in given.act or ACTS:
            with ExitStack() as stack:
                builds = [
                    stack.enter_context(Build(python, url))
                    for python, url in zip(
                        (sys.executable, given.python),
                        stack.enter_context(places(store)),
                        strict=True,
                    )
                ]
                compare(act, builds, given.rounds)


def compare(act: str, builds: Sequence[Build], rounds: int) -> None:
    """Let two builds take turns, each first in every other round; print the medians."""
    ours, theirs = builds
    pairs: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            other, own = theirs.seconds(act), ours.seconds(act)
        else:
            own, other = ours.seconds(act), theirs.seconds(act)
        if number:
            pairs.append((own, other))
    ratio = statistics.median([other / own for own, other in pairs])
    own, other = (statistics.median(values) for values in zip(*pairs, strict=True))
    mark = "" if ratio >= _LIMIT else f"  below {_LIMIT}"
    print(f"  {act:<22}{own:>10.4f}{other:>10.4f}{ratio:>8.2f}{mark}", flush=True)


@contextmanager
def places(store: str) -> Iterator[tuple[str, str]]:
    """Give a place of its own for each build, on the same server or disk."""
    if store == "memory":
        yield "memory://", "memory://"
    elif store == "sqlite":
        with TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/ours.db", f"sqlite:///{folder}/theirs.db"
    else:
        with (
            running_server() as server,
            temporary_database(server, f"{RUN}_ours") as ours,
            temporary_database(server, f"{RUN}_theirs") as theirs,
        ):
            yield ours, theirs
