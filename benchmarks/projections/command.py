"""``python -m benchmarks projections``: measure, and print targets beside what was measured."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.projections import catching_up, inline, latency, sharing
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
    events: int
    """Events that are followed by pages."""
    few: int
    """Events of sides that take a statement or more for each."""
    streams: int
    """Streams that the events are of."""
    saves: int
    """Saves that are waited for."""
    rounds: int

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of an empty database."""
        with temporary_database(self.server, f"{RUN}_follow_{next(_numbers)}") as url:
            yield url


MEASURES: dict[str, Callable[[Run], None]] = {
    "catching-up": catching_up.measure,
    "sharing": sharing.measure,
    "latency": latency.measure,
    "taking-over": sharing.measure_taking_over,
    "inline": inline.measure,
}


def main(arguments: Sequence[str]) -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks projections",
        description="Follow the log beside other ways to do so; print tables and targets.",
        epilog="EVENTSOURCING_POSTGRES_URL names a PostgreSQL, of version 18 or later, to be used.",
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=20_000, help="events, one statement for each")
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--saves", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
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
