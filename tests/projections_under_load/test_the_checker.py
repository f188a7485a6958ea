"""What looks at the histories sees each fault that a history can have."""

from __future__ import annotations

import pytest

from tests.projections_under_load._histories import (
    Applied,
    Held,
    Reading,
    differences,
    gone_back,
    not_whole,
    quiet_takeovers,
    wrong_counts,
    wrong_order,
    wrong_readings,
    wrong_repetitions,
)

A1, A2, A3 = (Applied(f"a{n}", "a", n) for n in (1, 3, 4))
B1 = Applied("b1", "b", 2)
WRITTEN = [A1, B1, A2, A3]
ONCE = {"a1": 1, "a3": 1, "a4": 1, "b1": 1}


def test_what_was_applied_once_is_right() -> None:
    assert wrong_counts(WRITTEN, ONCE) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"a3": 2}, "applied 2 times", id="doubled"),
        pytest.param({"a3": 0}, "never applied", id="missing"),
        pytest.param({"c1": 1}, "never written", id="strange"),
    ],
)
def test_a_wrong_count_is_found(change: dict[str, int], said: str) -> None:
    (found,) = wrong_counts(WRITTEN, ONCE | change)
    assert said in found


def test_keys_may_be_applied_beside_each_other() -> None:
    assert wrong_order([A1, A2, B1, A3]) == []


@pytest.mark.parametrize(
    "log", [[A2, A1, A3], [A1, A2, A2], [A1, B1, A3, A2]], ids=["swapped", "twice", "late"]
)
def test_a_wrong_order_of_a_key_is_found(log: list[Applied]) -> None:
    assert len(wrong_order(log)) == 1


@pytest.mark.parametrize(
    "log",
    [
        pytest.param([A1, A2, B1, A3], id="once"),
        pytest.param([A1, A2, A1, A2, A3, B1, B1], id="again"),
        pytest.param([A1, A2, A2, A3, A2, A3, B1], id="again and again"),
    ],
)
def test_repetitions_in_order_are_right(log: list[Applied]) -> None:
    assert wrong_repetitions(WRITTEN, log) == []


@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param([A1, A3, A2, A3, B1], "before an earlier one", id="passed over"),
        pytest.param([A1, A2, B1], "never came", id="missing"),
    ],
)
def test_what_comes_too_early_or_never_is_found(log: list[Applied], said: str) -> None:
    (found,) = wrong_repetitions(WRITTEN, log)
    assert said in found


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([[Held(0, 9, 5, 1)], [Held(0, 9, 5, 1)], [Held(0, 9, 7, 2)]], id="moved"),
        pytest.param([[Held(0, 9, 5, 1)], [Held(0, 4, 5, 2), Held(5, 9, 6, 2)]], id="split"),
        pytest.param([[Held(0, 4, 5, 1), Held(5, 9, 5, 3)], [Held(0, 9, 5, 4)]], id="joined"),
    ],
)
def test_segments_that_move_on_are_right(samples: list[list[Held]]) -> None:
    assert gone_back(samples) == []
    assert not_whole(samples, 10) == []


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([[Held(0, 9, 5, 1)], [Held(0, 9, 4, 1)]], id="position"),
        pytest.param([[Held(0, 9, 5, 2)], [Held(0, 9, 5, 1)]], id="epoch"),
        pytest.param([[Held(0, 9, 5, 1)], [Held(0, 4, 5, 2), Held(5, 9, 4, 2)]], id="split"),
        pytest.param([[Held(0, 4, 5, 1), Held(5, 9, 7, 3)], [Held(0, 9, 5, 4)]], id="joined"),
    ],
)
def test_a_segment_that_goes_back_is_found(samples: list[list[Held]]) -> None:
    assert len(gone_back(samples)) == 1


MINE, NOBODYS = Held(0, 9, 5, 1, "me"), Held(0, 9, 5, 1)


@pytest.mark.parametrize(
    ("samples", "faults"),
    [
        pytest.param([[MINE], [NOBODYS], [MINE]], 0, id="mine again"),
        pytest.param([[MINE], [NOBODYS], [MINE._replace(owner="you", epoch=2)]], 0, id="raised"),
        pytest.param([[MINE], [NOBODYS], [MINE._replace(owner="you")]], 1, id="not raised"),
    ],
)
def test_a_takeover_that_raises_no_epoch_is_found(samples: list[list[Held]], faults: int) -> None:
    assert len(quiet_takeovers(samples)) == faults


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param([], id="none"),
        pytest.param([Held(0, 8, 5, 1)], id="short"),
        pytest.param([Held(0, 4, 5, 1), Held(6, 9, 5, 1)], id="hole"),
        pytest.param([Held(0, 5, 5, 1), Held(5, 9, 5, 1)], id="overlap"),
    ],
)
def test_segments_that_are_not_all_hashes_are_found(sample: list[Held]) -> None:
    assert len(not_whole([sample], 10)) == 1


OLD, NEW = frozenset({1}), frozenset({2})


def test_a_reader_may_see_nothing_yet_and_then_one_build_after_the_other() -> None:
    readings = [
        Reading(frozenset(), {}),
        Reading(OLD, {"a": 1}),
        Reading(OLD, {"a": 2, "b": 1}),
        Reading(NEW, {"a": 2, "b": 3}),
        Reading(OLD, {"a": 3, "b": 3}),
    ]
    assert wrong_readings(readings) == []


@pytest.mark.parametrize(
    ("second", "said"),
    [
        pytest.param(Reading(frozenset(), {}), "is empty", id="empty"),
        pytest.param(Reading(OLD | NEW, {"a": 2, "b": 2}), "of builds [1, 2]", id="mixed"),
        pytest.param(Reading(NEW, {"a": 2, "b": 1}), "2 were seen before", id="behind"),
    ],
)
def test_a_wrong_reading_is_found(second: Reading, said: str) -> None:
    (found,) = wrong_readings([Reading(OLD, {"a": 1, "b": 2}), second])
    assert said in found


@pytest.mark.parametrize(
    "found", [{"a": 1}, {"a": 1, "b": 3}, {"a": 1, "b": 2, "c": 3}], ids=["less", "other", "more"]
)
def test_a_difference_is_found(found: dict[str, int]) -> None:
    assert len(differences({"a": 1, "b": 2}, found)) == 1
    assert differences(found, found) == []
