"""Writing single appends by one statement on a connection, and judging what it left out.

The functions ``append`` and ``append_one`` of the server leave out what does not fit, so that no
round trip has to look first. Nearly always all fits. What was left out is judged by the rule of the
core: it is a repetition, or a conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import EventSourcingError
from eventsourcing_core.stores import AppendResult, Place, Written
from eventsourcing_postgres._arguments import batch_arguments, one_event, uuids
from eventsourcing_postgres._errors import held, moved
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eventsourcing_core.stores import Append, Verdict
    from eventsourcing_postgres._database import Connection


def is_single(append: Append) -> bool:
    """Tell whether an append is one write that brings no versions of its own: nearly all are."""
    return len(append[0]) == 1 and append[2] is None


async def write_batch(
    connection: Connection,
    appends: Sequence[Append],
    schema: str,
    patience: str | None,
    *,
    skips_held: bool = False,
) -> list[Verdict]:
    """Write single appends by one statement, and judge those that it left out.

    Args:
        connection: Where to.
        appends: Single appends.
        schema: The schema of the store.
        patience: For how long to wait for a stream that is held; None in a caller's transaction.
        skips_held: Whether to leave out what goes to such a stream.
    """
    writes = [append[0][0] for append in appends]
    if len(writes) == 1 and len(writes[0][1]) == 1:
        sql = statement("append_one", schema)
        version, position = await connection.fetchval(sql, *one_event(writes[0]), patience)
        if position is not None:
            return [Written((AppendResult(version, position),), 1)]
        return await _judge(connection, [(appends[0], version)], schema)

    order = sorted(range(len(writes)), key=lambda index: writes[index].stream_id)
    arrays = batch_arguments([writes[index] for index in order])
    sql = statement("append", schema)
    rows = await connection.fetch(sql, *arrays, patience, skips_held)
    outcomes = [row for _, row in sorted(zip(order, rows, strict=True))]

    misfits = [
        (append, version)
        for append, (version, position) in zip(appends, outcomes, strict=True)
        if position is None
    ]
    judged = iter(await _judge(connection, misfits, schema) if misfits else ())
    return [
        next(judged)
        if position is None
        else Written((AppendResult(version, position),), len(write[1]))
        for write, (version, position) in zip(writes, outcomes, strict=True)
    ]


async def _judge(
    connection: Connection, misfits: Sequence[tuple[Append, int | None]], schema: str
) -> list[Verdict]:
    """Judge what was not written: each is a repetition, or a conflict, or waits for another."""
    rows = await connection.fetch(
        statement("find_events", schema),
        uuids(event_id for append, _ in misfits for event_id in append.event_ids),
    )
    places = {row[0]: Place(row[1], row[2], row[3]) for row in rows}
    return [_judged(append, version, places) for append, version in misfits]


def _judged(append: Append, version: int | None, places: Mapping[bytes, Place]) -> Verdict:
    if version is None:
        return held("append")
    try:
        settled = append.settle({append.writes[0].stream_id: version}, places)
    except EventSourcingError as error:
        return error
    return settled if isinstance(settled, Written) else moved("append")
