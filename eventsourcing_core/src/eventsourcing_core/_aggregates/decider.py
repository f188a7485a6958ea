"""Deciders: a state and its rules as two functions, and the aggregate that keeps them.

There is one machinery for loading, saving, snapshots and the cache, and it is that of aggregates.
So a decider makes a class of them, whose ``apply`` calls ``evolve``, and whose command ``decide``.
"""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Iterator
from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.categories import check_category
from eventsourcing_core._aggregates.decider_hints import check_not_swapped, function_of
from eventsourcing_core._errors import shown
from eventsourcing_core._events.event import Event
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._payloads.evaluation import annotations_of
from eventsourcing_core._state.copying import never_changes, unshared
from eventsourcing_core.stores._checks import check_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")


class Decider(Generic[C, E, S]):
    """Rules as functions: which events follow from a command, and which state from the events.

    Both are plain functions of their arguments: they do no I/O, and read no clock. ``evolve`` never
    fails. It gets the payloads of events, without metadata and times. An event of a type that has
    no class here is passed over, as its payload is no ``E``; what has such an event is loaded, and
    not saved unless ``ignores`` names the type.

    >>> from eventsourcing_core import Decider, event
    >>> @event("lamp.switched")
    ... class Switched:
    ...     on: bool
    >>> def decide(command: bool, is_on: bool) -> list[Switched]:
    ...     return [] if command == is_on else [Switched(command)]
    >>> def evolve(is_on: bool, event: Switched) -> bool:
    ...     return event.on
    >>> lamps = Decider(decide, evolve, False, category="lamp")
    >>> lamps.decide(True, lamps.initial)
    [Switched(on=True)]

    ``backend.repository(lamps)`` loads and saves them; see ``DeciderRepository``.

    Args:
        decide: Gives the events that follow from a command on a state, in order: a list, a tuple or
            a generator of payloads of registered classes, empty where nothing happens. It refuses a
            command by an exception, and leaves the state as it is.
        evolve: Gives the state after an event. It may change the one that it gets, and give it
            back. Its annotation (``-> State``) says what a snapshot holds; without it there are
            none.
        initial: The state before the first event, or a class or function that makes it. One that
            can change is copied for each stream.
        category: The first part of the stream ids, ``category-id``. It is stored.
        event_types: The registry that knows the names of the events.
        state_version: Raise it when ``evolve`` or ``initial`` come to make another state of the
            same events: snapshots of another number are not used.
        ignores: The types of events that do not concern it; see ``Aggregate.ignores``.

    Raises:
        TypeError: A function would have to be awaited, or ``evolve`` is a generator; ``initial``
            can change and cannot be copied; or ``decide`` and ``evolve`` are exchanged, as far as
            their annotations say so.
        ValueError: The category is empty, holds a ``-``, or is another one's.
    """

    def __init__(  # noqa: PLR0913 - the three parts, and options by keyword
        self,
        decide: Callable[[C, S], Iterable[E]],
        evolve: Callable[[S, E], S],
        initial: S | Callable[[], S],
        *,
        category: str,
        event_types: EventTypes = default_event_types,
        state_version: int = 1,
        ignores: tuple[str, ...] | str = (),
    ) -> None:
        _check_function("decide", decide, may_yield=True)
        _check_function("evolve", evolve, may_yield=False)
        check_category(category, "category")
        _check_registry(event_types)
        check_whole("state_version", state_version, lowest=1)
        self.decide = decide
        """The function that was given."""
        self.evolve = evolve
        """The function that was given."""
        self._new = _maker_of(initial)
        check_not_swapped(decide, evolve, self._new())
        self.aggregate_class: type[Decided[C, E, S]] = _class_of(
            self, category, event_types, state_version, ignores
        )
        """The class of what repositories load; it is for what takes a class of aggregates."""

    @property
    def initial(self) -> S:
        """The state before the first event: one that nobody else has, if it can change."""
        return self._new()

    def __repr__(self) -> str:
        """Name the category."""
        return f"<Decider {self.aggregate_class.category!r}>"


class Decided(Aggregate, Generic[C, E, S]):
    """One stream of a decider: its state, its version, and what was decided and not yet saved.

    ``id``, ``version``, ``stream_id`` and ``pending_events`` are those of an ``Aggregate``.
    Repositories make it.
    """

    _decider: ClassVar[Decider[Any, Any, Any]]
    _snapshot_cure: ClassVar[str] = (
        "annotate what evolve gives, -> State, with a type of which all can be stored, or switch "
        "snapshots off: snapshot_frequency=None"
    )

    def __init__(self, id: str) -> None:  # noqa: A002 - the word of the domain
        super().__init__(id)
        self.state: S = self._decider.initial
        """What the events made of it; read it, and let only ``evolve`` change it."""

    def decide(self, command: C) -> tuple[E, ...]:
        """Decide on a command, record what follows from it, and give these events.

        Raises:
            TypeError: ``decide`` has given something else than payloads in order.
            UnknownEventTypeError: The class of a payload is not registered; nothing is recorded.
        """
        # All of them, before the first one changes the state that they are decided on.
        payloads = _payloads(command, self._decider.decide(command, self.state))
        for payload in payloads:
            if isinstance(payload, type | Event):
                given = shown(cast("object", payload))
                message = f"decide gives payloads, instances of event classes; got {given}"
                raise TypeError(message)
            self.event_types.name_of(type(payload))
        for payload in payloads:
            self._record(payload)
        return cast("tuple[E, ...]", payloads)

    def __repr__(self) -> str:
        """Show the state, and where it stands."""
        return f"<{self.category} {self.id!r} at version {self.version}: {self.state!r}>"


def _apply(decided: Decided[Any, Any, Any], event: Event[Any]) -> None:
    """Let ``evolve`` make the next state; it is ``apply`` of each decider's class."""
    if type(event.data) is dict:  # there is no class for it: evolve is not made for it
        return
    decider = decided._decider  # noqa: SLF001 - of this module
    state = decider.evolve(decided.state, event.data)
    # None may be a state, such as that of what does not exist; but then it is the first one.
    if state is None and decider.initial is not None:
        message = (
            f"evolve has given None for {shown(event.data)}: it gives the next state, also where "
            "the event changes nothing (None can be a state only if the initial one is None)"
        )
        raise TypeError(message)
    decided.state = state


def _class_of(
    decider: Decider[C, E, S],
    category: str,
    event_types: EventTypes,
    state_version: int,
    ignores: tuple[str, ...] | str,
) -> type[Decided[C, E, S]]:
    """Make a decider's class of aggregates; it is where its ``evolve`` is."""
    function = function_of(decider.evolve)
    annotations = annotations_of(function) if hasattr(function, "__annotations__") else {}
    namespace = {
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__annotations__": {"state": annotations["return"]} if "return" in annotations else {},
        "__doc__": f"A stream of the category {category!r}.",
        "category": category,
        "event_types": event_types,
        "state_version": state_version,
        "ignores": ignores,
        "apply": _apply,
        "_decider": decider,
    }
    return cast("type[Decided[C, E, S]]", ABCMeta(category, (Decided,), namespace))


def _payloads(command: object, given: object) -> tuple[object, ...]:
    """Give what ``decide`` has given as a tuple.

    Raises:
        TypeError: It is something else than payloads in order.
    """
    if type(given) in {list, tuple} or isinstance(given, Iterator):
        return tuple(cast("Iterable[object]", given))
    if inspect.iscoroutine(given):
        given.close()  # else Python warns that nobody has waited for it
    if inspect.isawaitable(given):
        cure = "it does no I/O; ask for what it needs before, and give it with the command"
    elif given is None:
        cure = "give the events in a list, and an empty one where nothing happens"
    else:
        cure = "give the events in a list, also where it is one"
    message = f"decide has given {shown(given)} for {shown(command)}: {cure}"
    raise TypeError(message)


def _maker_of(initial: S | Callable[[], S]) -> Callable[[], S]:
    given: Any = initial
    if isinstance(given, type | partial | GenericAlias) or inspect.isroutine(given):
        _check_function("initial", given, may_yield=False)
        return cast("Callable[[], S]", given)
    state = cast("S", given)
    try:
        own = unshared(state)
    except Exception as error:
        message = (
            f"initial is {shown(state)}, which can change and cannot be copied, so all streams "
            "would share it: give what makes it, such as its class"
        )
        raise TypeError(message) from error
    if never_changes(own):
        return lambda: own
    return lambda: unshared(own)


def _check_function(name: str, given: Any, *, may_yield: bool) -> None:
    if not callable(given):
        message = f"{name} is a function, got {shown(given)}"
        raise TypeError(message)
    called = function_of(given)
    waits = inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called)
    if waits or (inspect.isgeneratorfunction(called) and not may_yield):
        what = "a coroutine function" if waits else "a generator"
        message = (
            f"{name} is {what}: {shown(given)} gives its result at once, and does no I/O, so write "
            "it as a plain function"
        )
        raise TypeError(message)


def _check_registry(event_types: object) -> None:
    if not isinstance(event_types, EventTypes):
        message = f"event_types is the registry, an EventTypes, got {shown(event_types)}"
        raise TypeError(message)
