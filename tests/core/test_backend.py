from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Aggregate,
    Backend,
    Event,
    EventCodec,
    EventTypes,
    StorageError,
    open_backend,
)
from eventsourcing_core import plugins as plugins_module
from eventsourcing_core.plugins import Offer, Plugins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

seen: dict[str, Any] = {}


@asynccontextmanager
async def open_fake(  # noqa: PLR0913 - an option of each type
    url: str,
    codec: EventCodec,
    *,
    schema: str = "public",
    password: str = "",
    size: int = 1,
    timeout: float | None = None,  # noqa: ASYNC109 - an option like any other
    migrate: bool = False,
) -> AsyncIterator[Backend]:
    seen.update(
        url=url,
        codec=codec,
        schema=schema,
        password=password,
        size=size,
        timeout=timeout,
        migrate=migrate,
    )
    yield Backend("fake", codec)
    seen["closed"] = True


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    plugins = Plugins((Offer("backend", "fake", "fake", open_fake),))
    monkeypatch.setattr(plugins_module, "installed_plugins", lambda: plugins)


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
    async def open_any(
        url: str, codec: EventCodec, *, max_size: int = 1, **others: str
    ) -> AsyncIterator[Backend]:
        seen.update(size=max_size, others=others)
        yield Backend(url, codec)

    plugins = Plugins((Offer("backend", "any", "any", open_any),))
    monkeypatch.setattr(plugins_module, "installed_plugins", lambda: plugins)
    async with open_backend("any://?max_size=3&host=/a%20b", user="me"):
        assert (seen["size"], seen["others"]) == (3, {"host": "/a b", "user": "me"})
    with pytest.raises(TypeError, match="'user' takes str, got 3"):
        open_backend("any://", user=3)
    with pytest.raises(ValueError, match=r"has no option 'max_sise' \(did you mean 'max_size'\?\)"):
        open_backend("any://", max_sise=3)


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
        assert backend.codec is seen["codec"]
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
