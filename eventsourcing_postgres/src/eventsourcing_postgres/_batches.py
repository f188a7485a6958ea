"""Writing single appends by one statement on a connection, and judging what it left out.

The functions ``append`` and ``append_one`` of the server leave out what does not fit, so that no
round trip has to look first. Nearly always all fits. What was left out is judged by the rule of the
core: it is a repetition, or a conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core import EventSourcingError, ExpectedVersion
from eventsourcing_core.stores import AppendResult, Place, StreamHeldError, Written
from eventsourcing_postgres._arguments import batch_arguments, one_event, uuids
from eventsourcing_postgres._boundaries._runs import is_plain
from eventsourcing_postgres._boundaries._together import write_together
from eventsourcing_postgres._errors import held, moved
from eventsourcing_postgres._standing import look_up
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from eventsourcing_core.stores import Append, Verdict
    from eventsourcing_postgres._pool import Connection
    from eventsourcing_postgres._standbys import Standbys
    from eventsourcing_postgres._standing import Standing
    from eventsourcing_postgres._terms import Terms


_new: Any = vars(tuple)["__new__"]  # half of the time of a NamedTuple's own
_OPEN = frozenset({ExpectedVersion.ANY, ExpectedVersion.STREAM_EXISTS})


def is_open(append: Append) -> bool:
    """Tell whether an append fits at many versions, so that its repetition would fit, too."""
    return all(
        not isinstance(write.expected_version, int) and write.expected_version in _OPEN
        for write in append.writes
    )


async def write_batch(
    connection: Connection,
    appends: Sequence[Append],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> list[Verdict]:
    """Write single appends by one statement, and judge those that it left out.

    Args:
        connection: Where to.
        appends: Single appends.
        schema: The schema of the store.
        standbys: Told whether commits wait for one.
        terms: See ``Terms``.
    """
    writes = [append[0][0] for append in appends]
    is_one = len(writes) == 1 and len(writes[0][1]) == 1
    if is_one and not terms.skips_held and terms.early is None:
        said = () if terms.applies is None else (terms.applies,)
        sql = statement("append_one_inline" if said else "append_one", schema)
        row: Any = await connection.fetchrow(sql, *one_event(writes[0]), terms.limit, *said)
        (version, position), standbys.are_awaited = row
        if position is not None:
            result = _new(AppendResult, (version, position))
            return [_new(Written, ((result,), 1))]
        return await _judge(connection, [(appends[0], version)], schema)

    order = sorted(range(len(writes)), key=lambda index: writes[index].stream_id)
    arrays = batch_arguments([writes[index] for index in order])
    rows = await call_append(connection, arrays, schema, terms)
    standbys.are_awaited = rows[0][2]
    outcomes = [row for _, row in sorted(zip(order, rows, strict=True))]

    misfits = [
        (append, version)
        for append, (version, position, _) in zip(appends, outcomes, strict=True)
        if position is None
    ]
    judged = iter(await _judge(connection, misfits, schema) if misfits else ())
    return [
        next(judged)
        if position is None
        else Written((AppendResult(version, position),), len(write[1]))
        for write, (version, position, _) in zip(writes, outcomes, strict=True)
    ]


async def call_append(
    connection: Connection, arrays: Sequence[Any], schema: str, terms: Terms
) -> list[Any]:
    """Call the function ``append``; give its rows.

    Args:
        connection: Where.
        arrays: Its first eleven arguments.
        schema: The schema of the store.
        terms: The others.
    """
    if terms.early is not None:
        return await terms.early.append(*arrays, *terms[:3])
    if terms.applies is None:
        return await connection.fetch(statement("append", schema), *arrays, *terms[:2])
    return await connection.fetch(statement("append_inline", schema), *arrays, *terms[:3])


def write_run(
    connection: Connection,
    appends: Sequence[Append],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> Awaitable[list[Verdict]]:
    """Write appends that go together: plain ones by the function for these, or all by the other."""
    write = write_batch if all(map(is_plain, appends)) else write_together
    return write(connection, appends, schema, standbys, terms)


async def write_known(
    connection: Connection,
    appends: Sequence[Append],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> list[Verdict]:
    """Write appends of which some may be stored already, or may come twice in the batch.

    The id of one such append would end the statement for all. So the store is asked first: what is
    there is judged, and one statement writes the rest. What must wait for an append of this batch
    gets another round.
    """
    verdicts: dict[int, Verdict] = {}
    left = list(range(len(appends)))
    while left:
        standing = await look_up(connection, [appends[number] for number in left], schema, standbys)
        judged, fresh, left = _sorted_out([(number, appends[number]) for number in left], standing)
        for number in judged:
            settled = standing.settle(appends[number])
            verdicts[number] = moved("append") if isinstance(settled, list) else settled
        if fresh:
            batch = [appends[number] for number in fresh]
            written = await write_run(connection, batch, schema, standbys, terms)
            verdicts |= zip(fresh, written, strict=True)
            # Nothing may overtake what is held, even if it is free by now.
            held = {
                key: verdict
                for append, verdict in zip(batch, written, strict=True)
                if isinstance(verdict, StreamHeldError)
                for key in append.keys
            }
            behind = {
                number: next((held[key] for key in appends[number].keys if key in held), None)
                for number in left
            }
            verdicts |= {number: error for number, error in behind.items() if error is not None}
            left = [number for number, error in behind.items() if error is None]
    return [verdicts[number] for number in range(len(appends))]


def _sorted_out(
    numbered: Sequence[tuple[int, Append]], standing: Standing
) -> tuple[list[int], list[int], list[int]]:
    """Sort appends: those to be judged now, those to be written now, and those that wait.

    Appends of one stream keep their order, and none is written beside another of the same id.
    """
    judged: list[int] = []
    fresh: list[int] = []
    later: list[int] = []
    ids: set[bytes] = set()  # of what is fresh,
    begun: set[str] = set()  # and its streams
    waiting: set[str] = set()  # the streams of what is for later
    for number, append in numbered:
        keys, event_ids = append.keys, append.event_ids
        is_known = standing.knows(append) or len(set(event_ids)) < len(event_ids)
        if not waiting.isdisjoint(keys):
            later.append(number)
            waiting.update(keys)
        elif is_known and begun.isdisjoint(keys):
            judged.append(number)
        elif is_known or not ids.isdisjoint(event_ids):
            later.append(number)
            waiting.update(keys)
        else:
            fresh.append(number)
            begun.update(keys)
            ids.update(event_ids)
    return judged, fresh, later


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
