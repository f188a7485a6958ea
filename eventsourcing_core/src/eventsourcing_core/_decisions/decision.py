"""Decisions: commands that are decided by what matches a query, and stored if nothing was missed.

What matches becomes the state of an aggregate, or of a decider, as the events of a stream would.
When the store refuses an append, it says which events were missed: only these are applied then, and
the command is decided again.

The state is never given to a command: each attempt gets a copy. So one that is refused, or raises,
leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.decider import Decided
from eventsourcing_core._aggregates.known_types import cure_of, unknown_type_in
from eventsourcing_core._errors import UnknownEventTypeError, shown
from eventsourcing_core._names import check_stream_id
from eventsourcing_core._repositories.command import check_callable, pause
from eventsourcing_core._repositories.saving import Saved
from eventsourcing_core._state.copying import copy_state
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._boundaries.words import BoundaryError, ToStream
from eventsourcing_core.stores._checks import check_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._events.event import Event, RecordedEvent
    from eventsourcing_core.stores._boundaries.words import Marker, Query

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")


class Decision(Generic[A]):
    """What matches a query, and what is decided by it; ``backend.decide`` opens one.

    Its commands take turns, also where several tasks give them.
    """

    def __init__(
        self,
        store: StorageEventStore,
        query: Query,
        aggregate_class: type[A],
        *,
        stream_id: str,
        attempts: int,
    ) -> None:
        given: object = aggregate_class
        if not (isinstance(given, type) and issubclass(given, Aggregate)):
            message = f"decide takes a decider or a class of aggregates, got {shown(given)}"
            raise TypeError(message)
        check_stream_id(stream_id)
        check_whole("attempts", attempts, lowest=1)
        self._store = store
        self._query = query
        self._class = aggregate_class
        self._stream_id = stream_id
        self._attempts = attempts
        self._turn = asyncio.Lock()
        self._is_new = True  # no command was given yet
        self._checked = float("-inf")  # when the store was asked that found the state to be right
        self._aggregate = self._new()
        self._marker: Marker  # what the state is made of
        self._position = 0  # of the last event in the state
        self._untyped = dict[str, int]()  # types without a class, each with a position

    @property
    def aggregate(self) -> A:
        """What the events that match have made, with those that were stored here since.

        Read it, and give commands to ``update``.
        """
        return self._aggregate

    async def update(self, change: Callable[[A], object]) -> Saved:
        """Give commands to a copy of the aggregate, and store what these record.

        If an event that matches was missed, nothing is stored: the event is applied, and the
        commands are given again.

        Args:
            change: Gives the commands, such as ``lambda course: course.enroll("s9")``. It is a
                plain function, and is called once for each attempt; and once more if it records
                nothing by a state that is older than this call, and was not read for it.

        Returns:
            The version and the position of the last event that was stored. If nothing was recorded,
            nothing is stored: then the version is 0, and the position is that of the last event
            that matched.

        Raises:
            BoundaryError: The last attempt has missed an event, too. It is in the state by now.
            TypeError: The commands would have to be awaited.
            UnknownEventTypeError: What matches has an event of a type that this program does not
                know; see ``Aggregate.ignores``. Nothing is stored.
            StorageError: The store failed; whether it was stored is unknown. Give the command
                again: if it was, that is found out.
            Exception: What a command raises. Nothing is stored.
        """
        check_callable(change)
        called = monotonic()
        async with self._turn:
            self._check_untouched()
            if self._is_new:  # it was read for this command
                called, self._is_new = self._checked, False
            for attempt in range(1, self._attempts + 1):
                events = await self._decided_since(called, change)
                if not events:
                    return Saved(0, self._position)
                try:
                    return await self._store_all(events)
                except BoundaryError:
                    if attempt == self._attempts:
                        raise
                if attempt > 1:  # what was missed is there: the second one need not wait
                    await pause(attempt)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def read(self) -> None:
        """Make the state of all that matches now; for the backend."""
        began = monotonic()
        view = await self._store.read_matching(self._query)
        self._aggregate = _applied(self._new(), view.events)
        self._position, self._untyped = 0, {}
        self._note(view.events, view.marker)
        self._checked = began

    def _new(self) -> A:
        # The part of the stream id after the category, as for what a repository loads.
        return self._class(self._stream_id.removeprefix(f"{self._class.category}-"))

    def _copy(self) -> A:
        copied = self._new()
        copy_state(self._aggregate, copied)
        copied.version = self._aggregate.version
        return copied

    def _note(self, events: Sequence[RecordedEvent[Any]], marker: Marker) -> None:
        """Note what was read and is in the state, up to its marker."""
        for event in events:
            if type(event.data) is dict:
                self._untyped.setdefault(event.event_type, event.position)
            self._position = event.position
        self._marker = marker

    async def _decided_since(
        self, called: float, change: Callable[[A], object]
    ) -> Sequence[Event[Any]]:
        """Give what the commands record; it is nothing only by a state not older than the call.

        If they record something, the append shows whether the state was right.
        """
        if self._checked < called:
            try:
                events = self._decided(change)
            except Exception:  # noqa: BLE001 - it is decided again, and raised then
                events = ()
            if events:
                return events
            await self.read()
        return self._decided(change)

    def _decided(self, change: Callable[[A], object]) -> Sequence[Event[Any]]:
        """Give what the commands record."""
        aggregate = self._copy()
        outcome = change(aggregate)
        if inspect.isawaitable(outcome):
            if inspect.iscoroutine(outcome):
                outcome.close()  # else Python warns that nobody has waited for it
            message = (
                f"update takes a plain function, and {shown(change)} is to be awaited: ask for "
                "what it needs before"
            )
            raise TypeError(message)
        if aggregate.pending_events:
            self._check_known()
        return aggregate.pending_events

    async def _store_all(self, events: Sequence[Event[Any]]) -> Saved:
        """Append events unless an event of others was missed."""
        write = ToStream(self._stream_id, events, expected_version=ExpectedVersion.ANY)
        began = monotonic()
        try:
            (result,) = await self._store.append_together([write], unless_changed=self._marker)
        except BoundaryError as refusal:
            await self._catch_up(refusal)
            self._checked = began
            raise
        self._aggregate = _applied(self._copy(), events)
        self._checked = began
        self._position = result.position
        self._marker = self._marker.after(result.position, events[-1].raw_event_id)
        return Saved(*result)

    async def _catch_up(self, refusal: BoundaryError) -> None:
        """Apply what was missed."""
        missed = refusal.events
        # Where there are too many to come with the refusal, or one was stored late, behind others
        # that are in the state, the order is that of a new reading.
        if refusal.are_more or (missed and missed[0].position < self._position):
            await self.read()
        else:
            self._aggregate = _applied(self._copy(), missed)
            self._note(missed, refusal.marker)

    def _check_untouched(self) -> None:
        if self._aggregate.pending_events:
            message = (
                "an event was recorded on decision.aggregate itself, and would not be stored: give "
                "commands to decision.update(…), and open a new decision now"
            )
            raise RuntimeError(message)

    def _check_known(self) -> None:
        found = unknown_type_in(self._untyped, self._class)
        if found is not None:
            name, position = found
            message = (
                f"nothing is appended to {self._stream_id!r}: what matches has an event of type "
                f"{name!r} (position {position}), which this program does not know, so what was "
                f"decided may be wrong: {cure_of(name, self._class)}, or ask by the query only for "
                "the types that it knows"
            )
            raise UnknownEventTypeError(message)


def _applied(aggregate: A, events: Sequence[Event[Any]]) -> A:
    for event in events:
        aggregate.apply(event)
    aggregate.version += len(events)
    return aggregate


class DeciderDecision(Decision[Decided[C, E, S]], Generic[C, E, S]):
    """What matches a query, and what a decider decides by it; ``backend.decide`` opens one."""

    @property
    def state(self) -> S:
        """What ``evolve`` has made of the events that match; leave it as it is."""
        return self.aggregate.state

    async def decide(self, command: C) -> Saved:
        """Decide on a command, and store the events that follow from it; see ``update``.

        Raises:
            BoundaryError: The last attempt has missed an event, too. It is in the state by now.
            Exception: What ``decide`` raises, and what ``update`` does.
        """
        return await self.update(lambda decided: decided.decide(command))


D = TypeVar("D", bound=Decision[Any])


@asynccontextmanager
async def opened(decision: D, store: StorageEventStore, hold: str | None) -> AsyncIterator[D]:
    """Read what matches, and give the decision; hold a tag meanwhile, if one is given."""
    async with nullcontext() if hold is None else store.hold(hold):
        await decision.read()
        yield decision
