"""The contract of what a plugin opens by URL."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from eventsourcing_core._backend.opening import open_backend, open_migrator
from eventsourcing_core._discovery.opening import scheme_of
from eventsourcing_core._discovery.registry import find_backend, find_migrator
from eventsourcing_core._errors import SchemaError, UnknownPluginError
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import AsyncContract
from eventsourcing_core.testing._samples import collected, counted, numbers_of
from eventsourcing_core.testing._skipping import skip_aloud, skip_unless_met

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core._encoding.front import StorageEventStore

NewUrl = Callable[[str], str]
"""Gives the URL of a location by its name, which is percent-encoded: a new one in each test."""

_NAMES = ("plain", "a b", "a+b", "a%20b", "a%2520b", "100%", "é", "a#b?c=d&e=f")
"""Names of locations, not yet encoded: each is another one."""


class BackendContract(AsyncContract):
    """What ``open_backend`` relies on; inherit from it and override ``new_url``.

    The plugin must be installed. The fixture returns a callable. It gives the URL of the location
    of a name, which is percent-encoded already: ``mine:///folder/a%20b`` for ``a%20b``. In the same
    test the same name is the same location, and it is empty at first.
    """

    @pytest.fixture
    def new_url(self) -> NewUrl:
        """Override this: return what gives the URL of the location of an encoded name."""
        message = "override the fixture new_url; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    async def test_what_is_encoded_in_a_url_is_decoded_once(
        self, request: pytest.FixtureRequest, new_url: NewUrl
    ) -> None:
        skip_unless_met(request, needs=("is_durable",))
        for number, name in enumerate(_NAMES):
            async with _opened(new_url(quote(name, safe=""))) as store:
                await store.append("doc-1", counted(number), expected_version=ANY)
        for number, name in enumerate(_NAMES):
            # All of it may be encoded, and what need not be is decoded, too.
            encoded = "".join(f"%{byte:02X}" for byte in name.encode())
            async with _opened(new_url(encoded)) as store:
                assert numbers_of(await collected(store.read("doc-1"))) == [number]

    async def test_an_option_that_does_not_exist_is_refused_before_it_is_opened(
        self, new_url: NewUrl
    ) -> None:
        url = new_url("plain")
        joint = "&" if "?" in url else "?"
        with pytest.raises(ValueError, match="no_such_option"):
            open_backend(f"{url}{joint}no_such_option=1")

    def test_a_backend_can_be_told_not_to_migrate_if_there_is_a_migrator(
        self, new_url: NewUrl
    ) -> None:
        scheme = scheme_of(new_url("plain"))
        options = inspect.signature(find_backend(scheme)).parameters
        assert ("migrate" in options) == _has_migrator(scheme)
        if "migrate" in options:
            assert options["migrate"].kind is inspect.Parameter.KEYWORD_ONLY

    async def test_without_migrate_nothing_is_made(
        self, request: pytest.FixtureRequest, new_url: NewUrl
    ) -> None:
        url = new_url("plain")
        _skip_without_migrator(request, url)
        for _ in range(2):
            with pytest.raises(SchemaError):
                await open_backend(url, migrate=False).__aenter__()
        async with open_migrator(url) as migrator:
            assert (await migrator.status()).applied == 0

    async def test_with_migrate_the_schema_is_brought_up_to_date(
        self, request: pytest.FixtureRequest, new_url: NewUrl
    ) -> None:
        url = new_url("plain")
        _skip_without_migrator(request, url)
        for _ in range(2):
            async with open_backend(url, migrate=True) as backend:
                await backend.event_store.append("doc-1", counted(1), expected_version=ANY)
        async with open_migrator(url) as migrator:
            applied, latest = await migrator.status()
        assert applied == latest

    async def test_what_a_migrator_has_migrated_is_opened_without(
        self, request: pytest.FixtureRequest, new_url: NewUrl
    ) -> None:
        url = new_url("plain")
        _skip_without_migrator(request, url)
        async with open_migrator(url) as migrator:
            await migrator.migrate()
        async with open_backend(url, migrate=False) as backend:
            result = await backend.event_store.append("doc-1", counted(1), expected_version=0)
        assert result.version == 1


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[StorageEventStore]:
    can_migrate = _has_migrator(scheme_of(url))
    async with open_backend(url, migrate=True) if can_migrate else open_backend(url) as backend:
        yield backend.event_store


def _has_migrator(scheme: str) -> bool:
    try:
        find_migrator(scheme)
    except UnknownPluginError:
        return False
    return True


def _skip_without_migrator(request: pytest.FixtureRequest, url: str) -> None:
    if not _has_migrator(scheme_of(url)):
        skip_aloud(request, ["the backend has no migrator"])
