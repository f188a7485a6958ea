"""Turns: commands for one aggregate are decided one after the other, and stored together.

While one append is under way, the commands that arrive wait, and are the next group: decided on one
state, and appended as one. So many callers of one aggregate share a commit, where each would meet a
conflict with all others. A group belongs to a task of its own, and so to none of its callers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_core._appending.held import start_task
from eventsourcing_core._encoding.front import MAX_WAITING
from eventsourcing_core._errors import (
    ConcurrencyError,
    EventSourcingError,
    InlineError,
    StorageError,
    StoreBusyError,
)
from eventsourcing_core._repositories.cache import Kept
from eventsourcing_core._repositories.command import (
    confirm,
    event_ids_of,
    holds_as_they_are,
    pause,
)
from eventsourcing_core._repositories.deciding import Decisions, Turn
from eventsourcing_core._repositories.saving import check_conflict, take_if_due

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._repositories.cache import Cache
    from eventsourcing_core._repositories.deciding import Answer
    from eventsourcing_core._snapshots.snapshots import Snapshots
    from eventsourcing_core.stores._event_store import EventStore

A = TypeVar("A", bound=Aggregate)

_PAUSE: Final = 2
"""As after so many attempts, always: a group that waits longer loses the more surely to others."""


class _Line(Generic[A]):
    """The commands for one aggregate."""

    def __init__(self) -> None:
        self.waiting: deque[Turn[A]] = deque()
        self.group: list[Turn[A]] = []
        """Those that are under way."""


class Turns(Generic[A]):
    """Lets the commands for each aggregate take turns.

    Args:
        store: Where the events are.
        cache: Where the aggregates are.
        snapshots: What takes snapshots; None for none.
    """

    def __init__(
        self,
        store: EventStore,
        cache: Cache[A],
        snapshots: Snapshots[A] | None,
    ) -> None:
        self._store = store
        # A store that is not made of a storage may have none.
        self._codec: EventCodec | None = getattr(store, "codec", None)
        self._cache = cache
        self._snapshots = snapshots
        self._lines: dict[str, _Line[A]] = {}  # by stream; those where something goes on
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0

    async def update(
        self,
        key: str,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        attempts: int,
        command_id: UUID | str | None,
    ) -> A:
        """Wait for the turn, and give the aggregate as it was saved; see ``Repository.update``.

        Args:
            key: The aggregate's stream.
            id: Its id.
            change: The command.
            attempts: How often it is decided, at most.
            command_id: Identifies it.
        """
        if command_id is not None:
            event_ids_of(key, command_id)
        # A store that is closed, or on which this task has a transaction open, says so here: the
        # task of the group is another one.
        self._store.read_pages(key)
        if self._waiting >= MAX_WAITING:
            raise StoreBusyError(self._waiting)

        answer: asyncio.Future[Answer[A]] = asyncio.Future()
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
            task = start_task(self._take_turns(key, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # For one that is cancelled before it begins.
            task.add_done_callback(partial(self._end, key, line))
        line.waiting.append(Turn(id, change, command_id, attempts, copy_context(), answer))
        self._waiting += 1
        aggregate, error, has_recorded = await answer
        if error is not None:
            raise error
        aggregate = cast("A", aggregate)
        if command_id is not None and not has_recorded:
            # What the command has done before may be why there is nothing to do.
            stored = stored_as(aggregate)
            await confirm(self._store, key, stored.version, stored.event_id)
        return aggregate

    async def _take_turns(self, key: str, line: _Line[A]) -> None:
        try:
            while line.waiting:
                line.group = [*line.waiting]
                line.waiting.clear()
                self._waiting -= len(line.group)
                try:
                    await self._settle(key, line.group)
                except Exception as error:  # noqa: BLE001 - whatever it is, who waits for it gets it
                    for turn in line.group:
                        turn.refuse(error)
                # Who has an answer may be back at once, and then needs no other task.
                await asyncio.sleep(0)
        finally:  # at once, not when the loop says so: who comes in between would wait for ever
            self._end(key, line)

    def _end(self, key: str, line: _Line[A], _: object = None) -> None:
        """Let nobody wait for a task that was cancelled; where it was not, nobody does."""
        if self._lines.get(key) is line:
            del self._lines[key]
        self._waiting -= len(line.waiting)
        for turn in (*line.group, *line.waiting):
            turn.answer.cancel()
        line.waiting.clear()

    async def _settle(self, key: str, turns: Sequence[Turn[A]]) -> None:
        """Decide commands on one state, store what they record, and answer their callers."""
        kept = self._cache.get(key)
        is_read = False  # since these commands were given
        conflicts: list[ConcurrencyError] = []
        while turns := [turn for turn in turns if not turn.is_gone()]:
            if kept is None or not (is_read or kept.is_trusted()):
                kept, is_read = await self._cache.renewed(turns[0].id, kept), True
                if conflicts and kept.state.version < conflicts[-1].actual:
                    await check_conflict(self._store, conflicts[-1])

            decisions = Decisions(self._cache.copy_of, kept.state, self._codec)
            decided = decisions.decide(turns)
            if not (decisions.events or is_read):
                # Nothing will be appended, which would show whether the state was still right.
                kept = kept.distrusted()
                continue
            try:
                kept, is_read = await self._store_all(key, kept, decisions), True
            except ConcurrencyError as conflict:
                conflicts.append(conflict)
                if is_read:  # else it was only out of date: nobody need have been faster
                    await self._count_attempt(decided, conflict)
                kept, is_read = kept.distrusted(), False
                if len(conflicts) > 1 and not all(turn.is_gone() for turn in turns):
                    await pause(_PAUSE)
            except Exception as error:  # noqa: BLE001 - whatever it is, its callers get it
                kept, is_read = kept.distrusted(), False
                self._cache.distrust(key)
                await self._settle_failed(key, decided, decisions, error)

    async def _settle_failed(
        self, key: str, turns: Sequence[Turn[A]], decisions: Decisions[A], error: Exception
    ) -> None:
        """Refuse those whose events could not be stored, and no neighbour of theirs."""
        if len(turns) == 1 or not _is_of_one(error):
            decisions.refuse(error)
            return
        for turn in turns:
            await self._settle(key, [turn])

    async def _store_all(self, key: str, kept: Kept[A], decisions: Decisions[A]) -> Kept[A]:
        """Append what was decided and answer whom that concerns; give the aggregate after it."""
        before, events = kept.state.version, decisions.events
        is_as_decided = True
        if events:
            checked = monotonic()
            result = await self._store.append(key, events, expected_version=before)
            decisions.note_stored(result)
            kept = Kept(decisions.state, checked)
            # Of two deliveries that meet, the other one's events may be stored, and say otherwise.
            if decisions.have_ids:
                is_as_decided = await holds_as_they_are(self._store, key, before, events)
        if not is_as_decided:
            kept = await self._cache.renewed(kept.state.id, None)

        if kept.state.version:
            self._cache.put(key, kept)
        if events and self._snapshots is not None:
            await take_if_due(self._snapshots, kept.state, before, before + len(events))
        if is_as_decided:
            decisions.answer()
        else:
            decisions.give(kept.state)
        return kept

    async def _count_attempt(self, turns: Sequence[Turn[A]], conflict: ConcurrencyError) -> None:
        """Refuse those commands whose last attempt has met a conflict."""
        if any(turn.attempts == 1 for turn in turns):
            await check_conflict(self._store, conflict)
        for turn in turns:
            turn.attempts -= 1
            if not turn.attempts:
                turn.refuse(conflict)


def _is_of_one(error: Exception) -> bool:
    """Tell whether an append was refused, and nothing stored, for what one of its events is."""
    return isinstance(error, InlineError) or (
        isinstance(error, EventSourcingError) and not isinstance(error, StorageError)
    )
