from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import UnknownPluginError, open_migrator
from eventsourcing_core import plugins as plugins_module
from eventsourcing_core.plugins import Offer, Plugins
from eventsourcing_core.stores import MigrationStatus, Migrator, Parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

seen: dict[str, Any] = {}


class FakeMigrator:
    async def status(self) -> MigrationStatus:
        return MigrationStatus(0, 1)

    async def migrate(self) -> MigrationStatus:
        return MigrationStatus(1, 1)

    async def rollback(self, *, to: int) -> MigrationStatus:
        return MigrationStatus(to, 1)


@asynccontextmanager
async def open_fake(
    url: str, *, schema: str = "public", wait: float = 1.0
) -> AsyncIterator[Migrator]:
    seen.update(url=url, schema=schema, wait=wait)
    yield FakeMigrator()
    seen["closed"] = True


@asynccontextmanager
async def open_fake_with_others(
    url: str, *, schema: str = "public", **others: str
) -> AsyncIterator[Migrator]:
    seen.update(url=url, schema=schema, others=others)
    yield FakeMigrator()


@asynccontextmanager
async def open_backend_of_it(
    url: str, *, schema: str = "public", size: int = 1, migrate: bool = False
) -> AsyncIterator[Parts]:
    del url, schema, size, migrate
    yield Parts()


@asynccontextmanager
async def open_backend_with_others(
    url: str, *, size: int = 1, **others: str
) -> AsyncIterator[Parts]:
    del url, size, others
    yield Parts()


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    offers = (
        Offer("backend", "fake", "fake", open_backend_of_it),
        Offer("migrator", "fake", "fake", open_fake),
        Offer("backend", "bare", "fake", open_backend_of_it),
        Offer("migrator", "alone", "fake", open_fake),
        Offer("backend", "half", "fake", open_backend_with_others),
        Offer("migrator", "half", "fake", open_fake),
        Offer("backend", "both", "fake", open_backend_with_others),
        Offer("migrator", "both", "fake", open_fake_with_others),
    )
    monkeypatch.setattr(plugins_module, "installed_plugins", lambda: Plugins(offers))


async def test_a_migrator_is_opened_with_its_options_and_closed() -> None:
    async with open_migrator("FAKE://u:p@host/bank?schema=a%20b&wait=2", wait=3.0) as migrator:
        assert await migrator.migrate() == (1, 1)
        assert seen == {"url": "FAKE://u:p@host/bank", "schema": "a b", "wait": 3.0}
    assert seen["closed"]


async def test_options_of_the_backend_in_the_url_are_passed_over() -> None:
    async with open_migrator("fake://?size=3&migrate=true&schema=x"):
        assert (seen["schema"], seen["wait"]) == ("x", 1.0)


def test_options_of_the_backend_are_checked_all_the_same() -> None:
    with pytest.raises(ValueError, match="'size' takes int, got 'big'"):
        open_migrator("fake://?size=big")
    with pytest.raises(TypeError, match="'size' takes int, got '3'"):
        open_migrator("fake://", size="3")


def test_an_option_that_neither_knows_is_an_error_that_lists_those_of_both() -> None:
    with pytest.raises(ValueError, match="no option 'shema' .* are: migrate, schema, size, wait"):
        open_migrator("fake://?shema=x")
    with pytest.raises(ValueError, match="'alone' has no option 'size'"):
        open_migrator("alone://?size=1")


async def test_options_of_any_name_go_to_the_migrator_if_it_takes_them() -> None:
    async with open_migrator("both://?size=3&host=here&schema=x", user="me"):
        assert (seen["schema"], seen["others"]) == ("x", {"host": "here", "user": "me"})


async def test_options_of_any_name_that_only_the_backend_takes_are_passed_over() -> None:
    async with open_migrator("half://?size=3&host=here&schema=x"):
        assert seen["schema"] == "x"


def test_a_backend_without_a_schema_has_nothing_to_migrate() -> None:
    with pytest.raises(UnknownPluginError) as caught:
        open_migrator("bare://secret@host")
    assert str(caught.value) == (
        "no migrator for 'bare' (installed: alone, both, fake, half); "
        "the backend 'bare' has no schema, so there is nothing to migrate"
    )
    assert caught.value.kind == "migrator"


def test_an_unknown_scheme_is_corrected_or_names_the_extra() -> None:
    with pytest.raises(UnknownPluginError, match=r"did you mean 'alone'\?"):
        open_migrator("alon://")
    with pytest.raises(UnknownPluginError, match=r'pip install "eventsourcing-core\[postgres\]"'):
        open_migrator("postgresql://")


def test_a_forgotten_async_with_is_named() -> None:
    with pytest.raises(AttributeError, match=r"write async with open_migrator\(…\) as migrator:"):
        _ = open_migrator("fake://").status  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - the mistake


@pytest.mark.parametrize("url", ["bank.db", "user:secret@host", "fake://u:?secret@x"])
def test_what_is_no_url_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises((ValueError, LookupError)) as caught:
        open_migrator(url)
    assert "secret" not in str(caught.value)
