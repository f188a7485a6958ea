"""``python -m benchmarks peers``: measure, print tables, write the JSON file."""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.peers.measures import appends, growth, imports, latency, loads, processes
from benchmarks.peers.plan import DEFAULT, LARGE, QUICK
from benchmarks.peers.results import Results, machine
from benchmarks.peers.run import Run
from benchmarks.peers.servers import servers
from benchmarks.peers.sides import BY_NAME, SIDES
from benchmarks.peers.table import text
from benchmarks.peers.tables import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEASURES: dict[str, Callable[[Run], None]] = {
    "imports": imports.measure,
    "appends": appends.measure,
    "loads": loads.measure,
    "processes": processes.measure,
    "latency": latency.measure,
    "growth": growth.measure,
}
FILE = Path("build/peers.json")
PART = Path("build/peers-part.json")
"""Of a quick run or a part of one: it must not take the place of a long one."""


def main(arguments: Sequence[str]) -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks peers",
        description="Measure side by side, print tables, and write a JSON file of all figures.",
        epilog="EVENTSOURCING_POSTGRES_URL names a PostgreSQL, of version 18 or later, to be used.",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        action="store_const",
        const=QUICK,
        dest="plan",
        help="2 minutes, to see that it works",
    )
    size.add_argument(
        "--large",
        action="store_const",
        const=LARGE,
        dest="plan",
        help="up to 10 million events: hours, and tens of GB of disk",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=f"{FILE} if not given, {PART} for a part"
    )
    parser.add_argument(
        "--only",
        choices=MEASURES,
        action="append",
        metavar="MEASURE",
        help=f"may be repeated: {', '.join(MEASURES)}",
    )
    parser.add_argument(
        "--side",
        choices=BY_NAME,
        action="append",
        metavar="SIDE",
        help=f"may be repeated: {', '.join(BY_NAME)}",
    )
    options = parser.parse_args(arguments)
    sides = [side for side in SIDES if side.name in (options.side or BY_NAME)]
    plan = options.plan or DEFAULT
    is_part = plan is QUICK or options.only or options.side
    file = options.json or (PART if is_part else FILE)
    # Who ends this ends what it started: as an exception, the signal passes through every `with`.
    signal.signal(signal.SIGTERM, _end)
    with TemporaryDirectory() as folder, servers() as running:
        # Bytecode is there once a package is installed. So it must be here for all that is started,
        # whatever the machine sets.
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        results = Results(asdict(plan), machine(running.settings()))
        run = Run(running, plan, results, sides)
        for name in options.only or MEASURES:
            MEASURES[name](run)
            results.write(file)  # what was measured so far is kept
        run.step("done")
    if not results.figures:
        parser.error("nothing was measured: none of these sides can do that")
    for table in tables(results):
        print(text(table))
    print(f"\nAll figures: {file}")


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)
