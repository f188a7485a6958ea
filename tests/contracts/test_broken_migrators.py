"""What is wrong with these migrators, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any, ClassVar

import pytest

from eventsourcing_core.stores import MigrationStatus, StorageError, check_rollback
from eventsourcing_core.testing import MigratorContract, OpenMigrator

LATEST = 3


class Counter:
    """Migrations that change nothing but their number."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.applied = 0

    async def status(self) -> MigrationStatus:
        return MigrationStatus(self.applied, LATEST)

    async def migrate(self) -> MigrationStatus:
        self.applied = LATEST
        return await self.status()

    async def rollback(self, *, to: int) -> MigrationStatus:
        check_rollback(to=to, applied=self.applied)
        self.applied = to
        return await self.status()


class WithoutRollback(Counter):
    caught_by = ("test_a_migrator_has_the_methods_of_the_port",)
    rollback: Any = None


class KnowsNoMigration(Counter):
    caught_by = ("test_in_a_new_place_nothing_is_applied",)

    async def status(self) -> MigrationStatus:
        return MigrationStatus(0, 0)


class StatusMigrates(Counter):
    caught_by = ("test_asking_for_the_status_applies_nothing",)

    async def status(self) -> MigrationStatus:
        before = self.applied
        self.applied = LATEST
        return MigrationStatus(before, LATEST)


class StopsBeforeTheLast(Counter):
    caught_by = (
        "test_migrating_applies_everything",
        "test_it_goes_down_step_by_step_and_up_again",
    )

    async def migrate(self) -> MigrationStatus:
        self.applied = LATEST - 1
        return await self.status()


class AppliesThemAgain(Counter):
    caught_by = ("test_migrating_again_changes_nothing",)

    async def migrate(self) -> MigrationStatus:
        self.applied += LATEST
        return await self.status()


class HasNoLock(Counter):
    caught_by = ("test_several_may_migrate_at_once",)

    async def migrate(self) -> MigrationStatus:
        before = self.applied
        await asyncio.sleep(0)
        if self.applied != before:
            message = "the table is there already"
            raise StorageError(message)
        return await super().migrate()


class DownIsForgotten(Counter):
    caught_by = (
        "test_it_goes_down_step_by_step_and_up_again",
        "test_it_goes_down_at_one_go",
    )

    async def rollback(self, *, to: int) -> MigrationStatus:
        check_rollback(to=to, applied=self.applied)
        return MigrationStatus(to, LATEST)


class OneStepAtATime(Counter):
    caught_by = ("test_it_goes_down_at_one_go",)

    async def rollback(self, *, to: int) -> MigrationStatus:
        check_rollback(to=to, applied=self.applied)
        self.applied = max(to, self.applied - 1)
        return await self.status()


class TakesBackTheLastOne(Counter):
    caught_by = ("test_rolling_back_to_what_is_applied_changes_nothing",)

    async def rollback(self, *, to: int) -> MigrationStatus:
        return await super().rollback(to=max(0, min(to, self.applied - 1)))


class GoesUpToo(Counter):
    caught_by = ("test_a_migration_that_is_not_applied_cannot_be_gone_back_to",)

    async def rollback(self, *, to: int) -> MigrationStatus:
        self.applied = to
        return await self.status()


class TakesAnyNumber(Counter):
    caught_by = ("test_what_is_no_number_of_a_migration_is_refused",)

    async def rollback(self, *, to: Any) -> MigrationStatus:
        return await super().rollback(to=int(to or 0))


class TestBrokenMigrators(MigratorContract):
    faults = tuple(Counter.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_migrator(self, fault: type[Counter]) -> OpenMigrator:
        return lambda: nullcontext(fault())


class TestAMigratorThatIsNotBroken(MigratorContract):
    @pytest.fixture
    def open_migrator(self) -> OpenMigrator:
        return lambda: nullcontext(Counter())
