"""What the store's file knows of builds: which there are, and who works on them."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from eventsourcing_core.stores import (
    Arrangement,
    Build,
    BuildRecord,
    BuildSpec,
    BuildState,
    ProjectionKind,
    Segment,
    Worker,
    not_registered,
)
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from eventsourcing_sqlite._access import Access

ENTRIES = statement("projections/entries")
_INSERT = statement("projections/insert_build")
_FORGET_EXPIRED = statement("projections/forget_expired")
_FORGET_DEAD_CLAIMS = statement("projections/forget_dead_claims")
_RENEW = statement("projections/renew")

_CLAIM = (
    "INSERT OR REPLACE INTO projection_claims (name, version, low, owner) "
    "VALUES (:name, :version, :low, :owner)"
)
_OF_BUILD = "WHERE name = :name AND version = :version"


class Entry(NamedTuple):
    """What is known of a build."""

    record: BuildRecord
    file: str
    """The name of its file, which is in the folder of the store's."""
    file_id: bytes
    """The same as in its file."""
    owners: Mapping[int, str]
    """Who has claimed a segment, by its ``low``."""
    workers: tuple[Worker, ...]
    """All that are alive, by ``owner``."""

    @property
    def build(self) -> Build:
        """Which build."""
        return self.record.spec.build

    def arrangement(self, segments: Sequence[Segment]) -> Arrangement:
        """Give the arrangement with these segments."""
        lows = {segment.low for segment in segments}
        owners = {low: owner for low, owner in self.owners.items() if low in lows}
        return Arrangement(self.record, tuple(segments), owners, self.workers)


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Give what a row says."""
    name, version, kind, class_name, indexes, state, *rest = row
    is_paused, is_switching, wanted_segments, inline_from, types, *rest = rest
    file, file_id, claims, workers = rest
    fields = tuple(cast("list[str]", json.loads(indexes)))
    record = BuildRecord(
        BuildSpec(Build(name, version), ProjectionKind(kind), class_name, fields, _types_of(types)),
        BuildState(state),
        bool(is_paused),
        bool(is_switching),
        wanted_segments,
        inline_from,
    )
    return Entry(
        record,
        file,
        file_id,
        dict(sorted(json.loads(claims))),
        tuple(sorted([Worker(*each) for each in json.loads(workers)], key=attrgetter("owner"))),
    )


def _types_of(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(json.loads(text))


class Registry:
    """Reads what is known of builds.

    Args:
        database: The store's file, or a transaction in it.
    """

    def __init__(self, database: Access) -> None:
        self._database = database

    async def entries(self, name: str | None = None, version: int | None = None) -> list[Entry]:
        """Give all builds, or those of a name, or one."""
        rows = await self._database.fetch(ENTRIES, {"name": name, "version": version})
        return [entry_of(row) for row in rows]

    async def entry(self, build: Build) -> Entry:
        """Give a build.

        Raises:
            ProjectionError: It is not registered.
        """
        return only(await self.entries(*build), build)

    async def live(self, name: str) -> Entry:
        """Give the live build of a name.

        Raises:
            ProjectionError: There is none of that name.
        """
        entries = await self.entries(name)
        return next((each for each in entries if is_live(each)), None) or only([], name)


def is_live(entry: Entry) -> bool:
    """Tell whether readers see a build."""
    return entry.record.state is BuildState.LIVE


def only(entries: Sequence[Entry], build: Build | str) -> Entry:
    """Give the one that there is.

    Raises:
        ProjectionError: It is not registered.
    """
    if not entries:
        raise not_registered(build)
    return entries[0]


def insert(connection: sqlite3.Connection, entry: Entry) -> None:
    """Register a build; run in the thread."""
    spec, state, *_ = entry.record
    row = {
        **spec.build._asdict(),
        "kind": spec.kind.value,
        "class_name": spec.class_name,
        "indexes": json.dumps(spec.indexes),
        "state": state.value,
        "wanted_segments": entry.record.wanted_segments,
        "event_types": _text_of(spec.event_types),
        "file": entry.file,
        "file_id": entry.file_id,
    }
    connection.execute(_INSERT, row)


def tell_event_types(connection: sqlite3.Connection, spec: BuildSpec) -> None:
    """Note the events of a build that an earlier release has registered; run in the thread."""
    change(connection, spec.build, event_types=_text_of(spec.event_types))


def _text_of(event_types: tuple[str, ...] | None) -> str | None:
    return None if event_types is None else json.dumps(event_types)


def change(connection: sqlite3.Connection, build: Build, **columns: object) -> None:
    """Change what is known of a build; run in the thread.

    Args:
        connection: In a transaction.
        build: Which.
        columns: The columns, by their names.

    Raises:
        ProjectionError: It is not registered.
    """
    settings = ", ".join(f"{column} = :{column}" for column in columns)
    parameters = {**build._asdict(), **columns}
    sql = f"UPDATE projections SET {settings} {_OF_BUILD}"  # noqa: S608 - names of columns
    changed = connection.execute(sql, parameters)
    if not changed.rowcount:
        raise not_registered(build)


def forget(connection: sqlite3.Connection, build: Build) -> None:
    """Forget a build; run in the thread."""
    for table in ("projection_claims", "projection_workers", "projections"):
        connection.execute(f"DELETE FROM {table} {_OF_BUILD}", build._asdict())  # noqa: S608 - names of tables


def renew(
    connection: sqlite3.Connection,
    build: Build,
    worker: Worker,
    lease: float,
) -> Entry:
    """Let a worker live on, with all its claims; run in the thread.

    Who was dead comes back without claims.

    Raises:
        ProjectionError: The build is not registered.
    """
    connection.execute(_FORGET_EXPIRED, build._asdict())
    connection.execute(_FORGET_DEAD_CLAIMS, build._asdict())
    connection.execute(_RENEW, {**build._asdict(), **worker._asdict(), "lease": lease})
    rows = connection.execute(ENTRIES, build._asdict()).fetchall()
    return only([*map(entry_of, rows)], build)


def leave(connection: sqlite3.Connection, build: Build, owner: str) -> None:
    """Forget a worker and its claims; run in the thread."""
    worker = {**build._asdict(), "owner": owner}
    for table in ("projection_claims", "projection_workers"):
        connection.execute(f"DELETE FROM {table} {_OF_BUILD} AND owner = :owner", worker)  # noqa: S608 - names of tables


def set_owners(connection: sqlite3.Connection, build: Build, owners: Mapping[int, str]) -> None:
    """Let these have claimed segments, and nobody else any; run in the thread."""
    connection.execute(f"DELETE FROM projection_claims {_OF_BUILD}", build._asdict())  # noqa: S608 - our own text
    rows = [{**build._asdict(), "low": low, "owner": owner} for low, owner in owners.items()]
    connection.executemany(_CLAIM, rows)
