"""Builds are made once, and found again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core._errors import ProjectionError
from eventsourcing_core.stores._builds import HASHES, Build, BuildState, ProjectionKind, Wish
from eventsourcing_core.testing._projections.samples import (
    LONG,
    NEXT,
    ORDERS,
    ProjectionChapter,
    add,
    at,
    batch_to,
    beat,
    pages,
    segments_of,
    spec_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core.stores._builds import BuildSpec
    from eventsourcing_core.stores._projection_store import ProjectionStore


CALLS: dict[str, Callable[[ProjectionStore, Build], Awaitable[object]]] = {
    "arrangement": lambda projections, build: projections.arrangement(build),
    "beat": lambda projections, build: beat(projections, "a", build=build),
    "due": lambda projections, build: projections.due(build, (), first=1),
    "parked": lambda projections, build: projections.parked(build),
    "count_parked": lambda projections, build: projections.count_parked(build),
    "parked_at": lambda projections, build: projections.parked_at(build, 1),
    "wish": lambda projections, build: projections.wish(build, Wish.RETRY),
    "set_paused": lambda projections, build: projections.set_paused(build, paused=True),
    "set_segments": lambda projections, build: projections.set_segments(build, 2),
    "rewind": lambda projections, build: projections.rewind(build, at(0)),
    "begin_switch": lambda projections, build: projections.begin_switch(build, seconds=LONG),
    "finish_switch": lambda projections, build: projections.finish_switch(
        build, copy_progress=False
    ),
    "drop": lambda projections, build: projections.drop(build),
}
"""Calls that need a build."""

CALLS_OF_A_NAME: dict[str, Callable[[ProjectionStore, str], Awaitable[object]]] = {
    "cancel_switch": lambda projections, name: projections.cancel_switch(name),
    "live_values": lambda projections, name: projections.live_values(name, ["a"]),
    "live_pages": pages,
}
"""Calls that need a live build."""


class RegisteringContract(ProjectionChapter):
    """``ProjectionStore.register`` and ``builds``."""

    async def test_the_first_build_of_a_name_is_live_and_the_next_is_building(
        self, projections: ProjectionStore
    ) -> None:
        first = await projections.register(spec_of(), segments=3, start=at(0), create=None)
        other = spec_of(Build("names", 7))
        await projections.register(other, segments=1, start=at(0), create=None)
        second = await projections.register(spec_of(NEXT), segments=4, start=at(0), create=None)
        assert first == (spec_of(), BuildState.LIVE, False, False, 3, None)
        assert second == (spec_of(NEXT), BuildState.BUILDING, False, False, 4, None)
        assert await projections.builds() == [
            (other, BuildState.LIVE, False, False, 1, None),
            first,
            second,
        ]

    @pytest.mark.parametrize("count", [1, 3, 8, 1024])
    async def test_the_segments_of_a_new_build_are_all_hashes_at_its_start(
        self, projections: ProjectionStore, count: int
    ) -> None:
        await projections.register(spec_of(), segments=count, start=at(7), create=None)
        arrangement = await projections.arrangement(ORDERS)
        segments = arrangement.segments
        lows = [segment.low for segment in segments]
        assert lows == [HASHES // count * number for number in range(count)]
        assert [segment.high + 1 for segment in segments] == [*lows[1:], HASHES]
        assert {(segment.progress, segment.epoch) for segment in segments} == {(at(7), 0)}
        assert (arrangement.owners, arrangement.workers) == ({}, ())

    async def test_what_is_registered_is_found_as_it_is(self, projections: ProjectionStore) -> None:
        async def create(connection: Any) -> None:
            del connection
            message = "it is there already"
            raise AssertionError(message)

        segments = await add(projections)
        async with batch_to(projections, segments, 5):
            pass
        moved = await segments_of(projections)
        found = await projections.register(spec_of(), segments=9, start=at(1), create=create)
        assert found == (spec_of(), BuildState.LIVE, False, False, 2, None)
        assert await segments_of(projections) == moved

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(spec_of()._replace(class_name="Bills"), id="class_name"),
            pytest.param(spec_of()._replace(kind=ProjectionKind.PROJECTION), id="kind"),
            pytest.param(spec_of()._replace(indexes=("owner",)), id="indexes"),
        ],
    )
    async def test_what_is_registered_as_something_else_is_refused(
        self, projections: ProjectionStore, other: BuildSpec
    ) -> None:
        await add(projections)
        with pytest.raises(ProjectionError, match=r"orders.*Orders"):
            await projections.register(other, segments=2, start=at(0), create=None)
        assert [record.spec for record in await projections.builds()] == [spec_of()]

    @pytest.mark.parametrize("event_types", [None, ("a", "b")], ids=["all", "some"])
    async def test_processes_that_are_given_other_events_are_refused(
        self, projections: ProjectionStore, event_types: tuple[str, ...] | None
    ) -> None:
        await add(projections)  # it does not say which
        for types in (event_types, event_types, ()):
            spec = spec_of()._replace(event_types=types)
            await projections.register(spec, segments=2, start=at(0), create=None)
        other = spec_of()._replace(event_types=("a",))
        with pytest.raises(ProjectionError, match=r"orders.*is registered for .*, and not for"):
            await projections.register(other, segments=2, start=at(0), create=None)
        (found,) = await projections.builds()
        assert found.spec == spec_of()._replace(event_types=event_types)

    async def test_a_name_is_not_for_another_class(self, projections: ProjectionStore) -> None:
        await add(projections)
        other = spec_of(NEXT)._replace(class_name="Bills")
        with pytest.raises(ProjectionError, match=r"orders.*Bills"):
            await projections.register(other, segments=2, start=at(0), create=None)
        assert [record.spec for record in await projections.builds()] == [spec_of()]

    async def test_a_new_build_below_the_live_one_is_refused(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, Build("orders", 10))
        await add(projections, Build("orders", 11))
        with pytest.raises(ProjectionError, match=r"version 9.*version 10"):
            await add(projections, Build("orders", 9))
        assert [record.spec.build.version for record in await projections.builds()] == [10, 11]

    async def test_all_that_register_a_build_at_once_get_the_same(
        self, projections: ProjectionStore
    ) -> None:
        async def create(connection: Any) -> None:
            del connection
            await asyncio.sleep(0)

        registering = [
            projections.register(spec_of(), segments=number, start=at(0), create=create)
            for number in range(1, 9)
        ]
        async with asyncio.timeout(self.deadline):
            records = await asyncio.gather(*registering)
        assert len(set(records)) == 1
        assert await projections.builds() == [records[0]]
        assert len(await segments_of(projections)) == records[0].wanted_segments

    async def test_a_build_whose_tables_cannot_be_made_is_not_registered(
        self, projections: ProjectionStore
    ) -> None:
        async def fail(connection: Any) -> None:
            del connection
            raise ZeroDivisionError

        spec = spec_of(kind=ProjectionKind.PROJECTION)
        with pytest.raises(ZeroDivisionError):
            await projections.register(spec, segments=2, start=at(0), create=fail)
        assert await projections.builds() == []
        await add(projections, kind=ProjectionKind.PROJECTION)

    async def test_builds_are_given_by_name_and_version(self, projections: ProjectionStore) -> None:
        versions = (("orders", 2), ("names-2", 1), ("orders", 10), ("names", 3), ("z" * 40, 1))
        for name, version in versions:
            await add(projections, Build(name, version))
        found = [record.spec.build for record in await projections.builds()]
        assert found == sorted(versions)

    @pytest.mark.parametrize("method", CALLS)
    async def test_what_is_not_registered_is_an_error(
        self, projections: ProjectionStore, method: str
    ) -> None:
        await add(projections)
        for build in (Build("order", 1), NEXT):
            with pytest.raises(ProjectionError, match=build.name):
                await CALLS[method](projections, build)

    @pytest.mark.parametrize("method", CALLS_OF_A_NAME)
    async def test_a_name_that_is_not_registered_is_an_error(
        self, projections: ProjectionStore, method: str
    ) -> None:
        await add(projections)
        for name in ("order", "orders-1"):
            with pytest.raises(ProjectionError, match=name):
                await CALLS_OF_A_NAME[method](projections, name)
