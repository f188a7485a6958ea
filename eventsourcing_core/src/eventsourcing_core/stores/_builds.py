"""Builds of projections: what is stored of them, who works on what, and what waits."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.stores._event_store import Checkpoint

HASHES = 65_536
"""Hashes of keys are from 0 to one less than this."""


class Build(NamedTuple):
    """A version of a projection."""

    name: str
    """1 to 40 of a-z, 0-9 and ``-``, a letter first."""
    version: int
    """From 1 on."""

    def __str__(self) -> str:
        """Give it as messages have it."""
        return f"projection {self.name}, version {self.version}"


class ProjectionKind(Enum):
    """What follows the log."""

    VIEW = "view"
    """The store keeps a value for each key."""
    PROJECTION = "projection"
    """It writes tables of the user's."""
    REACTOR = "reactor"
    """It has effects elsewhere; the store keeps only how far it is."""


class BuildState(Enum):
    """What a build is there for."""

    BUILDING = "building"
    """It follows beside the live one, and nobody reads it."""
    LIVE = "live"
    """It is what readers see; one build of a name is."""
    RETIRED = "retired"
    """It was live, and can be again."""


class BuildSpec(NamedTuple):
    """What a build is: the same each time it is registered."""

    build: Build
    kind: ProjectionKind
    class_name: str
    """The name of the class, so that nobody else takes the projection's name."""
    indexes: tuple[str, ...] = ()
    """The fields of a view's values that can be asked for."""
    event_types: tuple[str, ...] | None = ()
    """The stored names of the events that it is given, in order; None: all. Empty: it was not told,
    as by an earlier release; then it is compared with nothing."""


class Progress(NamedTuple):
    """How far something has followed."""

    position: int
    """No event that matters is missing at or below it."""
    checkpoint: Checkpoint | None
    """The last event at or below it that is known to stand; None if there was none yet.

    To go on from here, follow the store after the checkpoint: it says if it has changed.
    """


class Segment(NamedTuple):
    """A range of hashes, and how far its keys are."""

    low: int
    """The lowest hash."""
    high: int
    """The highest hash."""
    progress: Progress
    epoch: int
    """Raised whenever somebody takes it over, and whenever nobody may go on with it."""


class BuildRecord(NamedTuple):
    """What is stored of a build."""

    spec: BuildSpec
    state: BuildState
    is_paused: bool
    """Whether nobody may work on it."""
    is_switching: bool
    """Whether nobody may work on it for the moment, since another build takes its place."""
    wanted_segments: int
    """How many segments it is to have."""
    inline_from: int | None = None
    """After this position, appends themselves apply their events to it, and nobody works on it;
    None: it is not inline."""


class Worker(NamedTuple):
    """A process that works on a build, and whose lease has not run out."""

    owner: str
    """A text that no other process has."""
    limit: int | None
    """How many segments it takes at most; None: as many as there are."""
    last_error: str | None
    """What it last failed with; None since it has gone on."""


class Arrangement(NamedTuple):
    """Who works on what of a build, by the store's clock."""

    record: BuildRecord
    segments: tuple[Segment, ...]
    """By ``low``; together they are all hashes, each once."""
    owners: Mapping[int, str]
    """Who has claimed a segment, by its ``low``; those whose lease has run out are left out."""
    workers: tuple[Worker, ...]
    """All that are alive, by ``owner``."""


class Plan(NamedTuple):
    """What is to be changed in an arrangement; each is a ``low``."""

    take: frozenset[int] = frozenset()
    """Claim these, and raise their epochs."""
    give: frozenset[int] = frozenset()
    """Take the claims off these."""
    split: frozenset[int] = frozenset()
    """Halve these: both halves keep position and owner, and have a raised epoch."""
    merge: frozenset[int] = frozenset()
    """Join each of these with the next segment, which is at the same progress and has the same
    owner: the joined one keeps both, and has an epoch above those of the two."""


class Move(NamedTuple):
    """Segments, as the worker knows them, and how far they are to be moved."""

    segments: tuple[Segment, ...]
    """By ``low``; all are at one progress."""
    to: Progress
    """May be where they are already."""


class FencedError(Exception):
    """A batch was refused: one of its segments is at another position, or of another epoch.

    Nothing was written. Whoever meets this asks anew what it owns.
    """


class BatchRefusedError(Exception):
    """What a batch's block did cannot be committed; nothing of the batch was stored.

    The transaction is over, or was not committed for what is in it: a handler has ended it, or has
    swallowed the error of a statement, or its rows break a rule that is checked in the end. The
    store is well, and the same would be refused again.
    """


class Wish(Enum):
    """What somebody wants to be done with a parked key."""

    RETRY = "retry"
    """Try its events again, from the first."""
    SKIP = "skip"
    """Leave its first event out for good, and try the others."""


class ParkedKey(NamedTuple):
    """A key whose first event failed: it and the later ones of the key wait."""

    key: str
    hash: int
    positions: tuple[int, ...]
    """Those of its events that wait, in order; at most the first 1,000."""
    waiting: int
    """How many wait."""
    attempts: int
    """How often the first of them has failed."""
    error: str
    """What it failed with."""
    is_due: bool
    """Whether it is to be tried again now, by the store's clock."""
    wish: Wish | None
    """What somebody has asked for."""
    is_given_up: bool
    """Whether it is not tried again until somebody asks for it."""
