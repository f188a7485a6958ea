"""Given, when, then: tests of aggregates and deciders in the words of their domain.

It needs no pytest, and no store: what is tested is pure.
"""

from __future__ import annotations

import inspect
import re
from difflib import ndiff
from pprint import pformat
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.decider import Decided, Decider
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import shown
from eventsourcing_core._events.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Self

    from eventsourcing_core._events.event_types import EventTypes

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")

_WIDTH = 80
"""Characters of a line that shows events."""


@overload
def given(subject: type[A], *events: object, id: str = ...) -> GivenAggregate[A]: ...
@overload
def given(
    subject: Decider[C, E, S], *events: E | Event[E], id: str = ...
) -> GivenDecider[C, S]: ...
def given(
    subject: type[A] | Decider[C, E, S],
    *events: object,
    id: str = "1",  # noqa: A002 - the word of the domain
) -> GivenAggregate[A] | GivenDecider[C, S]:
    """Say what has happened before a command.

    >>> from eventsourcing_core import Aggregate, event
    >>> from eventsourcing_core.testing import given
    >>> @event("door.opened")
    ... class Opened:
    ...     pass
    >>> class Door(Aggregate):
    ...     is_open: bool = False
    ...
    ...     def open(self) -> None:
    ...         if self.is_open:
    ...             raise ValueError("it is open")
    ...         self._record(Opened())
    ...
    ...     def apply(self, event: object) -> None:
    ...         self.is_open = True
    >>> _ = given(Door).when(lambda door: door.open()).then(Opened())
    >>> _ = given(Door, Opened()).when(lambda door: door.open()).then_raises(ValueError)

    Args:
        subject: A class of aggregates, or a decider.
        events: The events so far, the first one first: payloads; or an ``Event``, where its
            metadata or its time count.
        id: The id of the aggregate.

    Raises:
        TypeError: It is about something else, or a class is given in place of a payload.
        SerializationError: An event cannot be stored, so it cannot have happened.
        UnknownEventTypeError: The class of a payload is not registered.
    """
    if isinstance(subject, Decider):
        cls = subject.aggregate_class
        return GivenDecider(cls, _history(cls, events), id)
    if not (isinstance(cast("object", subject), type) and issubclass(subject, Aggregate)):
        message = f"given() is about a class of aggregates or a decider, got {shown(subject)}"
        raise TypeError(message)
    return GivenAggregate(subject, _history(subject, events), id)


class GivenAggregate(Generic[A]):
    """An aggregate to which something has happened; ``given`` makes it."""

    def __init__(self, cls: type[A], history: Sequence[Event[Any]], id: str) -> None:  # noqa: A002 - the word of the domain
        self._class, self._history, self._id = cls, history, id

    def when(self, command: Callable[[A], object]) -> AggregateOutcome[A]:
        """Give a command, such as ``lambda account: account.deposit(5)``.

        What it raises is kept for ``then_raises``. Each call begins with what was given.

        Raises:
            TypeError: It cannot be called, or would have to be awaited.
        """
        aggregate = self._class.from_events(self._id, self._history)
        return AggregateOutcome(aggregate, _error_of(command, aggregate))


class GivenDecider(Generic[C, S]):
    """A stream of a decider in which something has happened; ``given`` makes it."""

    def __init__(
        self,
        cls: type[Decided[C, Any, S]],
        history: Sequence[Event[Any]],
        id: str,  # noqa: A002 - the word of the domain
    ) -> None:
        self._class, self._history, self._id = cls, history, id

    def when(self, command: C) -> DeciderOutcome[S]:
        """Let the decider decide on a command.

        What it raises is kept for ``then_raises``. Each call begins with what was given.
        """
        decided = self._class.from_events(self._id, self._history)
        error = _error_of(lambda one: one.decide(command), decided)
        events = [*self._history, *decided.pending_events]
        return DeciderOutcome(decided, error, self._class.from_events(self._id, events).state)


class Outcome(Generic[A]):
    """What came of a command: events, or an error, or nothing.

    A claim that does not hold raises an ``AssertionError``. One that holds gives the outcome again,
    for the next one.
    """

    def __init__(self, aggregate: A, error: Exception | None) -> None:
        self._aggregate = aggregate
        self._error = error

    @property
    def events(self) -> tuple[object, ...]:
        """The payloads that were recorded."""
        return tuple(event.data for event in self._aggregate.pending_events)

    def then(self, *events: object) -> Self:
        """Claim that these events were recorded, in this order, and no others.

        Args:
            events: Their payloads; one is compared by its class and by ``==``.

        Raises:
            SerializationError: One of them cannot be stored: a field is of another type than its
                hint says.
            UnknownEventTypeError: The class of one is not registered.
        """
        __tracebackhide__ = True
        types = self._aggregate.event_types
        _check_storable([Event.of(event, event_types=types) for event in events], types)
        self._refuse_error(f"{len(events)} events" if len(events) != 1 else "an event")
        if not _are_equal(events, self.events):
            difference = _difference(events, self.events)
            message = f"other events were recorded (- expected, + recorded):\n{difference}"
            raise AssertionError(message)
        _check_storable(self._aggregate.pending_events, types)  # 1 and True are equal, too
        return self

    def then_tags(self, *tags: Collection[str]) -> Self:
        """Claim that the events that were recorded have these tags, and no others.

        Args:
            tags: For each event, in order, its tags.
        """
        __tracebackhide__ = True
        self._refuse_error("events with tags")
        for each in tags:
            if isinstance(each, str):
                message = f"then_tags() takes the tags of each event as a set, got {shown(each)}"
                raise TypeError(message)
        expected = [sorted(each) for each in tags]
        found = [sorted(event.tags) for event in self._aggregate.pending_events]
        if expected != found:
            difference = _difference(expected, found)
            message = f"the events have other tags (- expected, + recorded):\n{difference}"
            raise AssertionError(message)
        return self

    def then_nothing(self) -> Self:
        """Claim that nothing was recorded, and nothing raised."""
        __tracebackhide__ = True
        self._refuse_error("nothing")
        if self.events:
            message = f"nothing should be recorded, but was:\n{_listed(self.events)}"
            raise AssertionError(message)
        return self

    def then_raises(
        self, error: type[Exception] | tuple[type[Exception], ...], *, match: str | None = None
    ) -> Self:
        """Claim that the command was refused, and that nothing was recorded before.

        Args:
            error: What was raised: a class, or one of several.
            match: A regular expression that is found in its message.
        """
        __tracebackhide__ = True
        expected = _names(error)
        if self._error is None:
            outcome = f"recorded:\n{_listed(self.events)}" if self.events else "recorded nothing"
            message = f"{expected} should be raised, but the command {outcome}"
            raise AssertionError(message)
        raised = f"{type(self._error).__name__}: {self._error}"
        if not isinstance(self._error, error):
            message = f"{expected} should be raised, but it was {raised}"
            raise AssertionError(message) from self._error  # noqa: TRY004 - a test fails
        if match is not None and re.search(match, str(self._error)) is None:
            message = f"the error does not match {match!r}: {raised}"
            raise AssertionError(message) from self._error
        if self.events:
            message = (
                f"{raised} was raised as it should, but after events were recorded, which a save "
                f"would store:\n{_listed(self.events)}"
            )
            raise AssertionError(message) from self._error
        return self

    def _refuse_error(self, expected: str) -> None:
        __tracebackhide__ = True
        if self._error is not None:
            message = (
                f"{expected} should be recorded, but the command has raised "
                f"{type(self._error).__name__}: {self._error}"
            )
            raise AssertionError(message) from self._error


class AggregateOutcome(Outcome[A], Generic[A]):
    """What came of a command to an aggregate."""

    def then_state(self, **attributes: object) -> Self:
        """Claim that attributes of the aggregate have these values, after the command.

        Events say more: they are stored, and attributes may change with the next version.
        """
        __tracebackhide__ = True
        found = {name: getattr(self._aggregate, name) for name in attributes}
        _check_state(attributes, found)
        return self


class DeciderOutcome(Outcome[Decided[Any, Any, S]], Generic[S]):
    """What came of a command to a decider."""

    def __init__(self, aggregate: Decided[Any, Any, S], error: Exception | None, state: S) -> None:
        super().__init__(aggregate, error)
        self._state = state

    def then_state(self, state: S) -> Self:
        """Claim that this is the state after the command: what ``evolve`` makes of all events.

        It is made anew, of what was given and what was recorded. The state that ``decide`` has got
        must be the same after it: one that ``decide`` has changed is stored nowhere.
        """
        __tracebackhide__ = True
        _check_state(state, self._state)
        if self._aggregate.state != self._state:
            difference = _difference([self._state], [self._aggregate.state])
            message = (
                "decide has changed the state that it was given, and only evolve may (- as the "
                f"events make it, + as it was left):\n{difference}"
            )
            raise AssertionError(message)
        return self


def _history(cls: type[Aggregate], events: Iterable[Any]) -> list[Event[Any]]:
    history: list[Event[Any]] = []
    for event in events:
        given: object = event
        if type(given) is list or isinstance(given, type):
            what = shown(cast("object", event))
            message = f"given() takes payloads, instances of event classes; got {what}"
            raise TypeError(message)
        is_event = issubclass(type(event), Event)
        history.append(event if is_event else Event.of(event, event_types=cls.event_types))
    _check_storable(history, cls.event_types)
    return history


def _check_storable(events: Iterable[Event[Any]], event_types: EventTypes) -> None:
    """Refuse events that no store would take.

    Raises:
        SerializationError: One of them is such; names the field.
    """
    codec = EventCodec(event_types=event_types)
    for event in events:
        codec.encode(event)


def _error_of(command: Callable[[A], object], aggregate: A) -> Exception | None:
    if not callable(command):
        message = (
            f"when() takes a command that is called, such as a lambda, got {shown(command)}: "
            "when(lambda account: account.deposit(5))"
        )
        raise TypeError(message)
    try:
        outcome = command(aggregate)
    except Exception as error:  # noqa: BLE001 - whatever it is, a claim is made about it
        return error
    if inspect.isawaitable(outcome):
        if inspect.iscoroutine(outcome):
            outcome.close()  # else Python warns that nobody has waited for it
        message = (
            f"when() takes a command that does not wait, and {shown(command)} is to be awaited: "
            "test it with a repository on memory://"
        )
        raise TypeError(message)
    return None


def _are_equal(expected: tuple[object, ...], found: tuple[object, ...]) -> bool:
    # Two classes may have equal instances: named tuples are compared as tuples.
    return list(map(type, expected)) == list(map(type, found)) and expected == found


def _check_state(expected: object, found: object) -> None:
    __tracebackhide__ = True
    if expected != found:
        difference = _difference([expected], [found])
        message = f"the state is another one (- expected, + found):\n{difference}"
        raise AssertionError(message)


def _difference(expected: Iterable[object], found: Iterable[object]) -> str:
    """Show both, line by line; where they look alike, say so."""
    lines = [line.rstrip() for line in ndiff(_lines(expected), _lines(found))]
    if not any(line.startswith(("-", "+")) for line in lines):
        lines.append("(they look alike, but are not equal: a class in them may have no __eq__)")
    return "\n".join(lines)


def _lines(values: Iterable[object]) -> list[str]:
    texts = (pformat(value, width=_WIDTH, sort_dicts=False) for value in values)
    return [line for text in texts for line in text.splitlines()]


def _listed(events: Iterable[object]) -> str:
    return "\n".join(f"  {line}" for line in _lines(events))


def _names(error: type[Exception] | tuple[type[Exception], ...]) -> str:
    errors: tuple[object, ...] = error if isinstance(error, tuple) else (error,)
    for each in errors:
        if not isinstance(each, type):
            message = f"then_raises() takes a class of errors, got {shown(each)}"
            raise TypeError(message)
    return " or ".join(getattr(each, "__name__", "") for each in errors)
