"""An aggregate with state of many forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from eventsourcing_core import Aggregate, Event, EventTypes, event
from eventsourcing_core._state.state import OWN_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable

types = EventTypes()


class Mood(Enum):
    """How an account is."""

    GOOD = "good"
    BAD = "bad"


class Kind(StrEnum):
    """What an account is for."""

    PRIVATE = "private"
    SHARED = "shared"


@dataclass(frozen=True)
class Name:
    """What an account was called, and is."""

    former: tuple[str, ...]
    now: str
    kind: Kind


@event(event_types=types)
class Booked:
    """An amount was booked to an account."""

    account: str
    amount: Decimal


@event(event_types=types)
class Renamed:
    """An account got another name."""

    account: str
    to: str


@event(event_types=types)
class Closed:
    """An account was closed."""

    account: str


@dataclass
class Account:
    """One account of a ledger: it changes."""

    amounts: list[Decimal] = field(default_factory=list[Decimal])
    mood: Mood = Mood.GOOD


class Ledger(Aggregate):
    """Accounts, what was closed, and sums."""

    event_types = types
    total: Decimal = Decimal(0)
    last: Decimal | str | None = None
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    accounts: dict[str, Account]
    closed: set[str]
    pairs: dict[tuple[str, int], list[str]]
    name: Name | None = None
    names: list[Name]
    renamed: Renamed | None = None
    kind: Kind = Kind.PRIVATE

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.accounts = {}
        self.closed = set()
        self.pairs = {}
        self.names = []

    def record(self, changes: Iterable[object]) -> None:
        """Record what happened."""
        for change in changes:
            self._record(change)

    def apply(self, event: Event[Booked | Renamed | Closed]) -> None:
        """Change the state, whatever the order of events is."""
        self.at += timedelta(microseconds=1)
        match event.data:
            case Booked(account, amount):
                self.total += amount
                self.last = amount
                booked = self.accounts.setdefault(account, Account())
                booked.amounts.append(amount)
                booked.mood = Mood.BAD if amount < 0 else Mood.GOOD
            case Renamed(account, to):
                self.last = to
                self.renamed = event.data
                self.kind = Kind.SHARED if account == to else Kind.PRIVATE
                former = (*self.name.former, self.name.now) if self.name else ()
                self.name = Name(former, to, self.kind)
                self.names.append(self.name)  # the same object: it never changes
                self.accounts[to] = self.accounts.pop(account, Account())
                self.pairs.setdefault((account, len(self.accounts)), []).append(to)
            case Closed(account):
                self.last = None
                self.closed.add(account)
                self.accounts.pop(account, None)


def state(ledger: Ledger) -> dict[str, object]:
    """Give version and state."""
    own = OWN_ATTRIBUTES - {"version"}
    values = {name: getattr(ledger, name) for name in Ledger.__annotations__}
    return values | {name: value for name, value in vars(ledger).items() if name not in own}


_names = st.sampled_from(["a", "b", "Zoë"])
changes = st.one_of(
    st.builds(Booked, _names, st.decimals(-100, 100, places=2)),
    st.builds(Renamed, _names, _names),
    st.builds(Closed, _names),
)
"""What may happen to a ledger."""
