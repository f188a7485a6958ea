"""Registering a build: it is made once, however many processes do it at the same moment."""

from __future__ import annotations

from functools import partial
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import new_record, new_segments, registered
from eventsourcing_sqlite._connection import in_thread
from eventsourcing_sqlite._projections import registry
from eventsourcing_sqlite._projections.making import file_name, make_file
from eventsourcing_sqlite._projections.registry import Entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core.stores import BuildRecord, BuildSpec, Progress
    from eventsourcing_sqlite._projections.builds import Builds


async def register(
    builds: Builds,
    spec: BuildSpec,
    *,
    segments: int,
    start: Progress,
    create: Callable[[Any], Awaitable[None]] | None,
) -> BuildRecord:
    """See ``ProjectionStore.register``.

    Whoever makes a build holds the lock of the store's file meanwhile. The build's file is complete
    before its row is committed: after a crash in between it is there without a row, unused, and the
    next registration makes it anew.
    """
    entries = await builds.registry.entries(spec.build.name)
    found = registered(spec, [entry.record for entry in entries])
    if found is not None:
        if found.spec.event_types == () != spec.event_types:
            await builds.database.write(partial(registry.tell_event_types, spec=spec))
        return found
    async with builds.database.transaction() as connection:
        entries = await builds.entries_inside(connection, spec.build.name)
        records = [entry.record for entry in entries]
        found = registered(spec, records)
        if found is not None:
            return found

        entry = Entry(
            new_record(spec, records, segments),
            file_name(builds.files.store, spec.build),
            token_bytes(16),
            {},
            (),
        )
        path = builds.files.path_of(entry)
        await make_file(path, spec, entry.file_id, new_segments(segments, start), create)
        await in_thread(connection, partial(registry.insert, entry=entry))
    return entry.record
