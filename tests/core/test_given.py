"""Given, when, then: what holds passes, and what does not is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, assert_type

import pytest

from eventsourcing_core import (
    Aggregate,
    Decider,
    Event,
    EventTypes,
    SerializationError,
    UnknownEventTypeError,
    event,
)
from eventsourcing_core.testing import AggregateOutcome, DeciderOutcome, Outcome, given

types = EventTypes()


@event(event_types=types)
class Opened:
    """An account was opened."""

    owner: str


@event(event_types=types)
class Deposited:
    """Money came in."""

    amount: int
    note: str = ""


class Frozen(NamedTuple):
    """It was frozen."""

    by: str


class Thawed(NamedTuple):
    """It was thawed."""

    by: str


types.register(Frozen)
types.register(Thawed)


class Alike:
    """Looks like nothing, and is not."""

    def __repr__(self) -> str:
        """Look alike."""
        return "0"


class RefusedError(Exception):
    """A command is not obeyed."""


class Account(Aggregate):
    """Holds money."""

    event_types = types
    owner: str = ""
    balance: int = 0
    opened: datetime | None = None

    def open(self, owner: str) -> None:
        """Become somebody's."""
        if self.owner:
            message = f"{self.id} is {self.owner}'s"
            raise RefusedError(message)
        self._record(Opened(owner))

    def deposit(self, *amounts: int) -> None:
        """Take amounts one by one."""
        for amount in amounts:
            if amount < 0:
                message = "less than nothing"
                raise RefusedError(message)
            self._record(Deposited(amount))

    def freeze(self) -> None:
        """Stop."""
        self._record(Frozen("bank"))

    async def wait(self) -> None:
        """Wait."""

    def apply(self, event: Event[Any]) -> None:
        """Change."""
        match event.data:
            case Opened(owner):
                self.owner, self.opened = owner, event.timestamp
            case Deposited(amount):
                self.balance += amount
            case _:
                pass


@dataclass(frozen=True)
class Deposit:
    """Put money in."""

    amount: int


def decide(command: Deposit, balance: int) -> list[Deposited]:
    if command.amount < 0:
        message = f"less than nothing, with {balance} there"
        raise RefusedError(message)
    return [Deposited(command.amount)] if command.amount else []


def evolve(balance: int, event: Deposited) -> int:
    return balance + event.amount


balances = Decider(decide, evolve, 0, category="balance", event_types=types)


def test_claims_about_an_aggregate_that_hold() -> None:
    outcome = given(Account, Opened("A")).when(lambda account: account.deposit(5))
    assert_type(outcome, AggregateOutcome[Account])
    assert outcome.then(Deposited(5)).then_state(owner="A", balance=5) is outcome
    assert outcome.events == (Deposited(5),)
    given(Account, id="7").when(lambda account: account.open("A")).then(Opened("A"))
    given(Account, Opened("A")).when(lambda account: account.deposit()).then_nothing().then()
    given(Account, Opened("A"), id="7").when(lambda account: account.open("B")).then_raises(
        RefusedError, match=r"7 is A's$"
    )


def test_claims_about_a_decider_that_hold() -> None:
    outcome = given(balances, Deposited(2)).when(Deposit(5))
    assert_type(outcome, DeciderOutcome[int])
    outcome.then(Deposited(5)).then_state(7)
    given(balances).when(Deposit(0)).then_nothing().then_state(0)
    given(balances, Deposited(2)).when(Deposit(-1)).then_raises(RefusedError, match="with 2 there")
    given(balances).when(Deposit(-1)).then_raises((OSError, RefusedError)).then_state(0)


def test_each_command_begins_with_what_was_given() -> None:
    account, balance = given(Account, Opened("A")), given(balances, Deposited(1))
    for _ in range(2):
        account.when(lambda account: account.deposit(1)).then_state(balance=1)
        balance.when(Deposit(1)).then_state(2)


def test_an_event_may_bring_its_time() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    opened = Event.of(Opened("A"), timestamp=at, event_types=types)
    given(Account, opened).when(lambda account: account.deposit()).then_state(opened=at)


def deposit(*amounts: int) -> Outcome[Account]:
    return given(Account).when(lambda account: account.deposit(*amounts))


def test_other_events_are_shown_beside_those_expected() -> None:
    with pytest.raises(AssertionError) as failed:
        deposit(5, 6).then(Deposited(5), Deposited(7))
    lines = str(failed.value).splitlines()
    assert lines[0] == "other events were recorded (- expected, + recorded):"
    assert lines[1] == "  Deposited(amount=5, note='')"
    assert lines[2] == "- Deposited(amount=7, note='')"
    assert "+ Deposited(amount=6, note='')" in lines


def test_a_long_event_is_shown_field_by_field() -> None:
    with pytest.raises(AssertionError) as failed:
        deposit(5).then(Deposited(5, "n" * 80))
    lines = str(failed.value).splitlines()
    assert any(re.fullmatch(r"- +note='n{80}'\)", line) for line in lines), lines


@pytest.mark.parametrize(
    "events", [[], [Deposited(6), Deposited(5)], [Deposited(5)]], ids=["none", "order", "one"]
)
def test_events_are_all_and_in_order(events: list[object]) -> None:
    with pytest.raises(AssertionError, match="other events were recorded"):
        deposit(5, 6).then(*events)


def test_an_equal_event_of_another_class_is_another_one() -> None:
    with pytest.raises(AssertionError, match=r"(?s)- Thawed\(by='bank'\).*\+ Frozen\(by='bank'\)"):
        given(Account).when(lambda account: account.freeze()).then(Thawed("bank"))


def test_what_looks_alike_and_differs_is_said() -> None:
    with pytest.raises(AssertionError, match="they look alike, but are not equal"):
        given(Account).when(Account.deposit).then_state(balance=Alike())


def test_an_error_in_place_of_events_is_shown_and_is_the_cause() -> None:
    with pytest.raises(AssertionError, match="has raised RefusedError: less than") as failed:
        deposit(-1).then(Deposited(1))
    assert isinstance(failed.value.__cause__, RefusedError)
    with pytest.raises(AssertionError, match="nothing should be recorded, .* has raised"):
        deposit(-1).then_nothing()
    with pytest.raises(AssertionError, match="0 events should be recorded, .* has raised"):
        deposit(-1).then()


def test_events_in_place_of_nothing_are_shown() -> None:
    with pytest.raises(AssertionError, match=r"nothing should .*\n  Deposited\(amount=5"):
        deposit(5).then_nothing()


def test_events_in_place_of_an_error_are_shown() -> None:
    with pytest.raises(AssertionError, match=r"RefusedError should .*\n  Deposited\(amount=5"):
        deposit(5).then_raises(RefusedError)
    with pytest.raises(AssertionError, match="OSError or ValueError should .* recorded nothing"):
        deposit().then_raises((OSError, ValueError))


def test_another_error_is_shown_and_is_the_cause() -> None:
    with pytest.raises(AssertionError, match="OSError should be raised, but it was Ref") as failed:
        deposit(-1).then_raises(OSError)
    assert isinstance(failed.value.__cause__, RefusedError)


def test_another_message_is_shown() -> None:
    with pytest.raises(AssertionError, match="does not match 'more': RefusedError: less than"):
        deposit(-1).then_raises(RefusedError, match="more")


def test_what_was_recorded_before_an_error_is_shown() -> None:
    with pytest.raises(AssertionError, match=r"which a save would store:\n  Deposited\(amount=5"):
        deposit(5, -1).then_raises(RefusedError)


def test_another_state_is_shown() -> None:
    with pytest.raises(AssertionError, match=r"(?s)the state is another one.*\n- 8\n\+ 7"):
        given(balances, Deposited(2)).when(Deposit(5)).then_state(8)
    with pytest.raises(AssertionError, match=r"(?s)- {'balance': 6}.*\+ {'balance': 5}"):
        given(Account).when(lambda account: account.deposit(5)).then_state(balance=6)


def test_what_nothing_can_be_given_about_is_refused() -> None:
    nobody: Any = Account("1")
    with pytest.raises(TypeError, match="about a class of aggregates or a decider, got"):
        given(nobody)


def test_what_is_no_event_cannot_have_happened() -> None:
    with pytest.raises(TypeError, match="instances of event classes; got"):
        given(Account, Opened)
    with pytest.raises(UnknownEventTypeError, match="Deposit is not a registered event class"):
        given(Account, Deposit(5))


@pytest.mark.filterwarnings("error")
def test_a_command_that_waits_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a command that does not wait"):
        given(Account).when(lambda account: account.wait())


def test_what_cannot_be_called_or_raised_is_refused_at_once() -> None:
    some: Any = "deposit"
    account = given(Account)
    with pytest.raises(TypeError, match="takes a command that is called"):
        account.when(some)
    outcome = account.when(lambda account: account.deposit(-1))
    error: Any = RefusedError("x")
    with pytest.raises(TypeError, match="takes a class of errors"):
        outcome.then_raises(error)
    with pytest.raises(TypeError, match="takes payloads"):
        given(Account, [Opened("A")])


def test_events_that_no_store_takes_are_refused_on_both_sides() -> None:
    wrong: Any = "text"
    with pytest.raises(SerializationError, match=r"Deposited\.amount must be int, got str"):
        given(Account).when(lambda account: account.deposit(5)).then(Deposited(wrong))
    with pytest.raises(SerializationError, match=r"Deposited\.amount must be int"):
        given(balances, Deposited(wrong))
    equal: Any = 1.0
    with pytest.raises(SerializationError, match=r"Deposited\.amount must be int, got float"):
        given(Account).when(lambda account: account.deposit(equal)).then(Deposited(1))


def test_an_unregistered_event_is_not_expected() -> None:
    with pytest.raises(UnknownEventTypeError):
        given(Account).when(lambda account: account.deposit(5)).then(Alike())


def keep(command: int, kept: list[int]) -> list[Deposited]:
    kept.append(command)
    return [Deposited(command)]


def forget(kept: list[int], _: Deposited) -> list[int]:
    return kept


def keep_too(kept: list[int], event: Deposited) -> list[int]:
    return [*kept, event.amount]


def test_the_state_is_what_the_events_make_and_not_what_decide_leaves() -> None:
    forgetting = Decider(keep, forget, list[int], category="forgetting", event_types=types)
    outcome = given(forgetting).when(5)
    with pytest.raises(AssertionError, match=r"(?s)another one.*- \[5\].*\+ \[\]"):
        outcome.then_state([5])
    changing = Decider(keep, keep_too, list[int], category="changing", event_types=types)
    with pytest.raises(AssertionError, match=r"(?s)decide has changed the state.*\+ \[5, 5\]"):
        given(changing).when(5).then_state([5])


@event(event_types=types, tags=lambda e: {f"account:{e.account}", "paid"})
class Paid:
    """One account has paid another one."""

    account: str


def pay(command: str, paid: list[str]) -> list[Paid]:
    return [] if command in paid else [Paid(command)]


def note(paid: list[str], event: Paid) -> list[str]:
    return [*paid, event.account]


paying = Decider(pay, note, list[str], category="paying", event_types=types)


def test_tags_are_claimed_for_each_event_in_order() -> None:
    given(paying).when("a").then(Paid("a")).then_tags({"paid", "account:a"})
    given(Account).when(lambda account: account.deposit(1, 2)).then_tags((), [])
    given(Account).when(lambda _: None).then_tags()


@pytest.mark.parametrize("tags", [[{"paid"}], [{"account:a", "paid", "x"}], [], [{"paid"}] * 2])
def test_other_tags_are_shown(tags: list[set[str]]) -> None:
    with pytest.raises(AssertionError, match=r"other tags \(- expected, \+ recorded\)"):
        given(paying).when("a").then_tags(*tags)


def test_tags_of_a_command_that_was_refused_cannot_be_claimed() -> None:
    with pytest.raises(AssertionError, match="less than nothing"):
        given(Account).when(lambda account: account.deposit(-1)).then_tags(())


def test_a_single_tag_is_no_set_of_them() -> None:
    with pytest.raises(TypeError, match="as a set, got 'paid'"):
        given(paying).when("a").then_tags("paid")
