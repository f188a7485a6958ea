from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Aggregate,
    Event,
    EventTypes,
    PluginError,
    StorageError,
    StoreBusyError,
    open_backend,
)
from eventsourcing_core import plugins as plugins_module
from eventsourcing_core.plugins import Offer, Plugins
from eventsourcing_core.stores import Parts, RowQuery
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, RowPage, Verdict

seen: dict[str, Any] = {}


@asynccontextmanager
async def open_fake(  # noqa: PLR0913 - an option of each type
    url: str,
    *,
    schema: str = "public",
    password: str = "",
    size: int = 1,
    timeout: float | None = None,  # noqa: ASYNC109 - an option like any other
    migrate: bool = False,
) -> AsyncIterator[Parts]:
    seen.update(
        url=url,
        schema=schema,
        password=password,
        size=size,
        timeout=timeout,
        migrate=migrate,
    )
    yield Parts()
    seen["closed"] = True


def use(monkeypatch: pytest.MonkeyPatch, scheme: str, factory: object) -> None:
    """Install a plugin with one backend, and no other."""
    plugins = Plugins((Offer("backend", scheme, scheme, factory),))
    monkeypatch.setattr(plugins_module, "installed_plugins", lambda: plugins)


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    use(monkeypatch, "fake", open_fake)


async def test_options_come_from_the_query_in_the_type_of_the_option() -> None:
    async with open_backend("fake://u:p@host/bank?schema=a%20b&size=3&timeout=1.5&migrate=true"):
        assert seen["url"] == "fake://u:p@host/bank"
        assert [seen[k] for k in ("schema", "size", "timeout", "migrate")] == ["a b", 3, 1.5, True]
    assert seen["closed"]


async def test_keyword_arguments_win_over_the_query() -> None:
    async with open_backend("fake://?size=3&schema=x", size=4):
        assert (seen["size"], seen["schema"]) == (4, "x")


@pytest.mark.parametrize("url", ["fake://?shema=x", "fake://?size=1&shema=x"])
def test_an_unknown_option_lists_those_that_exist(url: str) -> None:
    message = re.escape(
        "'fake' has no option 'shema' (did you mean 'schema'?); "
        "its options are: migrate, password, schema, size, timeout"
    )
    with pytest.raises(ValueError, match=message):
        open_backend(url)
    with pytest.raises(ValueError, match=message):
        open_backend("fake://", shema="x")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("size=big", "'size' takes int, got 'big'"),
        ("migrate=yes", r"'migrate' takes bool \(true or false\), got 'yes'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(query: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_backend(f"fake://?{query}")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"migrate": "false"}, "'migrate' takes bool, got 'false'"),
        ({"migrate": 1}, "'migrate' takes bool, got 1"),
        ({"size": "3"}, "'size' takes int, got '3'"),
        ({"size": True}, "'size' takes int, got True"),
        ({"size": 1.0}, "'size' takes int, got 1.0"),
        ({"size": None}, "'size' takes int, got None"),
        ({"timeout": "1"}, "'timeout' takes float or None, got '1'"),
        ({"password": 271828}, "'password' takes str, got int$"),
        ({"schema": b"x"}, "'schema' takes str, got b'x'"),
    ],
)
def test_a_keyword_option_of_the_wrong_type_is_refused(
    option: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        open_backend("fake://", **option)


async def test_a_number_and_none_are_taken_where_the_annotation_allows_them() -> None:
    for timeout in (2, None):
        async with open_backend("fake://", timeout=timeout):
            assert seen["timeout"] == timeout


async def test_a_factory_gets_other_options_if_it_takes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def open_any(url: str, *, max_size: int = 1, **others: str) -> AsyncIterator[Parts]:
        seen.update(url=url, size=max_size, others=others)
        yield Parts()

    use(monkeypatch, "any", open_any)
    async with open_backend("any://?max_size=3&host=/a%20b", user="me"):
        assert (seen["size"], seen["others"]) == (3, {"host": "/a b", "user": "me"})
    with pytest.raises(TypeError, match="'user' takes str, got 3"):
        open_backend("any://", user=3)
    with pytest.raises(ValueError, match=r"has no option 'max_sise' \(did you mean 'max_size'\?\)"):
        open_backend("any://", max_sise=3)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("serialiser", "serializer"),
        ("eventtypes", "event_types"),
        ("max_wating", "max_waiting"),
        ("in_line", "inline"),
    ],
)
def test_an_argument_that_is_nearly_right_is_corrected_whatever_options_there_are(
    monkeypatch: pytest.MonkeyPatch, wrong: str, right: str
) -> None:
    @asynccontextmanager
    async def open_any(url: str, *, max_wait: int = 1, **others: str) -> AsyncIterator[Parts]:
        seen.update(url=url, wait=max_wait, others=others)
        yield Parts()

    message = rf"no option '{wrong}' \(did you mean the argument '{right}' of open_backend\?\)"
    given: dict[str, Any] = {wrong: "json"}
    with pytest.raises(ValueError, match=message):
        open_backend("fake://", **given)
    use(monkeypatch, "any", open_any)
    with pytest.raises(ValueError, match=message):
        open_backend("any://", **given)
    with pytest.raises(ValueError, match=message):
        open_backend(f"any://?{wrong}=json")
    with pytest.raises(ValueError, match=r"no option 'inline' \(did you mean the argument"):
        open_backend("any://?inline=x")


async def test_what_was_opened_is_not_opened_again() -> None:
    opening = open_backend("fake://")
    async with opening:
        pass
    with pytest.raises(RuntimeError, match=r"opened before: call open_backend\(…\) once more"):
        await opening.__aenter__()


def test_a_forgotten_async_with_is_named() -> None:
    with pytest.raises(AttributeError, match=r"not open, so it has no 'repository' yet: write asy"):
        _ = open_backend("fake://").repository  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - the mistake


@pytest.mark.parametrize("url", ["", "bank.db", "://x", "user:secret@host", "fake://u:?secret@x"])
def test_what_is_no_url_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises((ValueError, LookupError)) as caught:
        open_backend(url)
    assert "secret" not in str(caught.value)


async def test_the_codec_is_made_of_serializer_and_registry() -> None:
    types = EventTypes()
    async with open_backend("fake://", event_types=types, max_event_bytes=10) as backend:
        assert backend.codec.event_types is types
        assert (backend.codec.encoding, backend.codec.max_event_bytes) == ("json", 10)


async def test_a_part_that_the_backend_lacks_is_named_when_it_is_asked_for() -> None:
    class Thing(Aggregate):
        def apply(self, event: Event[Any]) -> None: ...

    async with open_backend("fake://") as backend:
        with pytest.raises(StorageError, match="the backend 'fake' has no event store"):
            _ = backend.event_store
        with pytest.raises(StorageError, match="the backend 'fake' has no snapshot store"):
            _ = backend.snapshot_store
        with pytest.raises(StorageError, match="has no event store"):
            backend.repository(Thing)
        with pytest.raises(StorageError, match="has no event store"):
            backend.transaction()


def test_open_backend_gives_a_context_manager_and_opens_nothing_yet() -> None:
    opening = open_backend("fake://")
    assert isinstance(opening, AbstractAsyncContextManager)
    assert seen == {}


async def test_the_scheme_is_read_in_any_case() -> None:
    async with open_backend("FAKE://host") as backend:
        assert backend.name == "fake"


def test_a_url_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="a backend URL is a str, got NoneType"):
        open_backend(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake


@pytest.mark.parametrize("given", [None, InMemoryStorage()], ids=["None", "a storage"])
async def test_a_plugin_that_gives_something_else_than_parts_is_named_and_closed(
    monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    @asynccontextmanager
    async def open_odd(url: str) -> AsyncIterator[object]:
        try:
            yield given
        finally:
            seen["closed"] = url

    use(monkeypatch, "odd", open_odd)
    wrong = type(given).__name__
    with pytest.raises(PluginError, match=rf"'odd' gave {wrong}, not eventsourcing_core.stores.Pa"):
        async with open_backend("odd://x"):
            pass
    assert seen == {"closed": "odd://x"}


async def test_a_plugin_that_opens_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "odd", lambda _: Parts())
    with pytest.raises(PluginError, match="'odd' gave Parts, not an async context manager"):
        async with open_backend("odd://"):
            pass


@pytest.mark.parametrize("number", [0, -1])
async def test_a_backend_where_nothing_may_wait_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"max_waiting must be 1 or more, got {number}"):
        open_backend("fake://", max_waiting=number)
    assert seen == {}


class Stuck(Through):
    """Writes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__(InMemoryStorage())
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        self.asked.set()
        await self.go.wait()
        return await super().write(appends)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Stuck:
    storage = Stuck()

    @asynccontextmanager
    async def open_stuck(_: str) -> AsyncIterator[Parts]:
        yield Parts(storage)
        seen["closed"] = [row async for page in all_of(storage) for row in page.rows]

    use(monkeypatch, "stuck", open_stuck)
    return storage


def all_of(storage: InMemoryStorage | Through) -> AsyncIterator[RowPage]:
    return storage.rows_of_all(0, RowQuery(), backward=False, limit=None)


def noted() -> list[Event[object]]:
    return [Event("noted", {})]


async def let_others_run() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_append_beyond_what_may_wait_is_refused_and_the_others_are_written(
    stuck: Stuck,
) -> None:
    async with open_backend("stuck://", max_waiting=2) as backend:
        store = backend.event_store

        def append(name: str) -> asyncio.Task[object]:
            return asyncio.ensure_future(store.append(name, noted(), expected_version=0))

        written = append("first")
        await stuck.asked.wait()
        waiting = [append("second"), append("third")]
        await let_others_run()
        refused = append("fourth")
        await let_others_run()
        is_refused_at_once = refused.done()
        stuck.go.set()
        assert is_refused_at_once
        with pytest.raises(StoreBusyError, match="nothing was written: 2 appends are waiting"):
            await refused
        await asyncio.gather(written, *waiting)
        assert [event.stream_id async for event in store.read_all()] == ["first", "second", "third"]
        await append("fourth")


async def test_closing_a_backend_writes_what_waits_before_the_plugin_closes(stuck: Stuck) -> None:
    async with open_backend("stuck://") as backend:
        append = backend.event_store.append("s", noted(), expected_version=0)
        writing = asyncio.ensure_future(append)
        await stuck.asked.wait()
        asyncio.get_running_loop().call_soon(stuck.go.set)
    assert writing.done()
    assert [row.stream_id for row in seen["closed"]] == ["s"]


async def test_closing_a_backend_wakes_those_who_wait_for_events(stuck: Stuck) -> None:
    async def follow(name: str) -> None:
        async for page in backend.event_store.follow(stream_prefix=name):
            assert not page.events

    async with open_backend("stuck://") as backend:
        store = backend.event_store
        waiting: list[asyncio.Task[object]] = [
            asyncio.ensure_future(store.wait(after_position=0, timeout=3600)),
            asyncio.ensure_future(follow("a")),
            asyncio.ensure_future(follow("b")),
        ]
        await let_others_run()
    async with asyncio.timeout(10):
        errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [StorageError] * 3
    assert {str(error) for error in errors} == {"the store is closed"}
    with pytest.raises(StorageError, match="closed"):
        await store.ping()
    assert not stuck.asked.is_set()
