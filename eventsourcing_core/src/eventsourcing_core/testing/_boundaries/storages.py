"""What a storage itself says of conditions, and of what matches."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from eventsourcing_core._errors import ConcurrencyError, HistoryChangedError
from eventsourcing_core.stores._append import Append
from eventsourcing_core.stores._boundaries.conditions import (
    Condition,
    MissedError,
    Required,
    Witness,
)
from eventsourcing_core.stores._rows import QueryItem
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import COUNTED
from eventsourcing_core.testing._storage.samples import (
    append_to,
    encoded,
    pages_of,
    rows_of,
    storage_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores._append import Verdict
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Parts, Storage


def conditional(
    number: int,
    *tags: str,
    condition: Condition | None,
    stream_id: str = "s",
) -> Append:
    """Give an append of one event as a storage gets it."""
    event = encoded(number)._replace(tags=tags or None)
    return append_to(stream_id, event)._replace(condition=condition)


async def marked(storage: Storage, *items: QueryItem) -> Condition:
    """Give the condition of somebody who has just read."""
    horizon, rows, witness = await storage.matching(items)
    seen = frozenset(row.position for row in rows if row.position > horizon)
    if rows and (witness is None or rows[-1].position > witness.position):
        witness = Witness(rows[-1].position, rows[-1].event_id)
    return Condition(items, horizon, seen, witness)


def check_judged(append: Append, verdict: Verdict, rows: Sequence[Row]) -> None:
    """See that what became of a conditional append of one event is right, by what there is now."""
    condition = append.condition
    if condition is None:
        assert not isinstance(verdict, Exception), verdict
        return
    if isinstance(verdict, MissedError):
        assert verdict.rows
        known = {row.position: row.event_id for row in rows if condition.is_missed(row)}
        assert {row.position: row.event_id for row in verdict.rows}.items() <= known.items()
        return
    assert not isinstance(verdict, Exception), verdict
    before = [row for row in rows if row.position < verdict.results[0].position]
    assert [row.position for row in before if condition.is_missed(row)] == []


class StorageConditionContract(Chapter, needs=(Guarantee.BOUNDARIES,)):
    """What a storage says of conditions, and of what matches."""

    async def test_all_that_matches_is_given_in_order(self, parts: Parts) -> None:
        storage = storage_of(parts)
        for number in range(3):
            await storage.write([conditional(number, "a", condition=None, stream_id="t")])
            await storage.write([conditional(number, "b", condition=None)])
        matched = await storage.matching([QueryItem(frozenset({"a"}))])
        assert [row.version for row in matched.rows] == [1, 2, 3]
        assert {row.stream_id for row in matched.rows} == {"t"}
        assert sorted(row.position for row in matched.rows) == [r.position for r in matched.rows]

    async def test_the_horizon_is_not_above_what_is_decided(self, parts: Parts) -> None:
        storage = storage_of(parts)
        assert (await storage.matching([QueryItem(frozenset({"a"}))]))[1:] == ([], None)
        await storage.write([conditional(1, "a", condition=None)])
        (page, *_) = await pages_of(storage)
        matched = await storage.matching([QueryItem(frozenset({"a"}))])
        assert 0 <= matched.horizon <= page.seen_to

    async def test_the_witness_is_the_last_event_up_to_the_horizon(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await storage.write([conditional(number, condition=None) for number in range(3)])
        rows = await rows_of(storage, "s")
        horizon, found, witness = await storage.matching([QueryItem(frozenset({"a"}))])
        assert [*found] == []
        below = [row for row in rows if row.position <= horizon]
        expected = Witness(below[-1].position, below[-1].event_id) if below else None
        assert witness == expected

    async def test_nothing_matches_no_item(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await storage.write([conditional(1, "a", condition=None)])
        nobody = QueryItem(frozenset({"a"}), frozenset())
        assert [*(await storage.matching([])).rows] == []
        assert [*(await storage.matching([nobody])).rows] == []
        condition = Condition((nobody,), 0, frozenset(), None)
        verdicts = await storage.write(
            [
                conditional(2, condition=condition),
                conditional(3, condition=condition._replace(items=())),
            ]
        )
        assert not [each for each in verdicts if isinstance(each, Exception)]

    @pytest.mark.parametrize("name", ["tag", "type", "everything"])
    async def test_each_of_a_batch_is_judged_by_what_is_written_before_it(
        self, parts: Parts, name: str
    ) -> None:
        storage = storage_of(parts)
        item = {
            "tag": QueryItem(frozenset({"a"})),
            "type": QueryItem(event_types=frozenset({COUNTED})),
            "everything": QueryItem(),
        }[name]
        condition = await marked(storage, item)
        batch = [
            conditional(1, "b", condition=None, stream_id="e"),
            conditional(2, "a", condition=condition, stream_id="d"),
            conditional(3, "a", condition=condition, stream_id="c"),
            conditional(4, "a", condition=None, stream_id="b"),
            conditional(5, "a", condition=condition, stream_id="a"),
        ]
        verdicts = await storage.write(batch)
        rows = [row for page in await pages_of(storage) for row in page.rows]
        for append, verdict in zip(batch, verdicts, strict=True):
            check_judged(append, verdict, rows)
        refused = [isinstance(verdict, MissedError) for verdict in verdicts]
        assert refused.count(True) >= 2
        assert not any(refused[::3])

    @pytest.mark.parametrize("version", [0, 7])
    async def test_a_group_behind_a_refused_one_that_requires_the_same_is_whole_or_nothing(
        self, parts: Parts, version: int
    ) -> None:
        storage = storage_of(parts)
        condition = await marked(storage, QueryItem(frozenset({"a"})))
        requires = (Required("r", version),)
        first = conditional(1, "a", condition=None, stream_id="f")
        refused = conditional(2, condition=condition, stream_id="m")._replace(requires=requires)
        writes = tuple(append_to(each, encoded(3)).writes[0] for each in ("e", "z"))
        group = Append(writes, 0, requires=requires)  # its streams are around the required one
        one, two, last = await storage.write([first, refused, group])
        assert not isinstance(one, Exception), one
        assert isinstance(two, MissedError | ConcurrencyError)
        rows = [row for page in await pages_of(storage) for row in page.rows]
        if version == 0:
            assert not isinstance(last, Exception), last
            assert [row.stream_id for row in rows] == ["f", "e", "z"]
        else:
            assert isinstance(last, ConcurrencyError)
            assert [row.stream_id for row in rows] == ["f"]

    async def test_what_was_seen_above_the_horizon_does_not_refuse(self, parts: Parts) -> None:
        storage = storage_of(parts)
        item = QueryItem(frozenset({"a"}))
        await storage.write([conditional(number, "a", condition=None) for number in range(3)])
        rows = await rows_of(storage, "s")
        seen = frozenset(row.position for row in rows)
        (missed,) = await storage.write(
            [conditional(4, condition=Condition((item,), 0, seen - {rows[1].position}, None))]
        )
        assert isinstance(missed, MissedError)
        assert [row.version for row in missed.rows] == [2]
        (verdict,) = await storage.write(
            [conditional(4, condition=Condition((item,), 0, seen, None))]
        )
        assert not isinstance(verdict, Exception)

    async def test_a_horizon_that_was_never_given_is_refused(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await storage.write([conditional(1, "a", condition=None)])
        condition = Condition((QueryItem(frozenset({"a"})),), 10**9, frozenset(), None)
        (verdict,) = await storage.write([conditional(2, condition=condition)])
        assert isinstance(verdict, HistoryChangedError)
        assert len(await rows_of(storage, "s")) == 1

    async def test_a_witness_that_is_not_there_is_refused(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await storage.write([conditional(1, "b", condition=None)])
        condition = await marked(storage, QueryItem(frozenset({"a"})))
        (row,) = await rows_of(storage, "s")
        for witness in (Witness(row.position, uuid4().bytes), Witness(10**9, row.event_id)):
            bad = condition._replace(witness=witness)
            (verdict,) = await storage.write([conditional(2, condition=bad)])
            assert isinstance(verdict, HistoryChangedError)
        good = condition._replace(witness=Witness(row.position, row.event_id))
        (verdict,) = await storage.write([conditional(2, condition=good)])
        assert not isinstance(verdict, Exception)
        assert len(await rows_of(storage, "s")) == 2
