"""The bank account, run as its reader runs it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from tests.examples.conftest import Load, Run

PROGRAM = "bank_account.py"


@pytest.fixture(scope="session")
def bank(load: Load) -> ModuleType:
    return load("bank_account")


@pytest.fixture(params=["memory://", "sqlite:///accounts.db"])
def store(request: pytest.FixtureRequest) -> str:
    url: str = request.param
    return url


def printed(run: Run, *arguments: str) -> str:
    finished = run(PROGRAM, *arguments)
    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    return finished.stdout


def test_it_prints_the_events_it_recorded_in_order(run: Run, store: str) -> None:
    recorded = printed(run, "--store", store).partition("Loaded")[0].splitlines()
    assert [line[23:] for line in recorded] == [
        "",  # the heading is shorter
        "AccountOpened(owner='Alice')",
        "MoneyDeposited(amount=Decimal('100.00'))",
        "MoneyWithdrawn(amount=Decimal('30.00'))",
    ]


def test_it_loads_back_what_it_recorded(run: Run, store: str) -> None:
    assert "Loaded: Alice, balance 70.00, version 3\n" in printed(run, "--store", store)


def test_an_overdraft_is_refused(run: Run, store: str) -> None:
    refused = "Refused: account '42' holds 70.00, so 71.00 cannot be withdrawn\n"
    assert refused in printed(run, "--store", store)


def test_the_second_of_two_who_change_the_account_gets_a_conflict(run: Run, store: str) -> None:
    conflict = "Conflict: stream 'BankAccount-42' is at version 4, the append expected version 3: "
    assert conflict in printed(run, "--store", store)


def test_with_attempts_both_changes_are_made(run: Run, store: str) -> None:
    assert printed(run, "--store", store).endswith("Loaded: Alice, balance 100.00, version 6\n")


def test_who_came_late_decides_again_on_the_new_state(run: Run) -> None:
    turns = printed(run, "--store", "memory://").partition("attempts each:\n")[2].splitlines()
    assert [line.split()[-1] for line in turns[:-1]] == ["4", "4", "5"]


def test_the_default_store_is_a_file_beside_the_user(run: Run, tmp_path: Path) -> None:
    printed(run)
    assert (tmp_path / "bank.db").read_bytes().startswith(b"SQLite format 3")


def test_a_second_run_goes_on_with_the_same_account(run: Run) -> None:
    printed(run)
    assert printed(run).endswith("Loaded: Alice, balance 200.00, version 11\n")


def test_a_second_run_does_not_open_the_account_again(run: Run) -> None:
    printed(run)
    assert "AccountOpened" not in printed(run)


def test_an_account_is_opened_once(bank: ModuleType) -> None:
    account = bank.BankAccount("7")
    account.open("Alice")
    with pytest.raises(ValueError, match="account '7' is open already: it is Alice's"):
        account.open("Bob")


@pytest.mark.parametrize("command", ["deposit", "withdraw"])
def test_an_account_that_is_not_open_moves_no_money(bank: ModuleType, command: str) -> None:
    with pytest.raises(ValueError, match="account '7' is not open"):
        getattr(bank.BankAccount("7"), command)(Decimal(1))


@pytest.mark.parametrize("command", ["deposit", "withdraw"])
@pytest.mark.parametrize("amount", ["0", "-0.01"])
def test_an_amount_is_more_than_nothing(bank: ModuleType, command: str, amount: str) -> None:
    account = bank.BankAccount("7")
    account.open("Alice")
    with pytest.raises(ValueError, match=f"an amount is more than 0, got {amount}"):
        getattr(account, command)(Decimal(amount))


def test_a_refused_command_records_nothing(bank: ModuleType) -> None:
    account = bank.BankAccount("7")
    account.open("Alice")
    with pytest.raises(bank.InsufficientFunds):
        account.withdraw(Decimal(1))
    assert account.pending_events[-1].data == bank.AccountOpened("Alice")


@pytest.mark.parametrize("url", ["bank.db", "nowhere://bank"])
def test_a_store_that_cannot_be_opened_is_one_clear_line(run: Run, url: str) -> None:
    finished = run(PROGRAM, "--store", url)
    assert finished.returncode == 1
    assert finished.stderr.startswith("bank_account: no")
    assert finished.stderr.count("\n") == 1
