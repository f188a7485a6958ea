"""Values of views: those of the live build, by key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ProjectionError
from eventsourcing_core.stores._builds import Build
from eventsourcing_core.testing._projections.samples import (
    LONG,
    NEXT,
    ORDERS,
    ProjectionChapter,
    add,
    batch_to,
    pages,
    put,
    segments_of,
)
from eventsourcing_core.testing._samples import ALIKE

if TYPE_CHECKING:
    from eventsourcing_core.stores._projection_store import ProjectionStore

MANY = [f"key-{number:05}" for number in range(3000)]

VALUES = (
    '""',
    r'"a \"quoted\" é \ud83c\udf89 \\ text"',
    "0",
    str(-(2**53)),
    "0.1",
    "true",
    "[]",
    "[1, [null, {}]]",
    "{}",
    '{"": {"a": null}, "é": [false]}',
)


async def switch(projections: ProjectionStore) -> None:
    """Make the next build live, which has come as far."""
    await projections.begin_switch(ORDERS, seconds=LONG)
    assert await projections.finish_switch(NEXT, copy_progress=False)


class ValueContract(ProjectionChapter):
    """``Batch.values`` and ``put``, ``live_values`` and ``live_pages``."""

    async def test_keys_that_are_alike_have_values_of_their_own(
        self, projections: ProjectionStore
    ) -> None:
        segments = await add(projections)
        values = {key: str(number) for number, key in enumerate(ALIKE)}
        await put(projections, values)
        assert await projections.live_values("orders", [*ALIKE, "nobody"]) == values
        async with batch_to(projections, segments, 0) as batch:
            assert await batch.values([*ALIKE, "nobody"]) == values

    async def test_keys_come_in_the_order_of_code_points(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await put(projections, dict.fromkeys(ALIKE, "1"))
        assert [key for key, _ in await pages(projections)] == sorted(ALIKE)

    async def test_none_takes_a_value_away(self, projections: ProjectionStore) -> None:
        await add(projections)
        await put(projections, {"a": "1", "b": "1", "c": "1"})
        await put(projections, {"a": None, "b": "2", "d": None})
        assert await projections.live_values("orders", ["a", "b", "c", "d"]) == {"b": "2", "c": "1"}
        assert await pages(projections) == [("b", "2"), ("c", "1")]

    async def test_values_are_the_json_that_was_put(self, projections: ProjectionStore) -> None:
        segments = await add(projections)
        values = {f"key-{number}": value for number, value in enumerate(VALUES)}
        wanted = {key: repr(json.loads(value)) for key, value in values.items()}
        await put(projections, values)
        async with batch_to(projections, segments, 0) as batch:
            inside = await batch.values([*values])
        outside = await projections.live_values("orders", [*values])
        for found in (inside, outside, dict(await pages(projections))):
            # As texts, which tell True from 1.
            assert {key: repr(json.loads(value)) for key, value in found.items()} == wanted

    async def test_many_values_come_each_once(self, projections: ProjectionStore) -> None:
        await add(projections)
        await put(projections, dict.fromkeys(MANY, "1"))
        assert [key for key, _ in await pages(projections)] == MANY
        assert await projections.live_values("orders", MANY) == dict.fromkeys(MANY, "1")

    async def test_only_the_values_of_the_live_build_are_read(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await put(projections, {"a": "1"})
        await put(projections, {"a": "2", "b": "2"}, NEXT)
        assert await projections.live_values("orders", ["a", "b"]) == {"a": "1"}
        assert await pages(projections) == [("a", "1")]

    async def test_builds_of_names_that_are_alike_have_values_of_their_own(
        self, projections: ProjectionStore
    ) -> None:
        builds = [ORDERS, NEXT, Build("orders-2", 1), Build("orders--2", 1), Build("orders-v2", 1)]
        made: list[Build] = []
        for number, build in enumerate(builds):
            try:
                await add(projections, build)
            except ProjectionError:
                continue  # a store may be unable to have both
            await put(projections, {"a": str(number)}, build)
            made.append(build)
        assert made[:4] == builds[:4]
        for number, build in enumerate(builds):
            if build in made:
                segments = await segments_of(projections, build)
                async with batch_to(projections, segments, 0, build) as batch:
                    assert await batch.values(["a"]) == {"a": str(number)}

    async def test_where_gives_the_values_that_have_all_fields(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        values: dict[str, object] = {
            "a": {"status": "open", "größe": 1},
            "b": {"status": "open", "größe": 2},
            "c": {"status": "done", "größe": 1},
            "d": {"status": "open"},
            "e": ["open"],
            "f": "open",
            "g": {"owner": "open", "inner": {"status": "open", "größe": 1}},
        }
        texts = {key: json.dumps(each, ensure_ascii=False) for key, each in values.items()}
        await put(projections, texts)
        found = await pages(projections, status='"open"')
        assert [key for key, _ in found] == ["a", "b", "d"]
        found = await pages(projections, status='"open"', größe="1")
        assert [(key, json.loads(value)) for key, value in found] == [("a", values["a"])]
        assert await pages(projections, status='"ope"') == []

    @pytest.mark.parametrize("wanted", ["1", '"1"', "true", '"true"', "false", "0", "null", '""'])
    async def test_where_tells_values_of_different_types_apart(
        self, projections: ProjectionStore, wanted: str
    ) -> None:
        await add(projections)
        statuses = ["1", '"1"', "true", '"true"', "false", "0", "null", '""', '"null"', "11"]
        await put(projections, {status: f'{{"status": {status}}}' for status in statuses})
        assert [key for key, _ in await pages(projections, status=wanted)] == [wanted]

    async def test_all_pages_are_of_the_build_that_was_live_at_the_first(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await put(projections, dict.fromkeys(MANY, "1"))
        await put(projections, dict.fromkeys(MANY, "2"), NEXT)
        reading = projections.live_pages("orders", {})
        found = [*await anext(reading)]
        await switch(projections)
        found += [each async for page in reading for each in page]
        assert found == [(key, "1") for key in MANY]
        assert await pages(projections) == [(key, "2") for key in MANY]

    async def test_pages_of_a_build_that_is_dropped_meanwhile_do_not_just_end(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await put(projections, dict.fromkeys(MANY, "1"))
        reading = projections.live_pages("orders", {})
        found = [*await anext(reading)]
        await switch(projections)
        await projections.drop(ORDERS)
        try:
            found += [each async for page in reading for each in page]
        except ProjectionError:
            return
        assert found == [(key, "1") for key in MANY]
