"""What all projection stores say in the same words, and decide in the same way."""

from __future__ import annotations

import pytest

from eventsourcing_core.stores import (
    HASHES,
    Arrangement,
    Build,
    BuildRecord,
    BuildSpec,
    BuildState,
    Plan,
    Progress,
    ProjectionError,
    ProjectionKind,
    Segment,
    new_record,
    new_segments,
    not_live,
    not_registered,
    not_switching,
    rearranged,
    registered,
    still_live,
)

SPEC = BuildSpec(Build("orders", 2), ProjectionKind.VIEW, "Orders", ("status",))
LIVE = BuildRecord(SPEC, BuildState.LIVE, is_paused=False, is_switching=False, wanted_segments=2)
START = Progress(0, None)
FREE = Arrangement(LIVE, tuple(new_segments(2, START)), {}, ())


def test_what_is_registered_as_something_else_is_named_with_the_cures() -> None:
    other = SPEC._replace(kind=ProjectionKind.REACTOR, class_name="Mailer", indexes=())
    with pytest.raises(ProjectionError) as caught:
        registered(other, [LIVE])
    assert str(caught.value) == (
        "projection orders, version 2, is registered as view Orders with indexes status, and not "
        "as reactor Mailer: give the other projection another name; or raise the version, if it "
        "has changed; or set class_name = 'Orders', if only the class was renamed"
    )


def test_a_version_below_the_live_one_is_named_with_the_cure() -> None:
    with pytest.raises(ProjectionError) as caught:
        registered(SPEC._replace(build=Build("orders", 1)), [LIVE])
    assert str(caught.value) == (
        "projection orders, version 1, is new to this store, but version 2 is live: raise the "
        "version above 2, or deploy the code of it"
    )


def test_what_is_known_is_found_and_what_is_new_is_not() -> None:
    assert registered(SPEC, [LIVE]) == LIVE
    assert registered(SPEC, []) is None
    assert registered(SPEC._replace(build=Build("orders", 3)), [LIVE]) is None
    assert new_record(SPEC, [], 2) == LIVE
    assert new_record(SPEC, [LIVE], 2).state is BuildState.BUILDING


def test_what_is_not_registered_is_named_with_the_cure() -> None:
    cure = "it was dropped, or no projector was opened with it yet, or its name and version are "
    said = f"is not registered in this store: {cure}others"
    build, name = not_registered(SPEC.build), not_registered("orders")
    assert str(build) == f"projection orders, version 2, {said}"
    assert str(name) == f"projection 'orders' {said}"


def test_a_switch_that_cannot_be_is_named_with_the_cure() -> None:
    assert str(not_live(SPEC.build)) == (
        "projection orders, version 2, is not live, so nothing can take its place: begin anew"
    )
    assert str(not_switching(SPEC.build)) == (
        "projection orders, version 2, is live and is not being switched from, or not any more, or "
        "it is paused: resume it, and switch again"
    )


def test_dropping_what_is_live_is_named_with_the_cure() -> None:
    assert str(still_live(SPEC.build)) == (
        "projection orders, version 2, is live: switch to another version, or drop the other ones "
        "first"
    )


def test_the_last_of_new_segments_is_wider() -> None:
    assert new_segments(3, START) == [
        Segment(0, 21844, START, 0),
        Segment(21845, 43689, START, 0),
        Segment(43690, HASHES - 1, START, 0),
    ]


def test_a_plan_takes_gives_splits_and_merges_in_this_order() -> None:
    lows = frozenset({0, 32768})
    taken = rearranged(FREE, "a", Plan(take=lows, split=frozenset({32768})))
    assert taken.owners == {0: "a", 32768: "a", 49152: "a"}
    assert [segment.epoch for segment in taken.segments] == [1, 2, 2]
    merged = rearranged(taken, "a", Plan(merge=lows))
    assert merged.segments == (Segment(0, HASHES - 1, START, 4),)
    assert merged.owners == {0: "a"}
    given = rearranged(merged, "a", Plan(give=frozenset({0}), split=frozenset({0})))
    assert ([segment.epoch for segment in given.segments], given.owners) == ([5, 5], {})


@pytest.mark.parametrize(
    "plan",
    [
        Plan(take=frozenset({0})),
        Plan(take=frozenset({1})),
        Plan(give=frozenset({0})),
        Plan(give=frozenset({32768})),
        Plan(split=frozenset({1})),
        Plan(merge=frozenset({0})),
        Plan(merge=frozenset({32768})),
    ],
    ids=[
        *("take another's", "take nothing", "give another's", "give a free one"),
        *("split nothing", "merge of two owners", "merge the last"),
    ],
)
def test_a_plan_that_does_not_fit_is_an_error(plan: Plan) -> None:
    arrangement = FREE._replace(owners={0: "b"})
    with pytest.raises(ValueError, match="the plan does not fit the arrangement: it cannot"):
        rearranged(arrangement, "a", plan)


def test_a_segment_of_one_hash_is_not_split() -> None:
    segments = (*(Segment(n, n, START, 0) for n in range(2)), Segment(2, HASHES - 1, START, 0))
    with pytest.raises(ValueError, match="it cannot split the segment at 1"):
        rearranged(FREE._replace(segments=segments), "a", Plan(split=frozenset({1})))
