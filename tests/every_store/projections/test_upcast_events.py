"""What upcasters make of stored events reaches those who follow, once, and all or none of it."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    ExpectedVersion,
    Projection,
    ProjectionParkedError,
    Reactor,
    RecordedEvent,
    View,
    open_backend,
)
from tests.every_store._accounts import Deposited, Moved, Named, old, store_old, types
from tests.every_store.projections._shop import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend


class Owners(View[list[str]]):
    """What each owner was called and where it was; one that is told so cannot be moved."""

    name = "owners"

    def __init__(self) -> None:
        self.is_broken = True

    def evolve(self, value: list[str] | None, event: RecordedEvent[Named | Moved]) -> list[str]:
        said = [] if value is None else value
        match event.data:
            case Named(name):
                said.append(name)
            case Moved(place):
                said.append(place)
                if place == "bad" and self.is_broken:
                    message = "there is no such place"
                    raise LookupError(message)
        return said


class ByWord(View[list[str]]):
    """Where somebody moved, by place and all together."""

    name = "by-word"

    def key(self, event: RecordedEvent[Moved]) -> list[str]:
        return [event.data.place, "all"]

    def evolve(self, value: list[str] | None, event: RecordedEvent[Moved]) -> list[str]:
        return [*(value or ()), event.data.place]


class Words(Owners):
    """The same, by what was said."""

    name = "words"

    def key(self, event: RecordedEvent[Any]) -> str:
        match event.data:
            case Named(text) | Moved(text):
                return text
            case other:
                message = f"{other!r} was not asked for"
                raise TypeError(message)


class Telling(Reactor):
    """Tells of owners; not of places that are not there."""

    name = "telling"

    def __init__(self) -> None:
        self.is_broken = True
        self.told: list[tuple[int, object]] = []

    async def react(self, event: RecordedEvent[Named | Moved]) -> None:
        if event.data == Moved("bad") and self.is_broken:
            message = "there is no such place"
            raise LookupError(message)
        self.told.append((event.version, event.data))


HISTORY = (
    old("deposited", amount=1),
    old("owner.changed", name="a", place="b"),
    old("owner.changed", place="c"),
    old("looked_at"),
    old("owner.named", name="d"),
    old("owner.changed"),
)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Backend]:
    options: dict[str, Any] = {} if url.startswith("memory") else {"migrate": True}
    async with open_backend(url, event_types=types, **options) as backend:
        yield backend


async def test_a_view_is_given_the_events_of_its_annotation(store_url: str) -> None:
    views: list[View[list[str]]] = [Owners(), ByWord(), Words()]
    async with opened(store_url) as backend, backend.projector(views) as projector:
        await store_old(store_url, "account-1", *HISTORY)
        last = await store_old(store_url, "account-2", old("owner.changed", name="e", place="e"))
        for view in views:
            await projector.wait_for(last, view, timeout=DEADLINE)
        found = await backend.view(Owners).get_many(["account-1", "account-2"])
        assert found == {"account-1": ["a", "b", "c", "d"], "account-2": ["e", "e"]}
        found = {key: value async for key, value in backend.view(ByWord).all()}
        assert found == {"b": ["b"], "c": ["c"], "e": ["e"], "all": ["b", "c", "e"]}
        found = {key: value async for key, value in backend.view(Words).all()}
        assert found == {"a": ["a"], "b": ["b"], "c": ["c"], "d": ["d"], "e": ["e", "e"]}


async def test_a_position_passes_what_is_dropped(store_url: str) -> None:
    view = Owners()
    async with opened(store_url) as backend, backend.projector([view]) as projector:
        last = await store_old(store_url, "account-1", *HISTORY, old("looked_at"))
        await projector.wait_for(last, view, timeout=DEADLINE)
        (status,) = await projector.status()
        assert status.position >= last


async def test_a_parked_event_is_given_again_with_all_that_is_made_of_it(store_url: str) -> None:
    view = Owners()
    async with (
        opened(store_url) as backend,
        backend.projector([view], attempts=1) as projector,
    ):
        bad = await store_old(
            store_url,
            "account-1",
            old("owner.changed", name="a", place="b"),
            old("owner.changed", name="c", place="bad"),
        )
        last = await store_old(
            store_url, "account-1", old("owner.changed", name="d", place="e"), old("looked_at")
        )
        with pytest.raises(ProjectionParkedError):
            await projector.wait_for(bad, view, timeout=DEADLINE)
        await projector.wait_for(last, view, timeout=DEADLINE)
        # Neither of the two that were made of the bad one is in it.
        assert await backend.view(Owners).get("account-1") == ["a", "b"]
        (key,) = await projector.parked(view)
        assert (key.key, key.waiting, key.positions[0]) == ("account-1", 2, bad)
        view.is_broken = False
        await projector.retry(view, "account-1")

        async def is_done() -> bool:
            return not await projector.parked(view)

        await until(is_done)
        assert await backend.view(Owners).get("account-1") == ["a", "b", "c", "bad", "d", "e"]


async def test_only_the_key_that_fails_waits(store_url: str) -> None:
    view = Words()
    async with (
        opened(store_url) as backend,
        backend.projector([view], attempts=1) as projector,
    ):
        last = await store_old(
            store_url, "account-1", old("owner.changed", name="good", place="bad")
        )
        await until(lambda: projector.parked(view))
        assert await backend.view(Words).get_many(["good", "bad"]) == {"good": ["good"]}
        view.is_broken = False
        await projector.retry(view, "bad")
        await projector.wait_for(last, view, timeout=DEADLINE)
        found = await backend.view(Words).get_many(["good", "bad"])
        assert found == {"good": ["good"], "bad": ["bad"]}


async def test_an_event_that_cannot_be_upcast_is_parked_and_may_be_skipped(store_url: str) -> None:
    class Sums(View[int]):
        name = "sums"

        def evolve(self, value: int | None, event: RecordedEvent[Deposited]) -> int:
            return (value or 0) + event.data.cents

    async with (
        opened(store_url) as backend,
        backend.projector([Sums()], attempts=1) as projector,
    ):
        await store_old(store_url, "a", old("deposited", amount=1), old("deposited"))
        last = await store_old(store_url, "b", old("deposited", amount=2))
        await projector.wait_for(last, Sums, timeout=DEADLINE)
        await until(lambda: projector.parked(Sums))
        (key,) = await projector.parked(Sums)
        assert (key.key, key.waiting) == ("a", 1)
        assert "the key 'amount' is missing" in key.error
        await projector.skip(Sums, "a")
        await projector.wait_for(last, Sums, timeout=DEADLINE)
        assert await backend.view(Sums).get_many(["a", "b"]) == {"a": 100, "b": 200}


async def test_a_reactor_is_told_of_each_and_its_place_moves_after_all(store_url: str) -> None:
    reactor = Telling()
    async with (
        opened(store_url) as backend,
        backend.projector([reactor], attempts=1) as projector,
    ):
        await store_old(store_url, "account-1", *HISTORY)
        last = await store_old(store_url, "account-1", old("owner.changed", name="e", place="bad"))
        with pytest.raises(ProjectionParkedError):
            await projector.wait_for(last, reactor, timeout=DEADLINE)
        reactor.is_broken = False
        await projector.retry(reactor, "account-1")
        await projector.wait_for(last, reactor, timeout=DEADLINE)
    assert reactor.told == [
        (2, Named("a")),
        (2, Moved("b")),
        (3, Moved("c")),
        (5, Named("d")),
        (7, Named("e")),
        (7, Named("e")),  # at least once
        (7, Moved("bad")),
    ]


async def logged(store_url: str) -> list[tuple[Any, ...]]:
    """Give what the projection below has written."""
    if store_url.startswith("sqlite"):
        file = f"{store_url.removeprefix('sqlite:///')}.log-v1"
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute("select * from log order by 1, 2, 3").fetchall()
    other = await asyncpg.connect(store_url)
    rows = await other.fetch("select * from log.log order by 1, 2, 3")
    await other.close()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
async def test_tables_are_written_with_all_that_is_made_of_an_event_or_none(
    store_url: str,
) -> None:
    class Log(Projection[Any]):
        name = "log"
        is_broken = True

        async def create(self, connection: Any) -> None:
            await connection.execute("create table log (stream text, version bigint, text text)")

        async def apply(self, event: RecordedEvent[Named | Moved], connection: Any) -> None:
            match event.data:
                case Named(text) | Moved(text):
                    pass
            await connection.execute(
                f"insert into log values ('{event.stream_id}', {event.version}, '{text}')"  # noqa: S608 - texts of this test
            )
            if text == "bad" and self.is_broken:
                message = "there is no such place"
                raise LookupError(message)

    log = Log()
    async with (
        opened(store_url) as backend,
        backend.projector([log], attempts=1) as projector,
    ):
        first = await store_old(store_url, "x", old("owner.changed", name="c", place="bad"))
        last = await store_old(store_url, "y", old("owner.changed", name="a", place="b"))
        await projector.wait_for(last, log, timeout=DEADLINE)
        await until(lambda: projector.parked(log))
        good = [("y", 1, "a"), ("y", 1, "b")]
        assert await logged(store_url) == good
        log.is_broken = False
        await projector.retry(log, "x")
        await projector.wait_for(first, log, timeout=DEADLINE)
        assert await logged(store_url) == [("x", 1, "bad"), ("x", 1, "c"), *good]


async def test_an_inline_view_is_given_them_in_the_append(store_url: str) -> None:
    options: dict[str, Any] = {} if store_url.startswith("memory") else {"migrate": True}
    views: list[View[list[str]]] = [Owners(), ByWord()]
    async with open_backend(store_url, event_types=types, inline=views, **options) as backend:
        history = [*HISTORY[:4], Named("d"), HISTORY[5]]
        await backend.event_store.append("s", history, expected_version=ExpectedVersion.NO_STREAM)
        assert await backend.view(Owners).get("s") == ["a", "b", "c", "d"]
        assert await backend.view(ByWord).get("all") == ["b", "c"]


def test_a_view_of_a_name_that_no_event_is_read_as_is_refused() -> None:
    class Lost(Owners):
        name = "lost"
        event_types = ("owner.changed",)

    class Listed(Owners):
        name = "listed"
        event_types = ("owner.changed", "owner.moved")

    from eventsourcing_core._projections.definition import definition_of  # noqa: PLC0415 - this test alone

    with pytest.raises(ValueError, match=r"Lost\.event_types names only 'owner\.changed', and no"):
        definition_of(Lost(), types)
    definition = definition_of(Listed(), types)
    assert definition.event_types == frozenset({"owner.moved"})
    assert definition.spec.event_types == ("owner.changed", "owner.moved")
