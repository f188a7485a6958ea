"""Values of views are read beside those who write and switch."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import ProjectionError
from eventsourcing_core.stores import ProjectionKind
from eventsourcing_sqlite._projections.views import page_statement
from tests.eventsourcing_sqlite.projections._builds import (
    NEXT,
    ORDERS,
    VIEW,
    batch_to,
    opened,
    put,
    register,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_sqlite._projections.store import SqliteProjectionStore

KEYS = [f"key-{number:04}" for number in range(1_200)]


async def found(store: SqliteProjectionStore, **where: str) -> list[tuple[str, str]]:
    return [each async for page in store.live_pages("orders", where) for each in page]


async def switch(store: SqliteProjectionStore) -> None:
    await store.begin_switch(ORDERS, seconds=600)
    assert await store.finish_switch(NEXT, copy_progress=False)


@pytest.mark.parametrize("field", ["status", "o'clock"])
async def test_a_condition_on_an_indexed_field_uses_its_index(
    path: Path, projections: SqliteProjectionStore, field: str
) -> None:
    await register(projections)
    sql, parameters = page_statement({field: '"open"'}, "")
    file = path.with_name(f"{path.name}.orders-v1")
    with closing(sqlite3.connect(file)) as connection:
        plan = connection.execute(f"explain query plan {sql}", parameters).fetchall()
    (step,) = [detail for *_, detail in plan]
    number = VIEW.indexes.index(field)
    # The keys come in their order from the index, so nothing is sorted.
    assert f"USING INDEX eventsourcing_view_{number} (<expr>=? AND key>?)" in step


@pytest.mark.parametrize("field", ["status", "o'clock"])
async def test_a_field_is_found_by_its_value(
    projections: SqliteProjectionStore, field: str
) -> None:
    await register(projections)
    values = {"a": "ö'\\\"", "b": 'ö"', "c": None}
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
    await put(
        projections,
        {
            key: json.dumps({field: value}, ensure_ascii=False, separators=(",", ":"))
            for key, value in values.items()
        },
    )
    for key, text in texts.items():
        assert [each for each, _ in await found(projections, **{field: text})] == [key]


async def test_a_field_that_no_path_can_name_is_refused(
    projections: SqliteProjectionStore,
) -> None:
    await register(projections)
    with pytest.raises(ProjectionError, match="plain name"):
        await found(projections, **{"a') or ('1' = '1\"": "1"})


async def test_readers_see_the_old_or_the_new_build_and_nothing_else(path: Path) -> None:
    async with opened(path) as store, opened(path) as reader:
        await register(store)
        await register(store, VIEW._replace(build=NEXT))
        await put(store, dict.fromkeys(KEYS, '"old"'))
        await put(store, dict.fromkeys(KEYS, '"new"'), NEXT)
        seen: list[str] = []

        async def read() -> None:
            while not seen or seen[-1] != '"new"':
                pairs = await found(reader)
                assert [key for key, _ in pairs] == KEYS
                values = {value for _, value in pairs} | {
                    *(await reader.live_values("orders", KEYS[:1])).values()
                }
                assert values <= {'"old"', '"new"'}
                seen.append(pairs[0][1])
                assert {value for _, value in pairs} == {seen[-1]}
                begun.set()

        begun = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(read())
            await begun.wait()
            await switch(store)
        assert seen == sorted(seen, reverse=True)
        await store.drop(ORDERS)
        assert dict(await found(reader)) == dict.fromkeys(KEYS, '"new"')


async def test_pages_of_a_build_that_another_handle_drops_do_not_just_end(path: Path) -> None:
    async with opened(path) as store, opened(path) as reader:
        await register(store)
        await register(store, VIEW._replace(build=NEXT))
        await put(store, dict.fromkeys(KEYS, '"old"'))
        await put(store, {}, NEXT)
        pages = reader.live_pages("orders", {})
        assert len(await anext(pages)) < len(KEYS)
        await switch(store)
        await store.drop(ORDERS)
        with pytest.raises(
            ProjectionError, match="projection orders, version 1, is not registered"
        ):
            await anext(pages)


async def test_who_reads_is_not_held_up_by_a_batch(path: Path) -> None:
    async with opened(path, busy_timeout=0) as store:
        await register(store)
        await put(store, {"a": "1"})
        async with batch_to(store, await segments_of(store), 5) as batch:
            await batch.put({"a": "2"})
            assert await batch.values(["a", "b"]) == {"a": "2"}
            assert await store.live_values("orders", ["a", "b"]) == {"a": "1"}


async def test_a_build_is_switched_to_only_when_it_has_come_as_far(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await register(store, VIEW._replace(build=NEXT))
        await put(store, {"a": "1"})
        mine = await take(store)
        await store.begin_switch(ORDERS, seconds=600)
        assert [s.epoch for s in await segments_of(store)] == [s.epoch + 1 for s in mine]
        assert not await store.finish_switch(NEXT, copy_progress=False)
        await put(store, {"a": "2"}, NEXT)
        assert await store.finish_switch(NEXT, copy_progress=False)
        assert await store.live_values("orders", ["a"]) == {"a": "2"}


async def test_a_switch_that_took_too_long_is_refused(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await register(store, VIEW._replace(build=NEXT))
        arrangement = await store.begin_switch(ORDERS, seconds=0)
        assert not arrangement.record.is_switching
        with pytest.raises(ProjectionError, match="not being switched from.*switch again"):
            await store.finish_switch(NEXT, copy_progress=False)


async def test_a_reactor_takes_over_segments_and_progress_with_higher_epochs(path: Path) -> None:
    old = VIEW._replace(kind=ProjectionKind.REACTOR, indexes=())
    new = old._replace(build=NEXT)
    async with opened(path) as store:
        await register(store, old)
        await store.register(
            new, segments=5, start=(await segments_of(store))[0].progress, create=None
        )
        before = await take(store, build=NEXT)
        async with batch_to(store, await segments_of(store), 7):
            pass
        await store.begin_switch(ORDERS, seconds=600)
        assert await store.finish_switch(NEXT, copy_progress=True)
        there, source = await segments_of(store, NEXT), await segments_of(store)
        assert [(s.low, s.high, s.progress) for s in there] == [
            (s.low, s.high, s.progress) for s in source
        ]
        assert min(s.epoch for s in there) > max(s.epoch for s in before)
        states = {record.spec.build: record.state.value for record in await store.builds()}
        assert states == {ORDERS: "retired", NEXT: "live"}
