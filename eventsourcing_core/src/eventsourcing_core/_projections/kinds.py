"""The three kinds of things that follow the log: what users write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from eventsourcing_core._events.event import RecordedEvent

V = TypeVar("V")
C = TypeVar("C")


class Follower:
    """What the three kinds share: a stored name, a version, and which events they are given.

    They are given the events of the classes in the annotation of their handler's ``event``, such as
    ``RecordedEvent[Opened | Closed]``; or those in ``event_types``; or, if neither says anything,
    all.
    """

    name: ClassVar[str]
    """The stored name: 1 to 40 of a-z, 0-9 and ``-``, a letter first. It is for ever."""
    version: ClassVar[int] = 1
    """Raise it when what is stored has to be built anew: that goes on beside the old version."""
    event_types: ClassVar[Collection[str | type] | None] = None
    """The classes or stored names of the events; None: those of the handler's annotation."""
    class_name: ClassVar[str | None] = None
    """What the class was called when the name was first used; None: what it is called now. So
    nobody else takes the name by mistake."""


class View(Follower, Generic[V]):
    """A value for each key, made of events; kept by the store, the same on every backend.

    The value is of any type that an event's field may have: a dataclass, a ``TypedDict``, a list, a
    text, … ::

        class OpenOrders(View[list[str]]):
            name = "open-orders"

            def key(self, event: RecordedEvent[Any]) -> str:
                return event.data.customer

            def evolve(
                self, value: list[str] | None, event: RecordedEvent[Placed | Shipped]
            ) -> list[str] | None:
                ...
    """

    indexes: ClassVar[tuple[str, ...]] = ()
    """The fields of the values that ``where`` may ask for."""

    def key(self, event: RecordedEvent[Any]) -> str | Collection[str] | None:
        """Say which key an event belongs to, or which several, or None; pure.

        Unless overridden it is the id of the stream. Keys follow the rule of stream ids.
        """
        return event.stream_id

    def evolve(self, value: V | None, event: RecordedEvent[Any]) -> V | None:
        """Give the value of a key after an event; None: the key has no value (any more).

        It must be pure: whatever else it does may be done twice, or not at all. It may change the
        value that it is given, and return it.
        """
        raise NotImplementedError


class Projection(Follower, Generic[C]):
    """Tables of your own, written in the transaction that notes how far the projection is.

    Define ``apply``, or ``apply_many`` where one statement can serve many events. Unqualified names
    are the projection's own tables. ::

        class Balances(Projection[asyncpg.Connection]):
            name = "balances"

            async def create(self, connection):
                await connection.execute("create table balance (account text primary key, …)")

            async def apply(self, event: RecordedEvent[Deposited], connection):
                await connection.execute("insert into balance …", event.stream_id, …)
    """

    def key(self, event: RecordedEvent[Any]) -> str | None:
        """Say within what events are applied in their order, and what waits if one fails; pure.

        Unless overridden it is the id of the stream. None: the event is left out.
        """
        return event.stream_id

    async def create(self, connection: C) -> None:
        """Make the tables of a new version, in the transaction that registers it."""

    async def apply(self, event: RecordedEvent[Any], connection: C) -> None:
        """Write what follows from an event; leave the transaction open."""
        raise NotImplementedError

    async def apply_many(self, events: Sequence[RecordedEvent[Any]], connection: C) -> None:
        """Write what follows from events, in their order; unless overridden, one by one."""
        for event in events:
            await self.apply(event, connection)


class Reactor(Follower):
    """Effects elsewhere: mails, messages, calls. At least once for each event.

    A process that is killed between the effect and the note that it was done does it again, so give
    ``event.event_id`` to whoever can tell a repetition by it.
    """

    start: ClassVar[Literal["beginning", "now"]] = "beginning"
    """Where its first version begins: with the first event of the log, or with the next one."""

    def key(self, event: RecordedEvent[Any]) -> str | None:
        """Say within what events come in their order; see ``Projection.key``."""
        return event.stream_id

    async def react(self, event: RecordedEvent[Any]) -> None:
        """Do what follows from an event."""
        raise NotImplementedError
