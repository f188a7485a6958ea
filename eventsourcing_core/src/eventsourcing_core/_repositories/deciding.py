"""Deciding: several commands, one after the other, on one state.

Each command gets an aggregate of its own, with what those before it have recorded. So one that
fails, or changes what it should not, or keeps its aggregate, does nothing to the others: what they
see is made of the events alone.
"""

from __future__ import annotations

import inspect
from copy import deepcopy
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate, use_event_ids
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_core._errors import ConcurrencyError, shown
from eventsourcing_core._repositories.checks import check_savable
from eventsourcing_core._repositories.command import event_ids_of
from eventsourcing_core._repositories.saving import note_stored
from eventsourcing_core._state.copying import never_changes
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._rows import EncodedEvents, Row

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Iterable, Sequence
    from contextvars import Context
    from uuid import UUID

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import Event
    from eventsourcing_core.stores._rows import EncodedEvent

_LONGEST: Final = 0.02
"""Seconds for which commands decide in one go, and one more."""
_MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of events that are stored together, and those of one command."""

A = TypeVar("A", bound=Aggregate)


class Answer(NamedTuple, Generic[A]):
    """What a caller gets."""

    aggregate: A | None
    """Its own, as it was saved."""
    error: BaseException | None = None
    """Or what its command has raised, or why it could not be stored."""
    has_recorded: bool = True
    """Whether its command has recorded something."""


class Turn(Generic[A]):
    """A command that waits to be decided, and its caller.

    Args:
        id: The id of the aggregate, as its caller gave it.
        change: The command.
        command_id: Its id, checked.
        attempts: How often it may be decided.
        context: The context of its caller: what it records gets the metadata of this one.
        answer: What its caller waits for; done early if the caller was cancelled.
    """

    __slots__ = ("answer", "attempts", "change", "command_id", "context", "id")

    def __init__(  # noqa: PLR0913 - what a caller gives, and the caller
        self,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        command_id: UUID | str | None,
        attempts: int,
        context: Context,
        answer: Future[Answer[A]],
    ) -> None:
        self.id = id
        self.change = change
        self.command_id = command_id
        self.attempts = attempts
        self.context = context
        self.answer = answer

    def is_gone(self) -> bool:
        """Tell whether its caller has an answer, or was cancelled."""
        return self.answer.done()

    def give(self, aggregate: A, *, has_recorded: bool = True) -> None:
        """Give its caller the aggregate, if the caller is still there."""
        if not self.answer.done():
            self.answer.set_result(Answer(aggregate, None, has_recorded))

    def refuse(self, error: BaseException) -> None:
        """Give its caller an error, if the caller is still there."""
        if not self.answer.done():
            self.answer.set_result(Answer(None, error))


class Decision(NamedTuple, Generic[A]):
    """What became of one command."""

    turn: Turn[A]
    """The command."""
    aggregate: A
    """The aggregate that it was given, which is its caller's."""
    events: tuple[Event[Any], ...] = ()
    """What it has recorded; nothing if it has raised something."""
    error: BaseException | None = None
    """What it has raised."""


class Decisions(Generic[A]):
    """What commands have decided, and what is to be stored.

    Args:
        copy_of: Gives a copy of an aggregate that shares nothing with it, made by an id.
        base: The aggregate before them; it is not changed.
        codec: The store's; None: it has none.
    """

    def __init__(
        self, copy_of: Callable[[A, str], A], base: A, codec: EventCodec | None = None
    ) -> None:
        self._copy_of = copy_of
        self._codec = codec
        self._base = base
        self.state: A = copy_of(base, base.id)
        """The aggregate with all that was recorded, as its events make it."""
        self.events = EncodedEvents(codec)
        """What was recorded, in order."""
        self._made: list[Decision[A]] = []

    def decide(self, turns: Sequence[Turn[A]]) -> Sequence[Turn[A]]:
        """Let commands decide, one after the other; give those that have.

        It is one at least. The others come later: the event loop does nothing else meanwhile, and
        an append is not to be too large.
        """
        end = monotonic() + _LONGEST
        for turn in turns:
            if self._made and (monotonic() > end or self.events.size > _MOST_BYTES):
                break
            decision = self._decided(turn)
            self._made.append(decision)
            encoded: list[EncodedEvent] = []
            try:
                self._apply(decision.events, encoded)
            except Exception as error:  # noqa: BLE001 - the class's own fault; whoever met it hears of it
                self._made[-1] = Decision(turn, decision.aggregate, error=error)
                self.state = self._copy_of(self._base, self._base.id)  # it may be half changed
                self._apply(self.events, [])
            else:
                self.events.add(decision.events, encoded)
        return turns[: len(self._made)]

    def _decided(self, turn: Turn[A]) -> Decision[A]:
        aggregate = self._copy_of(self.state, turn.id)
        before = aggregate.version
        if turn.command_id is not None:
            use_event_ids(aggregate, event_ids_of(aggregate.stream_id, turn.command_id))
        try:
            outcome = turn.context.run(turn.change, aggregate)
            if inspect.isawaitable(outcome):
                _refuse_waiting(outcome)
            check_savable(aggregate, type(aggregate))
        except BaseException as error:  # noqa: BLE001 - its caller gets it, and no other
            return Decision(turn, aggregate, error=error)
        use_event_ids(aggregate, None)

        events = aggregate.pending_events
        began = aggregate.version - len(events)
        if events and began != before:  # it has given up some that are in its state
            conflict = ConcurrencyError(aggregate.stream_id, began, before)
            return Decision(turn, aggregate, error=conflict)
        return Decision(turn, aggregate, events)

    def _apply(self, events: Sequence[Event[Any]], encoded: list[EncodedEvent]) -> None:
        """Apply events to the state that is kept, as a load would: as they are stored.

        Args:
            events: The events.
            encoded: How they are stored is added here.
        """
        state, page = self.state, stored_as(self.state)
        version = state.version
        state.version = 0  # as in a load
        for number, event in enumerate(events, version + 1):
            for stored in self._stored(event, state.stream_id, number, encoded):
                state.apply(stored)
            page.event_id = event.raw_event_id
        page.version = state.version = version + len(events)

    def _stored(
        self, event: Event[Any], stream_id: str, version: int, encoded: list[EncodedEvent]
    ) -> Iterable[Event[Any]]:
        """Give what a load will give of an event; it shares nothing with the caller's."""
        if self._codec is None:
            return (_apart(event),)
        made = self._codec.encode(event)
        encoded.append(made)
        return self._codec.decode([Row(stream_id, version, version, *made)])

    @property
    def have_ids(self) -> bool:
        """Whether all that was recorded has ids of commands: it may be stored already."""
        return all(made.turn.command_id is not None for made in self._made if made.events)

    def note_stored(self, result: AppendResult) -> None:
        """Note in each aggregate what was stored.

        Where the store has told one position for all, that is the one of the last event.
        """
        stored_as(self.state).position = result.position
        version = self._base.version
        for made in self._made:
            version += len(made.events)
            if made.events:
                placed = AppendResult(version, result.position)
                note_stored(made.aggregate, made.events, placed)
            elif version > self._base.version:
                stored_as(made.aggregate).position = result.position

    def answer(self) -> None:
        """Give each caller what it has decided."""
        kept = stored_as(self.state)
        for turn, aggregate, events, error in self._made:
            page = stored_as(aggregate)
            page.snapshot_version, page.load_seconds = kept.snapshot_version, kept.load_seconds
            if error is None:
                turn.give(aggregate, has_recorded=bool(events))
            else:
                turn.refuse(error)

    def give(self, state: A) -> None:
        """Give those who have recorded something the aggregate as it is stored."""
        for made in self._made:
            if made.events:
                made.turn.give(self._copy_of(state, made.turn.id))

    def refuse(self, error: BaseException) -> None:
        """Refuse those who have recorded something."""
        for made in self._made:
            if made.events:
                made.turn.refuse(error)


def _apart(event: Event[Any]) -> Event[Any]:
    """Give an event that shares nothing with the caller's which could change."""
    if never_changes(event.data) and all(map(never_changes, event.metadata.values())):
        return event
    return deepcopy(event)


def refuse_coroutine_function(change: object) -> None:
    """Refuse a command that would have to be waited for.

    Raises:
        TypeError: It is a coroutine function.
    """
    if inspect.iscoroutinefunction(change):
        raise TypeError(_waits(change))


def _refuse_waiting(outcome: object) -> None:
    if inspect.iscoroutine(outcome):
        outcome.close()  # else Python warns that nobody has waited for it
    raise TypeError(_waits(outcome))


def _waits(given: object) -> str:
    return (
        f"a repository with a cache lets commands take turns, so none may wait: {shown(given)} is "
        "to be awaited; ask for what it needs before update, or use a repository without cache="
    )
