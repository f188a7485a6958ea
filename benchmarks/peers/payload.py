"""What every side stores: the same four values, about 100 bytes as JSON."""

from __future__ import annotations

from dataclasses import dataclass

EVENT_TYPE = "benchmarks.deposited"
OWNER = "alice"
CURRENCY = "EUR"
MEMO = "Salary for November, paid by transfer"


@dataclass(frozen=True, slots=True)
class Deposit:
    """An event's payload, for the sides that bring no class of their own."""

    owner: str
    amount: int
    currency: str
    memo: str


def values(amount: int) -> dict[str, str | int]:
    """Give the values of one deposit, as every side stores them."""
    return {"owner": OWNER, "amount": amount, "currency": CURRENCY, "memo": MEMO}
