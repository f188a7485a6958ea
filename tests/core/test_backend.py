from __future__ import annotations

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
    size: int = 1,
    timeout: float | None = None,  # noqa: ASYNC109 - an option like any other
    migrate: bool = False,
) -> AsyncIterator[Backend]:
    seen.update(url=url, codec=codec, schema=schema, size=size, timeout=timeout, migrate=migrate)
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
    message = "'fake' has no option 'shema'; its options are: migrate, schema, size, timeout"
    with pytest.raises(ValueError, match=message):
        open_backend(url)
    with pytest.raises(ValueError, match=message):
        open_backend("fake://", shema="x")


@pytest.mark.parametrize(
    ("query", "message"),
    [("size=big", "'size' takes int, got 'big'"), ("migrate=maybe", "'migrate' takes bool")],
)
def test_a_value_of_the_wrong_type_is_refused(query: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_backend(f"fake://?{query}")


@pytest.mark.parametrize("url", ["", "bank.db", "://x", "user:secret@host"])
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
