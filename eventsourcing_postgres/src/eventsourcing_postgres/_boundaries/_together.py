"""Writing groups, and appends with tags or conditions: many of them by one statement.

The function ``append_v3`` takes the locks, checks the conditions, and leaves out what does not fit,
so that no round trip has to look first. What was left out is judged by the rule of the core. A
condition may also be broken by what an earlier append of the batch writes. Which those are is known
here, and told to the server: it leaves out the later one if the earlier one is written. If that is
left out after all, since its stream has moved, the later one gets another round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from eventsourcing_core import EventSourcingError
from eventsourcing_core.stores import AppendResult, Found, MissedError, Row, Written
from eventsourcing_postgres._arguments import numbers_text
from eventsourcing_postgres._boundaries._arguments import (
    horizon_of,
    item_texts,
    placed_arguments,
    seen_text,
    together_arguments,
)
from eventsourcing_postgres._errors import held, moved
from eventsourcing_postgres._standing import look_up
from eventsourcing_postgres._statements import LARGEST_INTEGER, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Condition, Placed, Verdict
    from eventsourcing_postgres._pool import Connection
    from eventsourcing_postgres._standbys import Standbys
    from eventsourcing_postgres._standing import Standing
    from eventsourcing_postgres._terms import Terms

_MOST_MISSED = 101  # one more than a refusal gives


class _Left(NamedTuple):
    """An append that was left out."""

    number: int
    append: Append
    outcome: str
    versions: dict[str, int]
    """The versions of its streams, if one did not fit."""


class _Asked(NamedTuple):
    """What the store holds about a condition."""

    horizon: int
    """Everything at or below it is among the rows."""
    found: Found


async def write_together(
    connection: Connection,
    appends: Sequence[Append],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> list[Verdict]:
    """Write a run of appends, and judge those that were left out.

    Args:
        connection: Where to.
        appends: What ``runs_of`` lets go together; no import.
        schema: The schema of the store.
        standbys: Told whether commits wait for one.
        terms: See ``Terms``.
    """
    verdicts: dict[int, Verdict] = {}
    again = list(range(len(appends)))
    while again:
        left: list[_Left] = []
        batch = [appends[number] for number in again]
        arguments = together_arguments(batch)
        rows = iter(await _call(connection, arguments, schema, standbys, terms))
        for number, append in zip(again, batch, strict=True):
            outcome, found = _outcome(append, [next(rows) for _ in append.keys])
            if isinstance(found, Written):
                verdicts[number] = found
            elif outcome == "held":
                verdicts[number] = held("append")
            else:
                left.append(_Left(number, append, outcome, found))
        judged = await _judge(connection, left, schema, standbys) if left else {}
        again = [number for number, verdict in judged.items() if verdict is None]
        verdicts |= {number: verdict for number, verdict in judged.items() if verdict is not None}
    return [verdicts[number] for number in range(len(appends))]


async def write_placed(  # noqa: PLR0913 - as above, and what was decided
    connection: Connection,
    append: Append,
    placed: Sequence[Placed],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> bool:
    """Write what was decided of an import; tell whether it was, or a stream has moved."""
    arguments = placed_arguments(append, placed)
    rows = await _call(connection, arguments, schema, standbys, terms)
    return all(row[0] == "written" for row in rows)


async def _call(
    connection: Connection,
    arguments: Sequence[Any],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> list[Any]:
    rows = await connection.fetch(
        statement("append_together", schema),
        *arguments,
        terms.limit,
        terms.skips_held,
        terms.applies,
    )
    standbys.are_awaited = rows[0][3]
    return rows


def _outcome(append: Append, rows: Sequence[Any]) -> tuple[str, Written | dict[str, int]]:
    """Give what became of an append; if it was not written, the versions that were found."""
    outcome = cast("str", rows[0][0])
    if outcome == "written":
        results = tuple([AppendResult(row[1], row[2]) for row in rows[: len(append.writes)]])
        return outcome, Written(results, sum(len(write.events) for write in append.writes))
    return outcome, {
        key: row[1] for key, row in zip(append.keys, rows, strict=True) if row[1] is not None
    }


async def _judge(
    connection: Connection, left: Sequence[_Left], schema: str, standbys: Standbys
) -> dict[int, Verdict | None]:
    """Judge what was left out; None: nothing is against it any more, so it is to be written."""
    standing = await look_up(connection, [each.append for each in left], schema, standbys)
    missed = [each for each in left if each.outcome != "misfit"]
    asked: dict[int, _Asked] = {}
    if missed:
        conditions = [each.append.condition for each in missed]
        answers = await _ask(connection, [each for each in conditions if each], schema)
        numbers = [each.number for each in missed if each.append.condition]
        asked = dict(zip(numbers, answers, strict=True))
    return {each.number: _judged(each, standing, asked.get(each.number)) for each in left}


def _judged(left: _Left, standing: Standing, asked: _Asked | None) -> Verdict | None:
    append, condition = left.append, left.append.condition
    found = asked.found if asked else None
    if left.outcome == "misfit" and condition is not None:  # which held, for all that was seen
        witness = condition.witness
        found = Found((), LARGEST_INTEGER, None if witness is None else witness.event_id)
    try:
        settled = append.settle(standing.versions | left.versions, standing.places, found)
    except MissedError as error:
        return _refusal(error, condition, asked)
    except EventSourcingError as error:
        return error
    if isinstance(settled, Written):
        return settled
    # Behind one that was not written it may be written now; else its stream has moved.
    return None if left.outcome == "blocked" else moved("append")


def _refusal(error: MissedError, condition: Condition | None, asked: _Asked | None) -> MissedError:
    """Give a refusal with a horizon that was asked for: others may write below the last."""
    known = asked.horizon if asked else 0
    if condition is not None:
        known = max(known, condition.horizon)
    horizon = min(error.horizon, known)
    return MissedError(error.rows, horizon, are_more=error.are_more)


async def _ask(
    connection: Connection, conditions: Sequence[Condition], schema: str
) -> list[_Asked]:
    """Ask the store about conditions, by one statement."""
    owners: list[int] = []
    tags: list[str | None] = []
    types: list[str | None] = []
    for number, condition in enumerate(conditions, 1):
        more_tags, more_types = item_texts(condition.items)
        owners += [number] * len(more_tags)
        tags += more_tags
        types += more_types
    witnesses = [condition.witness for condition in conditions]
    found = await connection.fetch(
        statement("find_missed", schema),
        numbers_text(horizon_of(condition) for condition in conditions),
        [seen_text(condition) for condition in conditions],
        "{" + ",".join("null" if one is None else str(one.position) for one in witnesses) + "}",
        numbers_text(owners),
        tags,
        types,
        _MOST_MISSED,
    )

    asked: list[_Asked] = []
    rows: list[Row] = []
    for number, *fields in found:
        if number > len(asked):
            _, last, horizon, *_, witness, _, _ = fields
            rows = []
            asked.append(_Asked(horizon, Found(rows, last, witness)))
        else:
            rows.append(Row._make([*fields[:9], tuple(fields[9]) if fields[9] else None]))
    return asked
