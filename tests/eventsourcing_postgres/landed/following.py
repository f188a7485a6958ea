"""What followed the stores that are kept here, since projections are in them: see ``program``.

After ``main`` of the program, before the dump, in a clone at the commit::

    python -c "from tests.eventsourcing_postgres.landed.following import main; main('URL')"

One key of one view is parked then. On PostgreSQL ``pg_dump`` is given ``--schema=landed_*``, too.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from eventsourcing_core import ProjectionParkedError, RecordedEvent, View, open_backend
from tests.eventsourcing_postgres.landed.program import Account, Deposited, Opened

if TYPE_CHECKING:
    from eventsourcing_core import Backend


@dataclass
class Balance:
    owner: str
    amount: Decimal = Decimal(0)


class Balances(View[Balance]):
    name = "landed-balances"
    indexes = ("owner",)

    def evolve(
        self, value: Balance | None, event: RecordedEvent[Opened | Deposited]
    ) -> Balance | None:
        match event.data:
            case Opened(owner):
                return Balance(owner)
            case Deposited(amount):
                assert value is not None
                return Balance(value.owner, value.amount + amount)


class Parked(Balances):
    name = "landed-parked"
    broken = False  # it is while the dump is made

    def evolve(
        self, value: Balance | None, event: RecordedEvent[Opened | Deposited]
    ) -> Balance | None:
        if self.broken and event.stream_id == "Account-msgpack" and event.version == 3:
            raise ValueError(event.version)
        return super().evolve(value, event)


async def views_go_on(backend: Backend) -> None:
    """Show that they have the values of the dump, and count each event once from there on."""
    balances, parked = backend.view(Balances), backend.view(Parked)
    before = {"json": Decimal("0.21"), "msgpack": Decimal("0.21")}
    names = {f"Account-{name}": Balance(f"Zoë {name}", cents) for name, cents in before.items()}
    assert dict([pair async for pair in balances.all()]) == names
    assert await parked.get("Account-msgpack") == Balance("Zoë msgpack", Decimal("0.01"))
    (status,) = await backend.projections.status("landed-parked")
    assert status.parked == 1

    accounts = backend.repository(Account)
    account = await accounts.load("msgpack")
    account.deposit(Decimal(1))
    saved = await accounts.save(account)
    async with backend.projector([Balances(), Parked()]) as projector:
        await projector.retry("landed-parked")
        for view in (Balances, Parked):
            await projector.wait_for(saved, view, timeout=30)
            names["Account-msgpack"] = Balance("Zoë msgpack", Decimal("1.21"))
            assert dict([pair async for pair in backend.view(view).all()]) == names
    found = [key async for key, _ in balances.where(owner="Zoë json")]
    assert found == ["Account-json"]


async def follow(url: str) -> None:
    """Let the views follow all that there is."""
    async with open_backend(url) as backend:
        head = max([each.position async for each in backend.event_store.read_all()])
        async with backend.projector([Balances(), Parked()], segments=4) as projector:
            await projector.wait_for(head, "landed-balances", timeout=30)
            try:
                await projector.wait_for(head, "landed-parked", timeout=30)
            except ProjectionParkedError as error:
                print(error)


def main(url: str) -> None:
    """Follow it, and print what is parked."""
    Parked.broken = True
    asyncio.run(follow(url))
