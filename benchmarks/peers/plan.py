"""How much is measured: the usual size, a quick look, or a large store as well."""

from __future__ import annotations

from dataclasses import dataclass, replace

CONNECTIONS = 10


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The sizes of one run."""

    name: str
    rounds: int
    """Rounds that count, after one that does not."""
    seconds: float
    """How long one side appends in a round."""
    tasks: tuple[int, ...]
    """Concurrent callers in one process."""
    events: tuple[int, ...]
    """Events in one append."""
    racers: int
    """Callers that append to one stream."""
    bulk: int
    """Events in one large append."""
    processes: int
    """Processes that append at once."""
    tasks_each: int
    """Callers in each of them."""
    loads: tuple[int, ...]
    """Events of the aggregates that are loaded."""
    repeats: int
    """Loads in one round; fewer for long aggregates."""
    pings: int
    """Single appends that a reader waits for."""
    imports: int
    """Starts of Python for each module."""
    stored: tuple[int, ...]
    """Sizes of the store, in events."""
    replayed: int
    """Size of the store at which all events are read, in events."""
    connections: int = CONNECTIONS
    """Of each pool: asyncpg's and our default, and what eventsource-py's guide says."""


DEFAULT = Plan(
    name="default",
    rounds=5,
    seconds=1.0,
    tasks=(1, 8, 64, 256),
    events=(1, 10),
    racers=16,
    bulk=10_000,
    processes=4,
    tasks_each=16,
    loads=(10, 100, 1_000, 10_000),
    repeats=20,
    pings=100,
    imports=20,
    stored=(10_000, 1_000_000),
    replayed=1_000_000,
)
QUICK = Plan(
    name="quick",
    rounds=1,
    seconds=0.2,
    tasks=(1, 64),
    events=(1, 10),
    racers=16,
    bulk=1_000,
    processes=4,
    tasks_each=16,
    loads=(10, 1_000),
    repeats=2,
    pings=10,
    imports=3,
    stored=(1_000, 10_000),
    replayed=10_000,
)
LARGE = replace(DEFAULT, name="large", stored=(10_000, 1_000_000, 10_000_000))
