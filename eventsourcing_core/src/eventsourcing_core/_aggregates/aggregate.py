"""Aggregates: objects whose state is what their events made of it."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, cast

from eventsourcing_core._aggregates.categories import check_category, claim
from eventsourcing_core._aggregates.notebook import UNKNOWN, StoredAs, note, stored_as
from eventsourcing_core._errors import shown
from eventsourcing_core._events.event import Event
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._names import check_stream_id
from eventsourcing_core._payloads.evaluation import annotations_of
from eventsourcing_core._state.state import OWN_ATTRIBUTES, state_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Self
    from uuid import UUID

EVERY_TYPE = "*"
"""In place of the names that an aggregate ignores: all of them."""


class Aggregate(ABC):
    """A consistency boundary: commands check the state and record events, ``apply`` changes it.

    Subclasses annotate their state in the body of the class, with defaults, or without and set it
    in ``__init__(self, id)`` after calling ``super().__init__(id)``. What is annotated there is
    what a snapshot holds, but for what is marked as no state, ``cache: Transient[dict[str, int]]``;
    what is annotated only in ``__init__`` cannot be seen, and is refused when a snapshot is taken.
    ``id``, ``version``, ``stream_id`` and ``pending_events`` are names of the library.

    >>> from eventsourcing_core import Event, event
    >>> @event("counter.raised")
    ... class Raised:
    ...     by: int
    >>> class Counter(Aggregate):
    ...     total: int = 0
    ...
    ...     def increase(self, by: int) -> None:
    ...         self._record(Raised(by))
    ...
    ...     def apply(self, event: Event[Raised]) -> None:
    ...         self.total += event.data.by
    >>> counter = Counter("42")
    >>> counter.increase(3)
    >>> counter.total, counter.version, counter.stream_id
    (3, 1, 'Counter-42')

    Args:
        id: Names the aggregate within its category.

    Raises:
        InvalidStreamIdError: If category and id together are no stream id.
    """

    category: ClassVar[str] = ""
    """The first part of the stream id, ``category-id``: the class's name, unless the class sets it.

    It is stored, so a class that is renamed keeps its streams only if it is set. It may hold no
    ``-``. Two classes with one category and one registry are refused. A subclass has a category,
    and so streams, of its own, unless it sets the category of its base.
    """
    event_types: ClassVar[EventTypes] = default_event_types
    """The registry that knows the names of the recorded events.

    It is the one that ``@event`` fills, unless the class sets the one that was given as
    ``@event(event_types=…)``; the store's codec takes the same, ``open_backend(event_types=…)``.
    """
    state_version: ClassVar[int] = 1
    """Raise it when ``apply`` or ``__init__`` come to make another state of the same events.

    Snapshots of another number are not used, and those of bases count, too. Names and types of the
    attributes are compared without it.
    """

    ignores: ClassVar[Collection[str]] = ()
    """The types of events in its streams that do not concern it, and that no class is needed for.

    Another type without a class is one that this program does not know, and a newer one may: then
    an aggregate with such an event is loaded, but neither saved nor put into a snapshot. ``"*"``
    means every type. A class whose ``apply`` takes ``Event[Opened | dict[str, Any]]`` knows them
    all.
    """

    def __init_subclass__(cls, **options: object) -> None:
        """Name the category, and refuse what would go wrong later."""
        super().__init_subclass__(**options)
        is_given = "category" in vars(cls)
        if not is_given:
            cls.category = cls.__name__
        check_category(cls.category, f"{cls.__name__}.category")
        _check_ignored(cls)
        annotations = annotations_of(cls)
        _refuse_taken_names(cls, annotations)
        _refuse_waiting(cls)
        for name, value in vars(cls).items():
            if isinstance(value, dataclasses.Field):
                message = (
                    f"{cls.__name__}.{name} is a dataclasses.field(), but aggregates are no "
                    "dataclasses: set it in __init__ instead"
                )
                raise TypeError(message)
            is_constant = name.isupper() or "ClassVar" in str(annotations.get(name))
            is_mutable = type(value).__hash__ is None  # as dataclasses tell
            if is_mutable and not is_constant and name[:2] != "__":
                message = (
                    f"{cls.__name__}.{name} has a mutable default, which all aggregates would "
                    "share: set it in __init__ instead, or annotate it as a ClassVar"
                )
                raise TypeError(message)
        if not getattr(cls.apply, "__isabstractmethod__", False):  # else it has no streams
            claim(cls.category, cls, cls.event_types, is_given=is_given)

    def __init__(self, id: str) -> None:  # noqa: A002 - the word of the domain
        self.id: str = id
        self.version: int = 0
        self._pending_events: list[Event[Any]] = []
        self._event_ids: Iterator[UUID] | None = None
        check_stream_id(self.stream_id)

    @classmethod
    def stream_id_of(cls, id: str) -> str:  # noqa: A002 - the word of the domain
        """Give the stream id of the aggregate with that id: ``category-id``.

        Raises:
            InvalidStreamIdError: If the id is empty.
            TypeError: If the id is not a string.
        """
        check_stream_id(id)
        return f"{cls.category}-{id}"

    @property
    def stream_id(self) -> str:
        """The id of this aggregate's stream."""
        return self.stream_id_of(self.id)

    @property
    def pending_events(self) -> tuple[Event[Any], ...]:
        """The events that were recorded and not yet saved."""
        return tuple(self._pending_events)

    @abstractmethod
    def apply(self, event: Event[Any]) -> None:
        """Change the state by one event, whether it was just recorded or is read back.

        It never fails, checks nothing and does no I/O: what happened has happened. Of the event
        and the state alone it makes the next state: it reads no clock, not ``self.version``, which
        is set once all events are applied, and no cached property of what it changes, and takes
        nothing out of a set by its order (``pop``), which a snapshot does not keep. What it
        takes over from a payload it copies if it can change (``list(event.data.items)``), as the
        payload's maker may go on with it.
        """

    def snapshot_state(self) -> object:
        """Give the state as a tree of builtins, for a snapshot.

        This is a dict of the attributes that the class and its bases annotate, converted as the
        fields of events are. Attributes marked ``Transient`` are left out. Override it to store
        something else: None, bool, int, float, str, bytes, UUID, datetime, date, time, timedelta,
        Decimal, lists, and dicts with ``str`` keys. Then override ``restore_state``, too, and
        raise ``state_version`` whenever you change them.

        Raises:
            SnapshotError: An attribute cannot be stored; it says which, and what to do.
        """
        return state_of(type(self)).encode(self)

    def restore_state(self, state: Any) -> None:
        """Take over a state that ``snapshot_state`` gave; the aggregate was just made by its id.

        Raises:
            SnapshotError: The state is of another form.
        """
        state_of(type(self)).decode(state, self)

    def _record(self, payload: object, **metadata: object) -> None:
        """Make an event of a payload, apply it, and keep it to be saved.

        Raises:
            UnknownEventTypeError: If the payload's class is not registered.
        """
        if isinstance(payload, type | Event):
            given = shown(cast("object", payload))
            message = f"record the payload itself, an instance of an event class; got {given}"
            raise TypeError(message)
        event_id = None if self._event_ids is None else next(self._event_ids)
        event = Event.of(
            payload, event_id=event_id, metadata=metadata, event_types=self.event_types
        )
        try:
            self.apply(event)
        except BaseException:  # it may have changed a part of the state before
            stored_as(self).version = UNKNOWN
            raise
        self.version += 1
        self._pending_events.append(event)

    def clear_pending(self, events: Collection[Event[Any]] | None = None) -> list[Event[Any]]:
        """Take the pending events away, or only those given, and give them back."""
        stored_as(self).in_doubt = ()
        if events is None:
            taken, self._pending_events = self._pending_events, []
            return taken
        ids = {event.raw_event_id for event in events}
        taken = [event for event in self._pending_events if event.raw_event_id in ids]
        self._pending_events = [e for e in self._pending_events if e.raw_event_id not in ids]
        return taken

    @classmethod
    def from_events(cls, id: str, events: Iterable[Event[Any]]) -> Self:  # noqa: A002 - as above
        """Rebuild an aggregate from its events, the first one first.

        What upcasters have made of one stored event counts as one; what they have dropped does not
        count here, as it cannot be seen.
        """
        aggregate = cls(id)
        event_id = b""
        untyped: dict[str, int] = {}
        for event in events:
            aggregate.apply(event)
            aggregate.version += event.raw_event_id != event_id
            event_id = event.raw_event_id
            if type(event.data) is dict:
                untyped.setdefault(event.event_type, aggregate.version)
        if event_id:
            note(aggregate, StoredAs(aggregate.version, event_id=event_id, untyped=untyped))
        return aggregate


class _SetByInit:
    """Stands in the class for what ``Aggregate.__init__`` sets: who meets it, forgot to call that.

    It has no ``__set__``, so an attribute of the instance hides it, at no cost.
    """

    def __get__(self, instance: Aggregate | None, owner: type[Aggregate]) -> _SetByInit:
        if instance is None:
            return self
        message = f"{owner.__name__}.__init__ does not call super().__init__(id): do so first in it"
        raise AttributeError(message)


for _name in OWN_ATTRIBUTES:
    setattr(Aggregate, _name, _SetByInit())

_ATTRIBUTES = OWN_ATTRIBUTES | {"stream_id", "pending_events"}
_METHODS = frozenset(name for name in vars(Aggregate) if inspect.isroutine(vars(Aggregate)[name]))


def _refuse_taken_names(cls: type[Aggregate], annotations: Collection[str]) -> None:
    """Refuse attributes under names that ``Aggregate`` uses itself; methods may be overridden."""
    for name in (*annotations, *vars(cls)):
        is_data = name in annotations or not hasattr(vars(cls)[name], "__get__")
        if name in _ATTRIBUTES or (is_data and name in _METHODS):
            message = (
                f"{cls.__name__}.{name} is a name that Aggregate uses itself: "
                "give your attribute another one"
            )
            raise TypeError(message)


def _check_ignored(cls: type[Aggregate]) -> None:
    given: object = cls.ignores
    if given == EVERY_TYPE:
        return
    if not isinstance(given, tuple) or not all(isinstance(name, str) for name in given):
        message = (
            f"{cls.__name__}.ignores is a tuple of stored names, or {EVERY_TYPE!r} for every type, "
            f"got {shown(given)}"
        )
        raise TypeError(message)


def _refuse_waiting(cls: type[Aggregate]) -> None:
    """Refuse an ``apply`` that would do nothing when it is called."""
    apply = vars(cls).get("apply")
    if inspect.iscoroutinefunction(apply) or inspect.isgeneratorfunction(apply):
        message = (
            f"{cls.__name__}.apply is a coroutine function or a generator: it changes the state at "
            "once, and does no I/O, so write it as a plain function"
        )
        raise TypeError(message)


def use_event_ids(aggregate: Aggregate, event_ids: Iterator[UUID] | None) -> None:
    """Let what an aggregate records from now on have these ids; None: new ones."""
    aggregate._event_ids = event_ids  # noqa: SLF001 - it is the library's, and not for users
