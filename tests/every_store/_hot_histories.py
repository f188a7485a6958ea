"""A purse that may not be overdrawn, what its callers were told, and whether all of that fits."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from eventsourcing_core import Aggregate, Decider, Event, EventTypes, event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

types = EventTypes()


@event(event_types=types)
class Moved:
    """Some money came into a purse, or went out of it."""

    tag: str
    amount: int


class OverdrawnError(Exception):
    """There is not enough in a purse."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


class HotPurse(Aggregate):
    """Holds some money, never less than none."""

    event_types = types
    balance: int = 0
    tags: list[str]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.tags = []

    def move(self, tag: str, amount: int) -> None:
        """Move some, in two steps, unless there is not enough."""
        version = self.version
        self._record(Moved(f"{tag}/a", max(amount, 0)))
        if self.balance + min(amount, 0) < 0:
            raise OverdrawnError(version)  # with an event that is recorded, and to be taken back
        self._record(Moved(f"{tag}/b", min(amount, 0)))

    def apply(self, event: Event[Moved]) -> None:
        """Count."""
        self.balance += event.data.amount
        self.tags.append(event.data.tag)


@dataclass(frozen=True)
class Move:
    """The same command, to a decider."""

    tag: str
    amount: int


@dataclass
class Purse:
    """The same state, of a decider."""

    balance: int = 0
    tags: list[str] = field(default_factory=list[str])


def decide(command: Move, purse: Purse) -> list[Moved]:
    """Move some, in two steps, unless there is not enough."""
    tag, amount = command.tag, command.amount
    if purse.balance + amount < 0 and amount < 0:
        raise OverdrawnError(len(purse.tags))
    return [Moved(f"{tag}/a", max(amount, 0)), Moved(f"{tag}/b", min(amount, 0))]


def evolve(purse: Purse, event: Moved) -> Purse:
    """Count."""
    purse.balance += event.amount
    purse.tags.append(event.tag)
    return purse


decider_types = EventTypes()
"""A registry of its own: a decider has the streams of the aggregates, as if in another program."""
decider_types.register(Moved)
purses = Decider(decide, evolve, Purse, category="HotPurse", event_types=decider_types)


class Told(NamedTuple):
    """What the caller of one command knows."""

    purse: str
    tag: str
    amount: int
    outcome: Literal["done", "overdrawn", "cancelled"]
    version: int
    """That of the aggregate which it got, or by which it was refused; 0 if it was cancelled."""
    began: int
    """When it was called: nanoseconds of the clock that all processes of a machine share."""
    ended: int
    """When it was answered."""


def faults_of(told: Iterable[Told], stored: Mapping[str, Sequence[tuple[str, int]]]) -> list[str]:
    """List what does not fit: between what callers were told, and the tags and amounts stored."""
    faults: list[str] = []
    by_purse: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        by_purse[each.purse].append(each)

    for purse, calls in by_purse.items():
        events = stored.get(purse, ())
        balances = [0]
        for _, amount in events:
            balances.append(balances[-1] + amount)
        if min(balances) < 0:
            faults.append(f"{purse} was overdrawn")
        times = Counter(tag for tag, _ in events)
        known = {f"{each.tag}/{step}" for each in calls for step in "ab"}
        faults += [f"nobody has recorded {tag}" for tag in times.keys() - known]
        done = {each.tag for each in calls if each.outcome == "done"}
        for each in calls:
            is_later = each.tag in done and f"{each.tag}/a" in [
                tag for tag, _ in events[each.version :]
            ]
            faults += _faults_of_one(each, times, events, balances, is_later=is_later)
        faults += _stale(calls)
    return faults


def _faults_of_one(
    told: Told,
    times: Counter[str],
    events: Sequence[tuple[str, int]],
    balances: Sequence[int],
    *,
    is_later: bool,
) -> list[str]:
    """List the faults of one call; ``is_later``: its twin was done, after what it had read."""
    tags = [f"{told.tag}/a", f"{told.tag}/b"]
    counts = [times[tag] for tag in tags]
    match told.outcome:
        case "done" if counts != [1, 1]:
            return [f"{told.tag} is done, and is stored {counts} times"]
        case "done" if [tag for tag, _ in events[told.version - 2 : told.version]] != tags:
            return [f"the caller of {told.tag} has got what was another one's"]
        case "overdrawn" if counts != [0, 0] and not is_later:
            return [f"{told.tag} is refused, and is stored {counts} times"]
        case "overdrawn" if balances[told.version] + told.amount >= 0:
            return [f"{told.tag} is refused, and there was enough"]
        case "cancelled" if counts not in ([0, 0], [1, 1]):
            return [f"{told.tag} is cancelled, and is stored {counts} times"]
        case _:
            return []


def _stale(calls: Sequence[Told]) -> list[str]:
    """List refusals by a state that was older than what others had been told before."""
    faults: list[str] = []
    answers = sorted((each.ended, each.version) for each in calls if each.outcome == "done")
    highest, number = 0, 0
    for each in sorted(calls, key=lambda each: each.began):
        while number < len(answers) and answers[number][0] < each.began:
            highest = max(highest, answers[number][1])
            number += 1
        if each.outcome == "overdrawn" and each.version < highest:
            faults.append(
                f"{each.tag} is refused at version {each.version}, after {highest} was told"
            )
    return faults
