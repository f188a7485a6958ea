"""The contract of migrators."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from eventsourcing_core.stores._migrator import Migrator
from eventsourcing_core.testing._contract import AsyncContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.testing._contract import OpenMigrator


class MigratorContract(AsyncContract):
    """Every rule of ``Migrator``; inherit from it and override ``open_migrator``.

    The fixture returns a callable that gives an async context manager of a migrator, each time of
    another place where nothing is yet: a schema without tables, a file that is missing.
    """

    @pytest.fixture
    def open_migrator(self) -> OpenMigrator:
        """Override this: return what opens a migrator of a new place."""
        message = "override the fixture open_migrator; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    @pytest_asyncio.fixture(loop_scope="function")
    async def migrator(self, open_migrator: OpenMigrator) -> AsyncIterator[Migrator]:
        """Open a migrator."""
        async with open_migrator() as migrator:
            yield migrator

    async def test_a_migrator_has_the_methods_of_the_port(self, migrator: Migrator) -> None:
        assert isinstance(migrator, Migrator)

    async def test_in_a_new_place_nothing_is_applied(self, migrator: Migrator) -> None:
        applied, latest = await migrator.status()
        assert applied == 0
        assert latest > 0

    async def test_asking_for_the_status_applies_nothing(self, migrator: Migrator) -> None:
        first = await migrator.status()
        assert await migrator.status() == first

    async def test_migrating_applies_everything(self, migrator: Migrator) -> None:
        latest = (await migrator.status()).latest
        assert await migrator.migrate() == (latest, latest)
        assert await migrator.status() == (latest, latest)

    async def test_migrating_again_changes_nothing(self, migrator: Migrator) -> None:
        done = await migrator.migrate()
        assert await migrator.migrate() == done
        assert await migrator.status() == done

    async def test_several_may_migrate_at_once(self, migrator: Migrator) -> None:
        latest = (await migrator.status()).latest
        async with asyncio.timeout(self.deadline):
            done = await asyncio.gather(*(migrator.migrate() for _ in range(5)))
        assert done == [(latest, latest)] * 5

    async def test_it_goes_down_step_by_step_and_up_again(self, migrator: Migrator) -> None:
        latest = (await migrator.migrate()).latest
        for to in reversed(range(latest)):
            assert await migrator.rollback(to=to) == (to, latest)
            assert await migrator.status() == (to, latest)
            assert await migrator.migrate() == (latest, latest)
            assert await migrator.rollback(to=to) == (to, latest)
        assert await migrator.migrate() == (latest, latest)

    async def test_it_goes_down_at_one_go(self, migrator: Migrator) -> None:
        latest = (await migrator.migrate()).latest
        assert await migrator.rollback(to=0) == (0, latest)
        assert await migrator.status() == (0, latest)

    async def test_rolling_back_to_what_is_applied_changes_nothing(
        self, migrator: Migrator
    ) -> None:
        latest = (await migrator.status()).latest
        assert await migrator.rollback(to=0) == (0, latest)
        await migrator.migrate()
        assert await migrator.rollback(to=latest) == (latest, latest)
        assert await migrator.status() == (latest, latest)

    async def test_a_migration_that_is_not_applied_cannot_be_gone_back_to(
        self, migrator: Migrator
    ) -> None:
        latest = (await migrator.status()).latest
        with pytest.raises(ValueError, match="to must be 0 to 0"):
            await migrator.rollback(to=1)
        assert await migrator.status() == (0, latest)
        await migrator.migrate()
        for to in (-1, latest + 1):
            with pytest.raises(ValueError, match=f"to must be 0 to {latest}"):
                await migrator.rollback(to=to)
        assert await migrator.status() == (latest, latest)

    @pytest.mark.parametrize("to", ["0", 0.0, None, False])
    async def test_what_is_no_number_of_a_migration_is_refused(
        self, migrator: Migrator, to: Any
    ) -> None:
        done = await migrator.migrate()
        with pytest.raises(TypeError, match="to must be an int"):
            await migrator.rollback(to=to)
        assert await migrator.status() == done
