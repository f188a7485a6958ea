"""What goes into one transaction, of what is to be written."""

from __future__ import annotations

from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING

from eventsourcing_postgres._boundaries._locks import MOST_KEYS, is_alone, keys_of, most_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing_core.stores import Append


class Kind(Enum):
    """How an append is written."""

    TOGETHER = "with others, by the function append_v3"
    ALONE = "as the only one of the store"
    IMPORT = "in a transaction of its own"


def is_plain(append: Append) -> bool:
    """Tell whether an append is one write without tags, and nothing else has a say in it."""
    writes, _, imported, requires, condition = append
    if len(writes) != 1 or imported is not None or requires or condition is not None:
        return False
    events = writes[0][1]
    return events[0][6] is None if len(events) == 1 else all(event[6] is None for event in events)


def kind_of(append: Append) -> Kind:
    """Tell how an append is written where not all are plain."""
    if append.imported is not None:
        return Kind.IMPORT
    return Kind.ALONE if is_alone(append) else Kind.TOGETHER


def runs_of(appends: Sequence[Append]) -> Iterator[list[Append]]:
    """Cut appends into runs, each for a transaction of its own, without changing their order.

    Conditions that keep all others out go together, so that these wait once.
    """
    if _are_simple(appends):
        yield list(appends)
        return
    for kind, run in groupby(appends, kind_of):
        if kind is Kind.TOGETHER:
            yield from _bounded(run)
        elif kind is Kind.ALONE:
            yield from _bounded(run, are_keys_taken=False)
        else:
            yield from ([append] for append in run)


def _are_simple(appends: Sequence[Append]) -> bool:
    """Tell whether all go together: nearly always, and it is told sooner than how else."""
    keys = 0
    for append in appends:
        if len(append.writes) > 1 or append.requires or append.imported is not None:
            return False
        keys += most_keys(append)
        if keys > MOST_KEYS or (append.condition is not None and is_alone(append)):
            return False
    return True


def _bounded(appends: Iterator[Append], *, are_keys_taken: bool = True) -> Iterator[list[Append]]:
    """Cut appends where the server would have to lock too much, or a group would meet itself.

    What becomes of a group is not known before all its streams are taken. So nothing else in its
    run may go to one of them, except that several may require one.
    """
    run: list[Append] = []
    keys: set[int] = set()
    written: set[str] = set()
    bound: set[str] = set()  # the streams of groups
    required: set[str] = set()
    for append in appends:
        more = {key for key, _ in keys_of(append) if are_keys_taken}
        streams = {write.stream_id for write in append.writes}
        requires = {each.stream_id for each in append.requires}
        is_group = len(streams) > 1 or bool(requires)
        is_met = (
            not bound.isdisjoint(streams)
            or not required.isdisjoint(streams)
            or not written.isdisjoint(requires)
            or (is_group and not written.isdisjoint(streams))
        )
        if run and (is_met or len(keys | more) > MOST_KEYS):
            yield run
            run, keys, written, bound, required = [], set(), set(), set(), set()
        run.append(append)
        keys |= more
        written |= streams
        required |= requires
        if is_group:
            bound |= streams
    if run:
        yield run
