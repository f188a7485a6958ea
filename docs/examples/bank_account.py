"""A bank account: one aggregate on one page, on an SQLite file.

Run it again, and the account goes on from where it was: what happened is in the file.

python docs/examples/bank_account.py
python docs/examples/bank_account.py --store memory://
"""

import argparse
import asyncio
import sys
from decimal import Decimal

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Event,
    EventSourcingError,
    Repository,
    event,
    open_backend,
)


# Events: what happened, in the words of the bank.
@event("account.opened")
class AccountOpened:
    """Somebody became a customer."""

    owner: str


@event("money.deposited")
class MoneyDeposited:
    """Money came in."""

    amount: Decimal


@event("money.withdrawn")
class MoneyWithdrawn:
    """Money went out."""

    amount: Decimal


# The aggregate: apply changes the state, commands look at it, decide and record.
class InsufficientFunds(Exception):  # noqa: N818 - the bank's own word
    """The account does not hold what is asked of it."""

    def __init__(self, account: str, balance: Decimal, amount: Decimal) -> None:
        super().__init__(f"account {account!r} holds {balance}, so {amount} cannot be withdrawn")


class BankAccount(Aggregate):
    """An account that is never overdrawn."""

    owner: str = ""
    balance: Decimal = Decimal(0)

    def apply(self, event: Event[AccountOpened | MoneyDeposited | MoneyWithdrawn]) -> None:
        """Change the state by what happened."""
        match event.data:
            case AccountOpened(owner):
                self.owner = owner
            case MoneyDeposited(amount):
                self.balance += amount
            case MoneyWithdrawn(amount):
                self.balance -= amount

    def open(self, owner: str) -> None:
        """Open the account, once."""
        if self.owner:
            message = f"account {self.id!r} is open already: it is {self.owner}'s"
            raise ValueError(message)
        self._record(AccountOpened(owner))

    def deposit(self, amount: Decimal) -> None:
        """Put money in."""
        self._check(amount)
        self._record(MoneyDeposited(amount))

    def withdraw(self, amount: Decimal) -> None:
        """Take money out, if there is enough."""
        self._check(amount)
        if amount > self.balance:
            raise InsufficientFunds(self.id, self.balance, amount)
        self._record(MoneyWithdrawn(amount))

    def _check(self, amount: Decimal) -> None:
        if not self.owner:
            message = f"account {self.id!r} is not open"
            raise ValueError(message)
        if amount <= 0:
            message = f"an amount is more than 0, got {amount}"
            raise ValueError(message)


# The program.
async def record(accounts: Repository[BankAccount]) -> None:
    """Give commands, and save the events that they recorded."""
    account = await accounts.load("42")
    if not account.version:
        account.open("Alice")
    account.deposit(Decimal("100.00"))
    account.withdraw(Decimal("30.00"))
    print("Recorded:")
    for recorded in account.pending_events:
        print(f"  {recorded.timestamp:%Y-%m-%d %H:%M:%S}  {recorded.data}")
    await accounts.save(account)


async def overdraw(accounts: Repository[BankAccount]) -> None:
    """Ask for more than there is: nothing is recorded."""
    account = await accounts.load("42")
    try:
        account.withdraw(account.balance + 1)
    except InsufficientFunds as error:
        print(f"Refused: {error}")


async def collide(accounts: Repository[BankAccount]) -> None:
    """Let two people change the account at once: the second one is told."""
    alice, bob = await accounts.load("42"), await accounts.load("42")
    alice.deposit(Decimal("20.00"))
    bob.withdraw(Decimal("10.00"))
    await accounts.save(alice)
    try:
        await accounts.save(bob)
    except ConcurrencyError as error:
        print(f"Conflict: {error}")


async def take_turns(accounts: Repository[BankAccount]) -> None:
    """Let them try again: whoever comes late loads, decides and saves anew."""
    print("The same with up to 3 attempts each:")

    def alice(account: BankAccount) -> None:
        print(f"  Alice deposits at version {account.version}")
        account.deposit(Decimal("20.00"))

    def bob(account: BankAccount) -> None:
        print(f"  Bob withdraws at version {account.version}")
        account.withdraw(Decimal("10.00"))

    await asyncio.gather(
        accounts.update("42", alice, attempts=3),
        accounts.update("42", bob, attempts=3),
    )


async def show(accounts: Repository[BankAccount]) -> None:
    """Load the account, which is rebuilt from its events."""
    account = await accounts.load("42")
    print(f"Loaded: {account.owner}, balance {account.balance}, version {account.version}")


async def run(url: str) -> None:
    """Open the store and tell the story."""
    async with open_backend(url) as backend:
        accounts = backend.repository(BankAccount)
        for scene in (record, show, overdraw, collide, take_turns, show):
            await scene(accounts)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A bank account, event by event.")
    parser.add_argument("--store", metavar="URL", default="sqlite:///bank.db", help="%(default)s")
    try:
        asyncio.run(run(parser.parse_args().store))
    except (EventSourcingError, ValueError) as error:
        sys.exit(f"bank_account: {error}")


if __name__ == "__main__":
    main()
