from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import EveryEvents, OnDemand, SlowLoad, SnapshotOccasion, SnapshotPolicy
from eventsourcing_core._snapshots.policy import AllOf, AnyOf, policy_of

if TYPE_CHECKING:
    from collections.abc import Callable


def saved(before: int, after: int, seconds: float | None = None) -> SnapshotOccasion:
    return SnapshotOccasion(before, after, load_seconds=seconds)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0, 9, False), (9, 10, True), (8, 12, True), (10, 11, False), (10, 19, False), (5, 35, True)],
)
def test_a_multiple_that_is_reached_or_crossed_is_due(
    before: int, after: int, *, expected: bool
) -> None:
    assert EveryEvents(10).is_due(saved(before, after)) is expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(None, False), (0.0, False), (0.5, False), (0.6, True)]
)
def test_a_load_that_took_longer_is_due(seconds: float | None, *, expected: bool) -> None:
    assert SlowLoad(0.5).is_due(saved(1, 2, seconds)) is expected


def test_on_demand_is_never_due_by_itself() -> None:
    assert not OnDemand().is_due(saved(0, 1000, 1000.0))


class Mine:
    """A user's policy: after a save of several events."""

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        return occasion.version - occasion.version_before > 1


@pytest.mark.parametrize(
    ("policy", "one", "other", "both"),
    [
        (EveryEvents(10) | Mine(), True, True, True),
        (Mine() | EveryEvents(10), True, True, True),
        (EveryEvents(10) & Mine(), False, False, True),
        (Mine() & EveryEvents(10), False, False, True),
        (AnyOf(()), False, False, False),
        (AllOf((EveryEvents(10), Mine())), False, False, True),
        (OnDemand() | (EveryEvents(10) & Mine()), False, False, True),
    ],
)
def test_policies_combine(policy: SnapshotPolicy, *, one: bool, other: bool, both: bool) -> None:
    occasions = [saved(9, 10), saved(11, 13), saved(9, 12)]
    assert [policy.is_due(occasion) for occasion in occasions] == [one, other, both]
    assert not policy.is_due(saved(11, 12))


@pytest.mark.parametrize("number", [0, -1])
def test_a_number_of_events_below_1_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"every 1 or more events, got {number}"):
        EveryEvents(number)


@pytest.mark.parametrize("number", [1.5, "100", True])
def test_a_number_of_events_is_an_int(number: Any) -> None:
    with pytest.raises(TypeError, match="a number of events is an int"):
        EveryEvents(number)


@pytest.mark.parametrize("seconds", [-0.1, float("nan")])
def test_a_load_takes_no_negative_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="a number of seconds, 0 or more"):
        SlowLoad(seconds)


def test_only_policies_combine() -> None:
    with pytest.raises(TypeError, match="is_due"):
        _ = EveryEvents(10) | 5  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue] - the mistake


@pytest.mark.parametrize("take", [policy_of, EveryEvents(10).__or__])
def test_the_class_of_a_policy_is_none(take: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"give OnDemand\(…\), not the class"):
        take(OnDemand)
