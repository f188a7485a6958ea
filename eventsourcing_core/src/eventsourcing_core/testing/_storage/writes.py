"""What a storage makes of the appends that the front gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._append import Written
from eventsourcing_core.stores._rows import EncodedEvent, Row
from eventsourcing_core.testing._contract import Chapter
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
    from eventsourcing_core.stores._storage import Parts

_STREAMS = 1_100
"""More than some databases take as the parameters of one statement."""
ODD_BYTES = EncodedEvent("odd", bytes(range(256)), b"\xff\0{", "x+y", b"\0\xff" * 8, -(2**55))
"""Bytes and names that no serializer of this project makes: a storage does not look into them."""


NO_BYTES = EncodedEvent("none", b"", b"", "x", b"\0\xfe" * 8, 0)
"""No bytes at all, which is another thing than metadata that are missing."""


class StorageWriteContract(Chapter):
    """Batches of appends, and a verdict for each."""

    async def test_each_append_of_a_batch_has_its_verdict(self, parts: Parts) -> None:
        storage = storage_of(parts)
        verdicts = await storage.write(
            [
                append_to("a", encoded(1), encoded(2), expected=0),
                append_to("a", encoded(3), expected=0),
                append_to("b", encoded(4), expected=0),
            ]
        )
        assert [type(verdict) for verdict in verdicts] == [Written, ConcurrencyError, Written]
        (*_, last_of_a), (last_of_b,) = await rows_of(storage, "a"), await rows_of(storage, "b")
        assert _results(verdicts) == [(2, last_of_a.position), (1, last_of_b.position)]
        assert [written.count for written in _written(verdicts)] == [2, 1]

    async def test_appends_of_a_batch_are_judged_by_what_the_earlier_ones_leave(
        self, parts: Parts
    ) -> None:
        storage = storage_of(parts)
        expected: list[int | ExpectedVersion] = [0, 1, 1, ExpectedVersion.ANY, 3, 9]
        batch = [append_to("a", encoded(n), expected=version) for n, version in enumerate(expected)]
        verdicts = await storage.write(batch)
        conflicts = [verdict for verdict in verdicts if isinstance(verdict, ConcurrencyError)]
        assert [version for version, _ in _results(verdicts)] == [1, 2, 3, 4]
        assert [(error.expected, error.actual) for error in conflicts] == [(1, 2), (9, 4)]

    @pytest.mark.parametrize("is_in_one_batch", [True, False])
    async def test_a_repetition_is_told_by_its_count(
        self, parts: Parts, *, is_in_one_batch: bool
    ) -> None:
        storage = storage_of(parts)
        append = append_to("a", encoded(1), encoded(2), expected=0)
        if is_in_one_batch:
            verdicts = await storage.write([append, append])
        else:
            verdicts = [*await storage.write([append]), *await storage.write([append])]
        assert [written.count for written in _written(verdicts)] == [2, 0]
        first, second = _results(verdicts)
        assert first == second

    async def test_rows_are_what_was_written(self, parts: Parts) -> None:
        storage = storage_of(parts)
        events = (encoded(1), ODD_BYTES, encoded(3)._replace(metadata=b"{}"), NO_BYTES)
        (verdict,) = await storage.write([append_to("a", *events, expected=0)])
        rows = await rows_of(storage, "a")
        ((version, position),) = _results([verdict])
        assert (rows[-1].version, rows[-1].position) == (version, position)
        assert [tuple(row) for row in rows] == [
            ("a", number, row.position, *event)
            for number, (row, event) in enumerate(zip(rows, events, strict=True), start=1)
        ]
        listed = [row for page in await pages_of(storage) for row in page.rows]
        assert [tuple(row) for row in listed] == [tuple(row) for row in rows]

    async def test_a_row_has_its_fields_by_position_and_by_name(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await storage.write([append_to("a", ODD_BYTES, expected=0)])
        for row in [*await rows_of(storage, "a"), *(await pages_of(storage))[0].rows]:
            by_name = [getattr(row, field, None) for field in Row._fields]
            assert by_name == [*row]
            assert [type(field) for field in row] == [
                *(str, int, int),
                *(str, bytes, bytes, str, bytes, int, type(None)),
            ]

    async def test_a_batch_of_many_streams_knows_the_version_of_each(self, parts: Parts) -> None:
        storage = storage_of(parts)
        for version in (0, 1):
            batch = [append_to(f"s-{n}", encoded(n), expected=version) for n in range(_STREAMS)]
            verdicts = await storage.write(batch)
            assert {written.results[0].version for written in _written(verdicts)} == {version + 1}
            assert len(_written(verdicts)) == _STREAMS
            repeated = await storage.write(batch)
            assert _results(repeated) == _results(verdicts)
        too_late = [append_to(f"s-{n}", encoded(n), expected=1) for n in range(_STREAMS)]
        verdicts = await storage.write(too_late)
        assert {type(verdict) for verdict in verdicts} == {ConcurrencyError}

    async def test_positions_of_a_batch_follow_its_order_in_each_stream(self, parts: Parts) -> None:
        storage = storage_of(parts)
        events = [encoded(number) for number in range(9)]
        batch = [append_to("bacabcacb"[n], event) for n, event in enumerate(events)]
        await storage.write(batch)
        listed = [row for page in await pages_of(storage) for row in page.rows]
        for stream_id in "abc":
            ids = [append.event_ids[0] for append in batch if append.keys == (stream_id,)]
            assert [row.event_id for row in listed if row.stream_id == stream_id] == ids
        positions = [row.position for row in listed]
        assert positions == sorted(set(positions))
        assert positions[0] >= 1


def _written(verdicts: Sequence[Verdict]) -> list[Written]:
    return [verdict for verdict in verdicts if isinstance(verdict, Written)]


def _results(verdicts: Sequence[Verdict]) -> list[tuple[int, int]]:
    """Give where those that were written left their streams; each has one."""
    assert all(len(written.results) == 1 for written in _written(verdicts))
    return [(w.results[0].version, w.results[0].position) for w in _written(verdicts)]
