"""The code of the demo: each piece is run as it stands, and shown as it stands."""

from __future__ import annotations

from decimal import Decimal

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Event,
    event,
    open_backend,
)


@event("account.opened")
class Opened:
    owner: str


@event("money.deposited")
class Deposited:
    amount: Decimal


@event("money.withdrawn")
class Withdrawn:
    amount: Decimal


class NotEnoughMoneyError(Exception): ...


class BankAccount(Aggregate):
    owner: str = ""
    balance: Decimal = Decimal(0)

    def open(self, owner: str) -> None:
        self._record(Opened(owner))

    def deposit(self, amount: int) -> None:
        self._record(Deposited(Decimal(amount)))

    def withdraw(self, amount: int) -> None:
        if amount > self.balance:
            raise NotEnoughMoneyError(self.balance)
        self._record(Withdrawn(Decimal(amount)))

    def apply(
        self,
        event: Event[Opened | Deposited | Withdrawn],
    ) -> None:
        match event.data:
            case Opened(owner):
                self.owner = owner
            case Deposited(amount):
                self.balance += amount
            case Withdrawn(amount):
                self.balance -= amount


async def open_accounts(url: str) -> None:
    """Two accounts are opened, and their events recorded."""
    async with open_backend(url) as backend:
        accounts = backend.repository(BankAccount)
        for name, amount in ("alice", 100), ("bob", 20):
            account = await accounts.load(name)
            account.open(name.title())
            account.deposit(amount)
            saved = await accounts.save(account)
            print(f"{name} is at version {saved.version}")


async def load_account(url: str) -> None:
    """An account is loaded: its events are applied again."""
    async with open_backend(url) as backend:
        accounts = backend.repository(BankAccount)
        account = await accounts.load("alice")
        print(f"{account.owner} has {account.balance}")


async def read_events(url: str) -> None:
    """What happened is there to be read, in one order."""
    async with open_backend(url) as backend:
        events = backend.event_store
        async for each in events.read_all():
            print(each.position, each.data)


async def take_snapshot(url: str) -> None:
    """A snapshot keeps the state, so a long history loads fast."""
    async with open_backend(url) as backend:
        accounts = backend.repository(BankAccount)
        account = await accounts.load("alice")
        await accounts.take_snapshot(account)
        snapshots = backend.snapshot_store
        snapshot = await snapshots.load(account.stream_id)
        if snapshot:
            print(snapshot.state.decode())


async def collide(url: str) -> None:
    """Two people change one account at once: the second is told."""
    async with open_backend(url) as backend:
        accounts = backend.repository(BankAccount)
        first = await accounts.load("alice")
        second = await accounts.load("alice")
        first.withdraw(70)
        second.withdraw(70)
        await accounts.save(first)
        try:
            await accounts.save(second)
        except ConcurrencyError as error:
            print(f"ConcurrencyError: {error}")
        account = await accounts.load("alice")
        print(f"{account.owner} has {account.balance}")


TYPES = (
    Opened,
    Deposited,
    Withdrawn,
    NotEnoughMoneyError,
    BankAccount,
)
"""What is shown before the first step."""
STEPS = (open_accounts, load_account, read_events, take_snapshot, collide)
"""The steps, in their order."""
