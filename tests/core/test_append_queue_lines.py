"""Who goes next: lines and batches alone, without tasks."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eventsourcing_core._appending.lines import Batch, Lines
from tests.core._writers import group, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores import Append

ALL = 1000


class Customer:
    """Stands in lines; ``name_of`` names what is to be written."""

    def __init__(self, number: int, streams: Iterable[str], size: int = 1) -> None:
        self.number = number
        self.append: Append = group(*streams, number=number, size=size)
        self.keys = self.append.keys
        self.gone = False

    def is_gone(self) -> bool:
        return self.gone

    def __repr__(self) -> str:
        return name_of(self.append)


def lines_of(
    *streams: str, sizes: int = 1, **limits: int
) -> tuple[Lines[Customer], list[Customer]]:
    """Make lines of customers that came in this order, numbered from 1 on: ``ab`` is a group."""
    lines: Lines[Customer] = Lines(**{"max_appends": ALL, "max_bytes": ALL, **limits})
    customers = [Customer(number, one, sizes) for number, one in enumerate(streams, start=1)]
    for customer in customers:
        lines.join(customer)
    return lines, customers


def taken(lines: Lines[Customer], most: int = ALL) -> tuple[Batch[Customer], str]:
    batch = lines.take(lines.turns, most, ALL)
    return batch, " ".join(map(repr, batch.entries))


def all_taken(lines: Lines[Customer]) -> list[str]:
    """Take batches until nothing goes any more, one after the other."""
    batches: list[str] = []
    while lines.turns:
        batch, names = taken(lines)
        lines.let_go(batch.keys)
        batches += [names] if names else []
    return batches


@pytest.mark.parametrize(
    ("streams", "batches"),
    [
        (["ab"], ["a+b1"]),
        (["ab", "ab"], ["a+b1", "a+b2"]),
        (["a", "ab", "b"], ["a1", "a+b2", "b3"]),
        (["a", "b", "ab"], ["a1 b2", "a+b3"]),
        (["ab", "a", "b"], ["a+b1", "a2 b3"]),
        (["ab", "bc", "ca"], ["a+b1", "b+c2", "a+c3"]),
        (["ab", "cd"], ["a+b1 c+d2"]),
        (["a", "bc", "a"], ["a1 a3 b+c2"]),
        (["abc", "d", "abcd", "d"], ["a+b+c1 d2", "a+b+c+d3", "d4"]),
    ],
)
def test_a_group_goes_when_it_is_first_in_each_of_its_lines(
    streams: list[str], batches: list[str]
) -> None:
    lines, _ = lines_of(*streams)
    assert all_taken(lines) == batches
    assert not lines.by_key


def test_a_group_shares_a_batch_with_those_before_it_if_its_other_lines_are_there() -> None:
    lines, _ = lines_of("a", "ab", "a", "b")
    lines.turns.reverse()  # the line of b is looked at first
    assert all_taken(lines) == ["a1 a+b2", "b4 a3"]


def test_a_line_rests_while_a_group_at_its_head_waits_for_another_line() -> None:
    lines, _ = lines_of("a", "ab", "b", "c")
    a, names = taken(lines)
    assert names == "a1 c4"
    assert not lines.turns, "the line of b is nobody's turn"
    lines.let_go(a.keys)
    assert all_taken(lines) == ["a+b2", "b3"]


def test_a_batch_takes_all_lines_of_its_groups() -> None:
    lines, _ = lines_of("ab", "c")
    batch, _ = taken(lines)
    assert sorted(batch.keys) == ["a", "b", "c"]
    lines.join(Customer(9, "b"))
    assert not lines.turns
    lines.let_go(batch.keys)
    assert all_taken(lines) == ["b9"]


def test_a_group_that_does_not_fit_is_the_first_of_the_next_batch() -> None:
    lines, _ = lines_of("c", "ab", "d", sizes=6, max_bytes=10)
    assert all_taken(lines) == ["c1", "a+b2", "d3"]
    lines, _ = lines_of("c", "ab", "d", max_appends=1)
    assert all_taken(lines) == ["c1", "a+b2", "d3"]


def test_a_group_that_leaves_lets_go_the_lines_that_rest_at_it() -> None:
    lines, customers = lines_of("a", "ab", "b")
    a, _ = taken(lines)
    customers[1].gone = True
    lines.leave(customers[1])
    assert all_taken(lines) == ["b3"], "though the line of a is taken"
    lines.let_go(a.keys)
    assert all_taken(lines) == []
    assert not lines.by_key
    assert lines.count == 0


def test_a_group_that_is_dropped_in_one_line_lets_go_the_others() -> None:
    lines, customers = lines_of("a", "ab", "b")
    taken(lines)
    customers[1].gone = True
    assert lines.first("a") is customers[1]
    lines.drop_first("a")
    assert all_taken(lines) == ["b3"]


def test_a_group_that_is_put_back_is_first_again_in_all_its_lines() -> None:
    lines, customers = lines_of("ab", "a", "b")
    batch, _ = taken(lines)
    lines.put_back(batch.entries)
    assert [lines.first(key) for key in "ab"] == [customers[0]] * 2
    lines.let_go(batch.keys)
    assert all_taken(lines) == ["a+b1", "a2 b3"]


def test_those_who_wait_are_counted_once() -> None:
    lines, customers = lines_of("a", "ab", "abc", "c")
    assert lines.count == 4
    batch, _ = taken(lines)
    assert lines.count == 3
    lines.put_back(batch.entries)
    assert lines.count == 4
    customers[1].gone = True
    lines.let_go(batch.keys)
    assert all_taken(lines) == ["a1", "a+b+c3", "c4"]
    assert lines.count == 0


def test_lines_that_are_given_up_are_gone_with_their_groups() -> None:
    lines, _ = lines_of("a", "ab", "b", "bc", "c")
    a, _ = taken(lines)
    lines.let_go(a.keys)
    stranded = lines.strand(lines.turns)
    for customer in stranded:
        customer.gone = True
    assert {*map(repr, stranded)} == {"a+b2", "b3", "b+c4", "c5"}
    assert not lines.by_key
    assert lines.count == 0


class Queueing(RuleBasedStateMachine):
    """Lines against a model: a list of all that came, and what became of each."""

    def __init__(self) -> None:
        super().__init__()
        self.max_appends, self.max_bytes = 3, 5
        self.lines: Lines[Customer] = Lines(self.max_appends, self.max_bytes)
        self.apart: deque[str] = deque()
        self.under_way: list[Batch[Customer]] = []
        self.waiting: list[Customer] = []  # in the order they came
        self.written: list[Customer] = []
        self.came = 0

    @rule(streams=st.sets(st.sampled_from("abcde"), min_size=1, max_size=3), size=st.integers(0, 7))
    def join(self, streams: set[str], size: int) -> None:
        self.came += 1
        customer = Customer(self.came, streams, size)
        self.lines.join(customer)
        self.waiting.append(customer)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        customer = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(customer)
        customer.gone = True
        self.lines.leave(customer)

    @precondition(lambda self: self.lines.turns)
    @rule(most=st.integers(1, 6))
    def take(self, most: int) -> None:
        self.begin(self.lines.take(self.lines.turns, most, self.max_appends))

    @precondition(lambda self: self.apart)
    @rule()
    def take_again(self) -> None:
        batch = self.lines.take(self.apart, len(self.apart), 1)
        keys = [key for entry in batch.entries for key in entry.keys]
        assert len(keys) == len(set(keys)), "of each line that is apart only the first is tried"
        self.begin(batch)

    def begin(self, batch: Batch[Customer]) -> None:
        entries, keys = batch
        if not entries:
            assert not keys
            return
        assert len(entries) <= self.max_appends
        assert sum(one.append.size for one in entries) <= self.max_bytes or len(entries) == 1
        assert sorted(keys) == sorted({key for entry in entries for key in entry.keys})
        for other in self.under_way:
            assert not {*keys} & {*other.keys}, "no line is in two batches"
        for entry in entries:
            assert entry in self.waiting, "nothing goes that is gone, or went before"
            for older in self.waiting[: self.waiting.index(entry)]:
                assert not {*older.keys} & {*entry.keys}, f"{older!r} is overtaken by {entry!r}"
            self.waiting.remove(entry)
        self.under_way.append(batch)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), held=st.sets(st.sampled_from("abcde"), max_size=2))
    def end(self, data: st.DataObject, held: set[str]) -> None:
        batch = data.draw(st.sampled_from(self.under_way))
        self.under_way.remove(batch)
        back: list[Customer] = []
        apart: set[str] = set()
        for entry in batch.entries:
            if {*entry.keys} & (held | {key for one in back for key in one.keys}):
                back.append(entry)
                apart |= {*entry.keys}
            else:
                self.written.append(entry)
        self.lines.put_back(back)
        self.waiting = sorted([*back, *self.waiting], key=lambda one: one.number)
        self.apart += [key for key in batch.keys if key in apart]
        self.lines.let_go([key for key in batch.keys if key not in apart])

    @precondition(lambda self: self.apart)
    @rule()
    def give_up(self) -> None:
        for customer in self.lines.strand(self.apart):
            if customer in self.waiting:
                self.waiting.remove(customer)
            customer.gone = True

    @invariant()
    def each_line_is_in_one_place(self) -> None:
        resting = [key for keys in self.lines._resting.values() for key in keys]
        taken = [key for batch in self.under_way for key in batch.keys]
        places = [*self.lines.turns, *self.apart, *resting, *taken]
        assert sorted(places) == sorted(self.lines.by_key)

    @invariant()
    def something_can_go_unless_something_is_under_way(self) -> None:
        if self.waiting:
            assert self.lines.turns or self.apart or self.under_way

    @invariant()
    def those_who_wait_are_counted(self) -> None:
        assert self.lines.count >= len(self.waiting)
        if not self.lines.by_key:
            assert self.lines.count == 0

    def teardown(self) -> None:
        """Let everything be written, in a number of steps that has a bound."""
        steps = 0
        while self.under_way or self.lines.turns or self.apart:
            for places in (self.lines.turns, self.apart):
                self.begin(self.lines.take(places, ALL, 1))
            for batch in self.under_way:
                self.written += batch.entries
                self.lines.let_go(batch.keys)
            self.under_way.clear()
            steps += 1
        assert steps <= 3 * self.came + 1
        assert not self.waiting
        assert not self.lines.by_key
        assert self.lines.count == 0
        for key in "abcde":
            numbers = [one.number for one in self.written if key in one.keys]
            assert numbers == sorted(set(numbers)), f"the order of {key}"


TestQueueing: Any = Queueing.TestCase
TestQueueing.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
