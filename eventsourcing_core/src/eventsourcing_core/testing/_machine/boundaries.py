"""The state machine with tags, groups and conditions, which a model judges by what was read."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core._events.event import Event
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._boundaries.words import BoundaryError, Query, StreamAt, ToStream
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._machine.machine import (
    LIMITS,
    PREFIXES,
    STREAMS,
    TYPE_FILTERS,
    TYPE_LISTS,
    TYPED,
    TYPES,
    EventStoreMachine,
    Expectation,
    run_machine,
)
from eventsourcing_core.testing._samples import EVENT_TYPES
from eventsourcing_core.testing._skipping import skip_unless_met

if TYPE_CHECKING:
    from uuid import UUID

    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core.stores._boundaries.words import Marker
    from eventsourcing_core.stores._event_store import AppendResult
    from eventsourcing_core.testing._contract import OpenParts
    from eventsourcing_core.testing._machine.model import Row

TAG_SETS = st.sampled_from([set[str](), {"a"}, {"b"}, {"a", "b"}, {"A"}, {"a", "b", "c"}])
ITEMS = st.sampled_from(
    [
        *(Query(tags={"a"}), Query(tags={"a", "b"}), Query(tags={"c"}), Query(tags={"A"})),
        *(Query(event_types=["a.b"]), Query(tags={"b"}, event_types=["a.b", TYPED])),
    ]
)
QUERIES = st.one_of(ITEMS, st.builds(Query.__or__, ITEMS, ITEMS), st.just(Query.all()))
# Most are right: else few groups get as far as their conditions.
EXPECTED: st.SearchStrategy[Expectation] = st.sampled_from(
    [0, 0, 0, ExpectedVersion.ANY, ExpectedVersion.ANY, ExpectedVersion.ANY, -1, *ExpectedVersion]
)
PICKS = st.integers(0, 1000) | st.integers(0, 1000) | st.none()
WRITES = st.dictionaries(
    STREAMS,
    st.tuples(st.lists(TYPES, min_size=1, max_size=2), EXPECTED),
    min_size=1,
    max_size=3,
)
REQUIRED = st.dictionaries(STREAMS, st.sampled_from([0, 0, 0, 0, -1, 1]), max_size=1)


class Read(NamedTuple):
    """What somebody has read, and may decide by."""

    query: Query
    known: frozenset[UUID]
    marker: Marker


class Group(NamedTuple):
    """A group that was tried; its marker is taken anew when it is repeated."""

    writes: list[ToStream]
    requires: list[StreamAt]
    results: tuple[AppendResult, ...] | None


class BoundaryMachine(EventStoreMachine):
    """Adds groups, tags, queries and conditions to the machine of streams."""

    def __init__(self, open_parts: OpenParts, codec: EventCodec, deadline: float) -> None:
        super().__init__(open_parts, codec, deadline)
        self._tags = {"a", "b"}
        self._reads: list[Read] = []
        self._groups: list[Group] = []

    def _new(self, event_type: str) -> Event[object]:
        made = super()._new(event_type)
        return Event(made.event_type, made.data, metadata=made.metadata, tags=self._tags)

    @rule(tags=TAG_SETS)
    def tag(self, tags: set[str]) -> None:
        """Let what is made next have other tags."""
        self._tags = tags

    @rule(query=QUERIES)
    def look(self, query: Query) -> None:
        """Read what matches, and keep the marker."""
        view = self._run(lambda: self._store.read_matching(query))
        matching = self._matching(query)
        self._compare(view.events, matching)
        assert [event.tags for event in view.events] == [row.event.tags for row in matching]
        known = frozenset(row.event.event_id for row in matching)
        self._reads.append(Read(query, known, view.marker))

    @rule(query=QUERIES, types=TYPE_FILTERS, prefix=PREFIXES, limit=LIMITS, backward=st.booleans())
    def read_by_query(
        self,
        query: Query,
        types: frozenset[str] | None,
        prefix: str | None,
        limit: int | None,
        *,
        backward: bool,
    ) -> None:
        """Read all streams by a query, beside the other filters."""
        events = self._collect(
            partial(
                self._store.read_all,
                query=query,
                event_types=types,
                stream_prefix=prefix,
                limit=limit,
                backward=backward,
            )
        )
        matching = self._matching(query)
        rows = self._model.read_all(0, None, types, prefix, backward=backward)
        self._compare(events, [row for row in rows if row in matching][:limit])

    @rule(writes=WRITES, requires=REQUIRED, pick=PICKS)
    def append_group(
        self,
        writes: dict[str, tuple[list[str], Expectation]],
        requires: dict[str, int],
        pick: int | None,
    ) -> None:
        """Append new events to several streams, perhaps by what was read."""
        made = [
            ToStream(
                stream_id,
                [self._new(event_type) for event_type in types],
                expected_version=self._at(stream_id, expected),
            )
            for stream_id, (types, expected) in writes.items()
        ]
        required = [
            StreamAt(stream_id, max(0, len(self._model.stream(stream_id)) + off))
            for stream_id, off in requires.items()
            if stream_id not in writes
        ]
        self._try(Group(made, required, None), pick)

    @rule(
        queries=st.lists(QUERIES, min_size=1, max_size=3),
        between=st.lists(st.tuples(STREAMS, TYPE_LISTS, TAG_SETS), max_size=3),
        writes=WRITES,
        requires=REQUIRED,
    )
    def decide(
        self,
        queries: list[Query],
        between: list[tuple[str, list[str], set[str]]],
        writes: dict[str, tuple[list[str], Expectation]],
        requires: dict[str, int],
    ) -> None:
        """Read, let others write, and decide by each of what was read; repeat the last one."""
        for query in queries:
            self.look(query)
        for stream_id, types, tags in between:
            self._tags = tags
            events = [self._new(event_type) for event_type in types]
            self._append(stream_id, events, ExpectedVersion.ANY)
        for number in range(len(queries)):
            self.append_group(writes, requires, len(self._reads) - 1 - number)
        self.repeat_group(len(self._groups) - 1, len(self._reads) - 1)

    @precondition(lambda self: self._groups)
    @rule(which=st.integers(0, 1000), pick=PICKS)
    def repeat_group(self, which: int, pick: int | None) -> None:
        """Repeat a group: one that was written gives its first result, whatever was read."""
        self._try(self._groups.pop(which % len(self._groups)), pick)

    def _try(self, group: Group, pick: int | None) -> None:
        at = None if pick is None or not self._reads else pick % len(self._reads)
        read = None if at is None else self._reads[at]

        async def append() -> tuple[AppendResult, ...]:
            return await self._store.append_together(
                group.writes,
                requires=group.requires,
                unless_changed=None if read is None else read.marker,
            )

        if group.results is not None:
            assert self._run(append) == group.results
        elif not self._is_expected(group):
            with pytest.raises(ConcurrencyError):
                self._run(append)
        elif read is not None and at is not None and (missed := self._missed(read)):
            with pytest.raises(BoundaryError) as caught:
                self._run(append)
            events = caught.value.events
            self._compare(events, missed[: len(events)])
            assert len(events) == min(len(missed), 100)
            known = read.known.union(event.event_id for event in events)
            self._reads[at] = Read(read.query, known, caught.value.marker)
        else:
            results = self._run(append)
            expected = {each.stream_id: each for each in group.writes}
            written = [
                self._write(stream_id, expected[stream_id].events)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - all are events
                for stream_id in sorted(expected)
            ]
            by_stream = dict(zip(sorted(expected), written, strict=True))
            assert [*results] == [by_stream[each.stream_id] for each in group.writes]
            group = group._replace(results=results)
        self._groups.append(group)

    def _is_expected(self, group: Group) -> bool:
        """Tell whether all streams are where they must be, written and required ones."""
        found = {row.stream_id: row.version for row in self._model.rows}  # the last one stays
        if any(found.get(each.stream_id, 0) != each.version for each in group.requires):
            return False
        return all(
            _is_met(each.expected_version, found.get(each.stream_id, 0)) for each in group.writes
        )

    def _missed(self, read: Read) -> list[Row]:
        return [row for row in self._matching(read.query) if row.event.event_id not in read.known]

    def _matching(self, query: Query) -> list[Row]:
        return [
            row
            for row in self._model.rows
            if any(
                tags <= row.event.tags and (types is None or row.event.event_type in types)
                for tags, types in query.parts
            )
        ]


def _is_met(expected: Expectation, version: int) -> bool:
    if isinstance(expected, int):
        return version == expected
    if expected is ExpectedVersion.ANY:
        return True
    return (version > 0) is (expected is ExpectedVersion.STREAM_EXISTS)


async def _skip_unless_promised(request: pytest.FixtureRequest, open_parts: OpenParts) -> None:
    async with open_parts() as parts:
        skip_unless_met(request, parts)


class BoundaryMachineContract(Chapter, needs=(Guarantee.GROUPS, Guarantee.BOUNDARIES)):
    """The machine as a test; a store keeps ids apart, too."""

    examples: ClassVar[int] = 100
    """How many stores both state machines try; this one tries half as many."""
    steps: ClassVar[int] = 30
    """How many calls it makes to each."""

    def test_a_store_does_what_the_model_does_across_streams(
        self, request: pytest.FixtureRequest, open_parts: OpenParts, serializer: Serializer
    ) -> None:
        codec, deadline = EventCodec(serializer, event_types=EVENT_TYPES), self.deadline
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(_skip_unless_promised(request, open_parts))

        class Machine(BoundaryMachine):
            """The machine for the store under test: Hypothesis makes it without arguments."""

            def __init__(self) -> None:
                super().__init__(open_parts, codec, deadline)

        run_machine(Machine, self.examples // 2, self.steps)
