"""When a repository takes a snapshot: after so many events, after a slow load, or as you say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from eventsourcing_core._errors import shown
from eventsourcing_core.stores._checks import check_seconds


@dataclass(frozen=True, slots=True)
class SnapshotOccasion:
    """The facts about a save by which a policy decides."""

    version_before: int
    """The version of the stream before the save."""
    version: int
    """The version after it."""
    snapshot_version: int | None = None
    """The version of the newest snapshot that this object came from or made; None if unknown."""
    load_seconds: float | None = None
    """How long loading this object took; None if it was not loaded, or gave a snapshot since."""


@runtime_checkable
class SnapshotPolicy(Protocol):
    """Decides after each save whether to take a snapshot; implemented by you, if you like."""

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        """Tell whether to take one; called once per save, it must be quick and do no I/O."""
        ...


class CombinablePolicy(ABC):
    """A base for policies: ``|`` takes a snapshot when either says so, ``&`` when both do.

    >>> policy = EveryEvents(1000) | (EveryEvents(10) & SlowLoad(0.05))
    >>> policy.is_due(SnapshotOccasion(version_before=108, version=111, load_seconds=0.2))
    True
    """

    __slots__ = ()

    @abstractmethod
    def is_due(self, occasion: SnapshotOccasion) -> bool:
        """Tell whether to take a snapshot; see ``SnapshotPolicy``."""

    def __or__(self, other: SnapshotPolicy) -> CombinablePolicy:
        """Take one when either policy says so."""
        return AnyOf((_policy(self), _policy(other)))

    def __and__(self, other: SnapshotPolicy) -> CombinablePolicy:
        """Take one when both policies say so."""
        return AllOf((_policy(self), _policy(other)))

    __ror__ = __or__
    __rand__ = __and__


@dataclass(frozen=True, slots=True)
class AnyOf(CombinablePolicy):
    """Takes a snapshot when any of the policies says so."""

    policies: tuple[SnapshotPolicy, ...]
    """Asked in this order until one says so."""

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        """Ask each."""
        return any(policy.is_due(occasion) for policy in self.policies)


@dataclass(frozen=True, slots=True)
class AllOf(CombinablePolicy):
    """Takes a snapshot when all of the policies say so."""

    policies: tuple[SnapshotPolicy, ...]
    """Asked in this order until one does not say so."""

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        """Ask each."""
        return all(policy.is_due(occasion) for policy in self.policies)


@dataclass(frozen=True, slots=True)
class EveryEvents(CombinablePolicy):
    """Takes a snapshot when a save reaches or crosses a multiple of a number of events.

    >>> EveryEvents(100).is_due(SnapshotOccasion(version_before=97, version=104))
    True

    Raises:
        ValueError: A number below 1.
    """

    events: int
    """How many events, 1 or more."""

    def __post_init__(self) -> None:
        """Check the number."""
        if type(self.events) is not int:
            message = f"a number of events is an int, got {shown(self.events)}"
            raise TypeError(message)
        if self.events < 1:
            message = f"a snapshot is taken every 1 or more events, got {shown(self.events)}"
            raise ValueError(message)

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        """Compare the multiples below both versions."""
        return occasion.version // self.events > occasion.version_before // self.events


@dataclass(frozen=True, slots=True)
class SlowLoad(CombinablePolicy):
    """Takes a snapshot at the first save after a load that took too long.

    Also where the newest snapshot is one event old: then it is something else that is slow. With
    ``& EveryEvents(10)`` there are at the most as many as that alone would take.

    Raises:
        ValueError: A negative number of seconds.
    """

    seconds: float
    """How long a load may take."""

    def __post_init__(self) -> None:
        """Check the number."""
        check_seconds("seconds", self.seconds)

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        """Look at how long it took."""
        return occasion.load_seconds is not None and occasion.load_seconds > self.seconds


@dataclass(frozen=True, slots=True)
class OnDemand(CombinablePolicy):
    """Takes no snapshot by itself: only ``Repository.take_snapshot`` does."""

    def is_due(self, occasion: SnapshotOccasion) -> bool:  # noqa: ARG002 - whatever it is
        """Say no."""
        return False


def policy_of(frequency: int | SnapshotPolicy) -> SnapshotPolicy:
    """Give the policy that a number stands for, or the policy itself.

    Raises:
        ValueError: A number below 1.
        TypeError: Neither a number nor a policy, but the class of one, say.
    """
    if isinstance(frequency, SnapshotPolicy):
        return _policy(frequency)
    return EveryEvents(frequency)


def _policy(given: object) -> SnapshotPolicy:
    if isinstance(given, type):  # it has the method, too
        message = f"a policy is an instance: give {given.__name__}(…), not the class"
        raise TypeError(message)
    if not isinstance(given, SnapshotPolicy):
        message = f"a policy has the method is_due, which {shown(given)} lacks"
        raise TypeError(message)
    return given
