"""What is wrong with what these plugins open by URL, the contract sees."""

from __future__ import annotations

from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

import pytest

from eventsourcing_core import SchemaError
from eventsourcing_core.plugins import Offer, Plugins
from eventsourcing_core.stores import MigrationStatus, Parts, check_rollback
from eventsourcing_core.testing import BackendContract, NewUrl
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._storage import InMemoryStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Place:
    """A log, and whether there is a schema for it."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.applied = 0

    async def status(self) -> MigrationStatus:
        return MigrationStatus(self.applied, 1)

    async def migrate(self) -> MigrationStatus:
        self.applied = 1
        return await self.status()

    async def rollback(self, *, to: int) -> MigrationStatus:
        check_rollback(to=to, applied=self.applied)
        self.applied = to
        return await self.status()


class Broken:
    """A plugin with a migrator; a fault opens in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()
    kinds: ClassVar[tuple[str, ...]] = ("backend", "migrator")

    def __init__(self) -> None:
        self.places: defaultdict[str, Place] = defaultdict(Place)

    def name_in(self, url: str) -> str:
        return unquote(url.rpartition("/")[2])

    @asynccontextmanager
    async def backend(self, url: str, *, migrate: bool = True) -> AsyncIterator[Parts]:
        place = self.places[self.name_in(url)]
        if migrate:
            await place.migrate()
        if not place.applied:
            message = "there is no schema: migrate"
            raise SchemaError(message)
        yield Parts(storage=InMemoryStorage(place.log))

    @asynccontextmanager
    async def migrator(self, url: str) -> AsyncIterator[Place]:
        yield self.places[self.name_in(url)]

    def plugins(self) -> Plugins:
        offered = [Offer(kind, "broken", "broken", getattr(self, kind)) for kind in self.kinds]
        return Plugins(tuple(offered))


class DecodesNothing(Broken):
    caught_by = ("test_what_is_encoded_in_a_url_is_decoded_once",)

    def name_in(self, url: str) -> str:
        return url


class DecodesTwice(Broken):
    caught_by = ("test_what_is_encoded_in_a_url_is_decoded_once",)

    def name_in(self, url: str) -> str:
        return unquote(super().name_in(url))


class PlusIsSpace(Broken):
    caught_by = ("test_what_is_encoded_in_a_url_is_decoded_once",)

    def name_in(self, url: str) -> str:
        return super().name_in(url).replace("+", " ")


class TakesAnyOption(Broken):
    caught_by = ("test_an_option_that_does_not_exist_is_refused_before_it_is_opened",)

    @asynccontextmanager
    async def backend(
        self, url: str, *, migrate: bool = True, **others: str
    ) -> AsyncIterator[Parts]:
        async with super().backend(url, migrate=migrate) as parts:
            yield parts
            assert not others


class NothingToMigrate(Broken):
    caught_by = ("test_a_backend_can_be_told_not_to_migrate_if_there_is_a_migrator",)
    kinds = ("backend",)


class AlwaysMigrates(Broken):
    caught_by = ("test_a_backend_can_be_told_not_to_migrate_if_there_is_a_migrator",)

    @asynccontextmanager
    async def backend(self, url: str) -> AsyncIterator[Parts]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - the fault
        async with super().backend(url) as parts:
            yield parts


class MigratesAnyhow(Broken):
    caught_by = ("test_without_migrate_nothing_is_made",)

    @asynccontextmanager
    async def backend(self, url: str, *, migrate: bool = True) -> AsyncIterator[Parts]:  # noqa: ARG002 - the fault
        async with super().backend(url) as parts:
            yield parts


class MigratesBeforeItRefuses(Broken):
    caught_by = ("test_without_migrate_nothing_is_made",)

    @asynccontextmanager
    async def backend(self, url: str, *, migrate: bool = True) -> AsyncIterator[Parts]:
        place = self.places[self.name_in(url)]
        if not migrate and not place.applied:
            await place.migrate()
            message = "there was no schema"
            raise SchemaError(message)
        async with super().backend(url, migrate=migrate) as parts:
            yield parts


class NeverMigrates(Broken):
    caught_by = ("test_with_migrate_the_schema_is_brought_up_to_date",)

    @asynccontextmanager
    async def backend(self, url: str, *, migrate: bool = True) -> AsyncIterator[Parts]:  # noqa: ARG002 - the fault
        yield Parts(storage=InMemoryStorage(self.places[url].log))


class MigratesElsewhere(Broken):
    caught_by = (
        "test_with_migrate_the_schema_is_brought_up_to_date",
        "test_what_a_migrator_has_migrated_is_opened_without",
    )

    @asynccontextmanager
    async def migrator(self, url: str) -> AsyncIterator[Place]:
        yield self.places[f"{url}/other"]


class TestBrokenBackends(BackendContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def new_url(self, fault: type[Broken], monkeypatch: pytest.MonkeyPatch) -> NewUrl:
        plugins = fault().plugins()
        monkeypatch.setattr("eventsourcing_core.plugins.installed_plugins", lambda: plugins)
        return "broken:///{}".format
