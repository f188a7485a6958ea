"""``python -m benchmarks boundaries``: measure, and print targets beside what was measured."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.boundaries import appending, hot, others, reading
from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A server, and how much is measured on it."""

    server: str
    """The URL of a database from which others can be made."""
    tasks: int
    """Tasks, or threads, that append at once."""
    seconds: float
    """For how long each side appends in a round."""
    rounds: int
    events: int
    """Events among which some are looked for."""
    rates: dict[str, float] = field(default_factory=dict)
    """What was measured of our appends, by side."""

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of an empty database."""
        with temporary_database(self.server, f"{RUN}_boundaries_{next(_numbers)}") as url:
            yield url


MEASURES: dict[str, Callable[[Run], None]] = {
    "appending": appending.measure,
    "others": others.measure,
    "hot": hot.measure,
    "reading": reading.measure,
}


def main(arguments: Sequence[str]) -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks boundaries",
        description="Groups, tags and conditions beside other ways; print tables and targets.",
        epilog="EVENTSOURCING_POSTGRES_URL names a PostgreSQL to be used.",
    )
    parser.add_argument("--tasks", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument(
        "--only",
        choices=MEASURES,
        action="append",
        metavar="MEASURE",
        help=f"may be repeated: {', '.join(MEASURES)}",
    )
    given = vars(parser.parse_args(arguments))
    names = given.pop("only") or MEASURES
    with running_server() as server:
        run = Run(server=server, **given)
        for name in names:
            MEASURES[name](run)
