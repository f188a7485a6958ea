"""A Hypothesis state machine that compares an event store with the model, step by step."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.front import StorageEventStore
from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core._events.event import Event
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._machine.model import Model, Verdict
from eventsourcing_core.testing._samples import EVENT_TYPES, Opened, collected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core.testing._contract import OpenParts
    from eventsourcing_core.testing._machine.model import Row

    Events = AsyncIterator[RecordedEvent[Any]]

T = TypeVar("T")

Expectation = int | ExpectedVersion
"""A member of ExpectedVersion, or how far a number is from the stream's version."""

TYPED = "contract.opened"
STREAMS = st.sampled_from(["a", "ab", "A", "a%", "a_", "é"])
TYPES = st.sampled_from([TYPED, "a.b", "A.B"])
TYPE_LISTS = st.lists(TYPES, min_size=1, max_size=4)
TYPE_FILTERS: st.SearchStrategy[frozenset[str] | None] = st.sampled_from(
    [None, None, frozenset(), frozenset({"a.b"}), frozenset({"a.b", TYPED}), frozenset({"A.B"})]
)
PREFIXES = st.sampled_from([None, None, "", "a", "a", "a%", "a_", "A", "é", "b"])
LIMITS = st.none() | st.integers(0, 5)
SPANS: st.SearchStrategy[int | None] = st.sampled_from([None, None, -1, -1, 0, 1, 2, 4])
BOUNDS = st.tuples(st.integers(1, 4), SPANS, LIMITS)
FILTERS = st.tuples(st.integers(0, 8), LIMITS, TYPE_FILTERS, PREFIXES)
EXPECTATIONS: st.SearchStrategy[Expectation] = st.sampled_from(
    # The right version, and ANY, more often: else the streams stay short.
    [0, 0, 0, 0, -1, -2, 1, ExpectedVersion.ANY, ExpectedVersion.ANY, *ExpectedVersion]
)
CHANGES = st.tuples(
    st.integers(0, 1000),
    st.integers(1, 3),
    st.sampled_from(
        ["none", "none", "turned", "apart", "longer", "begun anew", "twins", "elsewhere"]
    ),
    STREAMS,
    EXPECTATIONS,
)


class EventStoreMachine(RuleBasedStateMachine):
    """One example: a new store, a new model, and what happens to both."""

    def __init__(self, open_parts: OpenParts, codec: EventCodec, deadline: float) -> None:
        super().__init__()
        self._open_parts = open_parts
        self._codec = codec
        self._deadline = deadline
        # With a factory the runner leaves the thread's current loop alone.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._opened = AsyncExitStack()
        self._store: StorageEventStore
        self._has_unique_ids = True
        self._model = Model()
        self._attempts: list[tuple[str, list[Event[object]], Expectation]] = []
        self._conflicts: list[tuple[str, list[Event[object]], Expectation]] = []
        self._made = 0

    @initialize(history=st.integers(0, 4))
    def open(self, history: int) -> None:
        """Open the store in the loop of this example; most begin with some events in it."""
        parts = self._run(lambda: self._opened.enter_async_context(self._open_parts()))
        store = StorageEventStore(parts, self._codec)
        self._store = self._run(lambda: self._opened.enter_async_context(store))
        self._has_unique_ids = Guarantee.UNIQUE_EVENT_IDS in parts.guarantees
        beginning = [("a", [TYPED, "a.b", "A.B"]), ("ab", ["a.b"]), ("A", [TYPED]), ("a", ["a.b"])]
        for stream_id, types in beginning[:history]:
            self._append(stream_id, [self._new(kind) for kind in types], ExpectedVersion.ANY)

    def teardown(self) -> None:
        """Close the store and its loop."""
        with self._runner:
            self._run(self._opened.aclose)

    @rule(appends=st.lists(st.tuples(STREAMS, TYPE_LISTS, EXPECTATIONS), min_size=1, max_size=4))
    def append(self, appends: list[tuple[str, list[str], Expectation]]) -> None:
        """Append new events."""
        for stream_id, types, expected in appends:
            events = [self._new(event_type) for event_type in types]
            self._append(stream_id, events, self._at(stream_id, expected))

    @precondition(lambda self: self._attempts)
    @rule(picks=st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=4))
    def repeat(self, picks: list[tuple[int, bool]]) -> None:
        """Repeat earlier appends, or try those that met a conflict at the present version."""
        for pick, now in picks:
            attempts = self._conflicts if now and self._conflicts else self._attempts
            stream_id, events, expected = attempts[pick % len(attempts)]
            self._append(stream_id, events, self._at(stream_id, 0) if now else expected)

    @precondition(lambda self: self._model.rows)
    @rule(changes=st.lists(CHANGES, min_size=2, max_size=4))
    def append_stored_events(self, changes: list[tuple[int, int, str, str, Expectation]]) -> None:
        """Append events that are stored already, unchanged or with a change."""
        for pick, count, change, elsewhere, expected in changes:
            first = self._model.rows[pick % len(self._model.rows)]
            stored = [row.event for row in self._model.stream(first.stream_id)]
            events = self._changed(stored, first.version, count, change)
            stream_id = elsewhere if change == "elsewhere" else first.stream_id
            version = self._at(stream_id, expected)
            if change in {"none", "longer"} and isinstance(expected, int):
                version = max(0, first.version - 1 + expected)  # near where they stand
            self._append(stream_id, events, version)

    def _changed(
        self, stored: list[Event[object]], version: int, count: int, change: str
    ) -> list[Event[object]]:
        """Take some events of a stream, from a version on, and change what is appended."""
        events = stored[version - 1 :][:count]
        match change:
            case "turned":
                return events[::-1]
            case "apart":
                return [stored[0], events[-1]]
            case "longer":
                return [*events, self._new("a.b")]
            case "begun anew":
                return [self._new("a.b"), *events]
            case "twins":
                return [self._new("a.b")] * 2
            case _:
                return events

    @rule(pick=st.integers(0, 1000), queries=st.lists(BOUNDS, min_size=2, max_size=5))
    def read(self, pick: int, queries: list[tuple[int, int | None, int | None]]) -> None:
        """Read a stream, there and back."""
        rows = self._model.rows
        stream_id = rows[pick % len(rows)].stream_id if rows else "a"
        for (first, span, limit), backward in product(queries, (False, True)):
            last = None if span is None else max(1, first + span)
            events = self._collect(
                partial(
                    self._store.read,
                    stream_id,
                    from_version=first,
                    to_version=last,
                    limit=limit,
                    backward=backward,
                )
            )
            expected = self._model.read(stream_id, first, last, limit, backward=backward)
            self._compare(events, expected)

    @rule(stream_id=STREAMS)
    def read_whole(self, stream_id: str) -> None:
        """Read a stream that may not exist, and ask for its version."""
        events = self._collect(lambda: self._store.read(stream_id))
        stream = self._model.stream(stream_id)
        self._compare(events, stream)
        assert self._run(lambda: self._store.stream_version(stream_id)) == len(stream)

    @rule(queries=st.lists(FILTERS, min_size=2, max_size=5))
    def read_all(
        self, queries: list[tuple[int, int | None, frozenset[str] | None, str | None]]
    ) -> None:
        """Read all streams, there and back."""
        for (back, limit, types, prefix), backward in product(queries, (False, True)):
            after = self._position(back)
            events = self._collect(
                partial(
                    self._store.read_all,
                    after_position=after,
                    limit=limit,
                    event_types=types,
                    stream_prefix=prefix,
                    backward=backward,
                )
            )
            expected = self._model.read_all(after, limit, types, prefix, backward=backward)
            self._compare(events, expected)

    @rule(size=st.integers(1, 5), types=TYPE_FILTERS, prefix=PREFIXES)
    def turn_pages(self, size: int, types: Collection[str] | None, prefix: str | None) -> None:
        """Read all streams page by page."""
        seen: list[RecordedEvent[Any]] = []
        while len(seen) <= len(self._model.rows):  # more would be a store that goes round
            after = seen[-1].position if seen else 0
            page = self._collect(
                partial(
                    self._store.read_all,
                    after_position=after,
                    limit=size,
                    event_types=types,
                    stream_prefix=prefix,
                )
            )
            if not page:
                break
            seen += page
        everything = self._model.read_all(0, None, types, prefix, backward=False)
        self._compare(seen, everything)
        self._compare(self._followed(types, prefix), everything)

    @rule(back=st.integers(0, 8))
    def wait(self, back: int) -> None:
        """Wait for events that are there; where there are none, both answers are allowed.

        And ask how far the store is: a position may be given to an append that was refused.
        """
        assert self._run(self._store.last_position) >= self._position(0)
        after = self._position(back)
        answer = self._run(lambda: self._store.wait(after_position=after, timeout=0))
        if self._model.read_all(after, 1, None, None, backward=False):
            assert answer is True

    def _followed(
        self, types: Collection[str] | None, prefix: str | None
    ) -> list[RecordedEvent[Any]]:
        """Follow all streams to the last event."""
        last = self._position(0)
        seen: list[RecordedEvent[Any]] = []

        async def follow() -> None:
            async for page in self._store.follow(event_types=types, stream_prefix=prefix):
                seen.extend(page.events)
                if page.seen_to >= last:
                    return

        if last:
            self._run(follow)
        return seen

    def _append(self, stream_id: str, events: list[Event[object]], expected: Expectation) -> None:
        verdict = self._model.verdict(stream_id, events, expected)
        if not self._has_unique_ids and _is_told_by_ids(verdict, expected):
            return
        self._attempts.append((stream_id, events, expected))

        def append() -> Awaitable[AppendResult]:
            return self._store.append(stream_id, events, expected_version=expected)

        if isinstance(verdict, type):
            with pytest.raises(verdict):
                self._run(append)
            if verdict is ConcurrencyError:
                self._conflicts.append(self._attempts[-1])
            return
        result = self._run(append)
        if verdict is None:
            verdict = self._write(stream_id, events)
        assert result == verdict

    def _write(self, stream_id: str, events: Sequence[Event[object]]) -> AppendResult:
        """Write to the model what the store has just written; the positions are the store's."""
        version = len(self._model.stream(stream_id))
        recorded = self._collect(lambda: self._store.read(stream_id, from_version=version + 1))
        positions = [event.position for event in recorded]
        before = self._model.rows[-1].position if self._model.rows else 0
        assert [before, *positions] == sorted({before, *positions})
        for event, position in zip(events, positions, strict=True):
            self._model.write(stream_id, event, position)
        self._compare(recorded, self._model.stream(stream_id)[version:])
        return AppendResult(version + len(events), positions[-1])

    def _new(self, event_type: str) -> Event[object]:
        self._made += 1
        if event_type == TYPED:
            payload = Opened(f"owner {self._made}", balance=Decimal(self._made) / 100)
            return Event.of(payload, event_types=EVENT_TYPES)
        return Event(event_type, {"number": self._made}, metadata={"made": self._made})

    def _at(self, stream_id: str, expected: Expectation) -> Expectation:
        if isinstance(expected, int):
            return max(0, len(self._model.stream(stream_id)) + expected)
        return expected

    def _position(self, back: int) -> int:
        """Give the position after which so many events are left."""
        positions = [0, *(row.position for row in self._model.rows)]
        return positions[max(0, len(positions) - 1 - back)]

    @staticmethod
    def _compare(recorded: Sequence[RecordedEvent[Any]], rows: Sequence[Row]) -> None:
        found = [
            (e.stream_id, e.version, e.position, e.event_id, e.event_type, e.data, e.timestamp)
            for e in recorded
        ]
        expected = [
            (*row[:3], e.event_id, e.event_type, e.data, e.timestamp)
            for row in rows
            for e in [row.event]
        ]
        assert found == expected
        assert [dict(e.metadata) for e in recorded] == [dict(row.event.metadata) for row in rows]

    def _collect(self, read: Callable[[], Events]) -> list[RecordedEvent[Any]]:
        return self._run(lambda: collected(read()))

    def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something in the store's loop; even calling a store is done there."""

        async def within_the_deadline() -> T:
            async with asyncio.timeout(self._deadline):
                return await work()

        return self._runner.run(within_the_deadline())


def _is_told_by_ids(verdict: Verdict, expected: Expectation) -> bool:
    """Tell whether a store can only give this verdict if no id occurs twice in it."""
    if isinstance(verdict, AppendResult):
        return expected in {ExpectedVersion.ANY, ExpectedVersion.STREAM_EXISTS}
    return verdict is DuplicateEventError


class MachineContract(Chapter):
    """The machine as a test."""

    examples: ClassVar[int] = 100
    """How many stores the state machine tries."""
    steps: ClassVar[int] = 30
    """How many calls it makes to each."""

    def test_a_store_does_what_the_model_does(
        self, open_parts: OpenParts, serializer: Serializer
    ) -> None:
        codec, deadline = EventCodec(serializer, event_types=EVENT_TYPES), self.deadline

        class Machine(EventStoreMachine):
            """The machine for the store under test: Hypothesis makes it without arguments."""

            def __init__(self) -> None:
                super().__init__(open_parts, codec, deadline)

        run_machine(Machine, self.examples, self.steps)


def run_machine(machine: type[EventStoreMachine], examples: int, steps: int) -> None:
    """Try many stores, with as many calls to each."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,  # a store may be as slow as its disk
            suppress_health_check=[HealthCheck.too_slow],  # likewise
            database=None,  # one store's failures say nothing about another's
        ),
    )
