"""Several appends, each decided by what the earlier ones leave."""

from __future__ import annotations

import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, DuplicateEventError, ExpectedVersion
from eventsourcing_core.stores import (
    Append,
    EncodedEvent,
    Imported,
    Judge,
    Place,
    Row,
    Write,
    Written,
)

ANY, NO_STREAM, STREAM_EXISTS = ExpectedVersion


def event(number: int) -> EncodedEvent:
    return EncodedEvent("x", b"data", b"metadata", "json", id_of(number), number)


def id_of(number: int) -> bytes:
    return number.to_bytes(16)


def write(stream_id: str, expected: int | ExpectedVersion, *ids: int) -> Write:
    return Write(stream_id, tuple(map(event, ids)), expected)


def append(*writes: Write) -> Append:
    return Append(writes, 0)


def places(rows: list[Row]) -> list[str]:
    """Give what is to be written: ``a2@7=5`` is event 5 at version 2 of ``a``, position 7."""
    return [
        f"{row.stream_id}{row.version}@{row.position}={int.from_bytes(row.event_id)}"
        for row in rows
    ]


def test_what_is_to_be_written_comes_as_rows_with_the_next_positions() -> None:
    judge = Judge({"a": 3}, {}, 70)
    assert judge.judge(append(write("a", 3, 1, 2))) == Written((AppendResult(5, 72),), 2)
    assert judge.rows == [Row("a", 4, 71, *event(1)), Row("a", 5, 72, *event(2))]


def test_an_append_finds_its_stream_as_the_earlier_ones_left_it() -> None:
    judge = Judge({}, {}, 0)
    expectations: list[int | ExpectedVersion] = [NO_STREAM, 1, STREAM_EXISTS, ANY]
    verdicts = [
        judge.judge(append(write("a", expected, number)))
        for number, expected in enumerate(expectations, start=1)
    ]
    assert verdicts == [Written((AppendResult(n, n),), 1) for n in (1, 2, 3, 4)]
    conflict = judge.judge(append(write("a", 3, 5)))
    assert isinstance(conflict, ConcurrencyError)
    assert conflict.actual == 4


def test_one_that_is_refused_leaves_nothing_behind() -> None:
    judge = Judge({"b": 1}, {}, 0)
    assert isinstance(judge.judge(append(write("a", 0, 1), write("b", 0, 2))), ConcurrencyError)
    assert judge.rows == []
    assert judge.judge(append(write("a", 0, 1))) == Written((AppendResult(1, 1),), 1)
    assert isinstance(judge.judge(append(write("a", 1, 3, 3))), DuplicateEventError)
    assert judge.judge(append(write("a", 1, 3))) == Written((AppendResult(2, 2),), 1)
    assert places(judge.rows) == ["a1@1=1", "a2@2=3"]


def test_an_id_that_an_earlier_append_took_is_a_duplicate() -> None:
    judge = Judge({}, {}, 0)
    judge.judge(append(write("a", 0, 8, 1)))
    verdict = judge.judge(append(write("b", 0, 1)))
    assert isinstance(verdict, DuplicateEventError)
    assert (verdict.stream_id, verdict.version) == ("a", 2)


@pytest.mark.parametrize("expected", [0, NO_STREAM, ANY])
def test_one_that_repeats_an_earlier_one_gets_its_result(expected: int | ExpectedVersion) -> None:
    judge = Judge({}, {}, 40)
    one = append(write("a", expected, 1, 2), write("b", expected, 3))
    first, again = judge.judge(one), judge.judge(one)
    results = (AppendResult(2, 42), AppendResult(1, 43))
    assert (first, again) == (Written(results, 3), Written(results, 0))
    assert len(judge.rows) == 3


def test_one_that_repeats_what_is_stored_gets_the_stored_result() -> None:
    judge = Judge({"a": 9}, {id_of(1): Place("a", 4, 31)}, 40)
    assert judge.judge(append(write("a", 3, 1))) == Written((AppendResult(4, 31),), 0)
    assert judge.rows == []


def test_a_group_hears_where_it_left_each_of_its_streams() -> None:
    judge = Judge({"b": 5}, {}, 10)
    verdict = judge.judge(append(write("a", 0, 1, 2), write("b", 5, 3)))
    assert verdict == Written((AppendResult(2, 12), AppendResult(6, 13)), 3)
    assert places(judge.rows) == ["a1@11=1", "a2@12=2", "b6@13=3"]


def test_imports_and_other_appends_are_decided_in_their_order() -> None:
    judge = Judge({"a": 1}, {id_of(1): Place("a", 1, 1)}, 1)
    writes = (write("a", ANY, 1, 2), write("b", ANY, 3))
    order = (Imported(0, 0, 1), Imported(1, 0, 1), Imported(0, 1, 2))
    one = Append(writes, 0, order)
    assert judge.judge(append(write("c", 0, 9))) == Written((AppendResult(1, 2),), 1)
    assert judge.judge(one) == Written((), 2), "how many are new"
    assert judge.judge(one) == Written((), 0)
    assert judge.judge(append(write("a", 2, 4))) == Written((AppendResult(3, 5),), 1)
    assert places(judge.rows) == ["c1@2=9", "b1@3=3", "a2@4=2", "a3@5=4"]


def test_an_import_that_does_not_fit_what_came_before_is_refused() -> None:
    judge = Judge({}, {}, 0)
    judge.judge(append(write("a", 0, 1)))
    verdict = judge.judge(Append((write("a", ANY, 2),), 0, (Imported(0, 0, 1),)))
    assert isinstance(verdict, ConcurrencyError)
    assert (verdict.doing, verdict.expected, verdict.actual) == ("import", 0, 1)
    assert places(judge.rows) == ["a1@1=1"]


def test_what_a_store_knows_is_not_changed_by_a_judge() -> None:
    versions, known = {"a": 1}, {id_of(1): Place("a", 1, 1)}
    Judge(versions, known, 1).judge(append(write("a", 1, 2)))
    assert (versions, known) == ({"a": 1}, {id_of(1): Place("a", 1, 1)})
