"""The oracle sees each way in which a decision can be wrong."""

from __future__ import annotations

import pytest

from tests.boundaries_under_load._decisions import Decision, Log, Part, Stored

RED, BLUE = frozenset({"red"}), frozenset({"blue"})
LOG = Log(
    [
        Stored(1, "a", RED),
        Stored(2, "a", BLUE),
        Stored(3, "b", RED | BLUE),
        Stored(5, "b", RED),
        Stored(6, "a", RED),
    ],
    {"one": 1, "two": 2, "three": 3, "five": 5, "six": 6},
)
ON_RED = (Part(RED, None),)


def decision(
    query: tuple[Part, ...], read: set[int], ids: tuple[str, ...], missed: tuple[int, ...] | None
) -> Decision:
    return Decision(query, frozenset(read), ids, missed)


@pytest.mark.parametrize(
    "right",
    [
        pytest.param(decision(ON_RED, {1, 3, 5}, ("six",), None), id="accepted"),
        pytest.param(decision(ON_RED, {1}, ("three", "five"), None), id="a group"),
        pytest.param(decision(ON_RED, {1, 3}, ("away",), (5,)), id="refused for the first one"),
        pytest.param(decision(ON_RED, {1, 3}, ("away",), (5, 6)), id="refused for all"),
        pytest.param(
            decision((Part(frozenset(), frozenset({"b"})),), {3, 5}, ("six",), None), id="types"
        ),
        pytest.param(
            decision((Part(RED | BLUE, None), Part(BLUE, None)), {2}, ("three",), None), id="or"
        ),
    ],
)
def test_a_right_decision_is_right(right: Decision) -> None:
    assert [*LOG.wrong(right)] == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(decision(ON_RED, {1, 3}, ("six",), None), "had not read [5]", id="accepted"),
        pytest.param(decision(ON_RED, {1}, ("away",), None), "not there", id="lost"),
        pytest.param(decision(ON_RED, {1, 3, 5}, ("away",), ()), "missed nothing", id="nothing"),
        pytest.param(decision(ON_RED, {1, 3}, ("away",), (6,)), "are [5, 6]", id="not the first"),
        pytest.param(decision(ON_RED, {1}, ("away",), (2,)), "are []", id="what does not match"),
        pytest.param(decision(ON_RED, {1, 3}, ("away",), (3, 5)), "are [5]", id="what was read"),
        pytest.param(decision(ON_RED, {1, 3}, ("six",), (5,)), "events are there", id="written"),
        pytest.param(decision(ON_RED, {2}, ("three",), (1,)), "read position 2", id="misread"),
        pytest.param(decision(ON_RED, {1, 4}, ("five",), (3,)), "read position 4", id="no event"),
    ],
)
def test_a_wrong_decision_is_found(wrong: Decision, said: str) -> None:
    assert said in "; ".join(LOG.wrong(wrong))
