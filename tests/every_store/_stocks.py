"""The stock of an article, once as a decider and once as an aggregate: they do the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from hypothesis import strategies as st

from eventsourcing_core import Aggregate, Decider, Event, EventTypes, event

types = EventTypes()


@event(event_types=types)
class Received:
    """Some came in."""

    tag: str
    count: int


@event(event_types=types)
class Taken:
    """Some went out."""

    tag: str
    count: int


@event(event_types=types)
class SoldOut:
    """Nothing is left."""

    tag: str


@dataclass(frozen=True)
class Receive:
    """Let some come in; if none do, nothing has happened."""

    tag: str
    count: int


@dataclass(frozen=True)
class Take:
    """Take some out, and tell if these are the last ones."""

    tag: str
    count: int


class NotEnoughError(Exception):
    """More was asked for than there is."""


StockEvent = Received | Taken | SoldOut
StockCommand = Receive | Take


@dataclass(frozen=True)
class New:
    """Nothing has happened yet."""


@dataclass(frozen=True)
class Stock:
    """What there is."""

    count: int = 0
    tags: tuple[str, ...] = ()
    is_sold_out: bool = False


State = New | Stock


def decide(command: StockCommand, state: State) -> list[StockEvent]:
    """Decide as the aggregate does."""
    match command:
        case Receive(_, 0):
            return []
        case Receive(tag, count):
            return [Received(tag, count)]
        case Take(tag, count):
            there = state.count if isinstance(state, Stock) else 0
            if count > there:
                raise NotEnoughError(there)
            taken = Taken(tag, count)
            return [taken, SoldOut(tag)] if count == there else [taken]
        case _:
            assert_never(command)


def evolve(state: State, event: StockEvent) -> State:
    """Give the next state."""
    stock = Stock() if isinstance(state, New) else state
    tags = (*stock.tags, event.tag)
    match event:
        case Received(_, count):
            return Stock(stock.count + count, tags)
        case Taken(_, count):
            return replace(stock, count=stock.count - count, tags=tags)
        case SoldOut():
            return replace(stock, is_sold_out=True)
        case _:
            assert_never(event)


stocks = Decider(decide, evolve, New(), category="stock", event_types=types)


class StockAggregate(Aggregate):
    """The same as an object."""

    event_types = types
    count: int = 0
    tags: list[str]
    is_sold_out: bool = False

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.tags = []

    def obey(self, command: StockCommand) -> None:
        """Obey a command."""
        match command:
            case Receive(tag, count):
                if count:
                    self._record(Received(tag, count))
            case Take(tag, count):
                if count > self.count:
                    raise NotEnoughError(self.count)
                self._record(Taken(tag, count))
                if not self.count:
                    self._record(SoldOut(tag))

    def apply(self, event: Event[StockEvent]) -> None:
        """Count."""
        match event.data:
            case Received(tag, count):
                self.count += count
                self.tags.append(tag)
                self.is_sold_out = False
            case Taken(tag, count):
                self.count -= count
                self.tags.append(tag)
            case SoldOut():
                self.is_sold_out = True

    def as_state(self) -> State:
        """Give what the decider's state should be."""
        if not self.version:
            return New()
        return Stock(self.count, tuple(self.tags), self.is_sold_out)


_counts = st.integers(0, 5)
commands = st.one_of(
    st.builds(Receive, st.just(""), _counts), st.builds(Take, st.just(""), _counts)
)
"""What may be asked of a stock; the tag is for who asks."""
