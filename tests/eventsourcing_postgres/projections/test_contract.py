"""The contracts of projection stores, and of what is inline, each test on a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing import InliningContract, ProjectionStoreContract
from eventsourcing_postgres._backend import open_postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import Parts
    from eventsourcing_core.testing import NewLocation


class TestProjectionStore(ProjectionStoreContract):
    @pytest.fixture
    def new_location(self, make_database: Callable[[], str]) -> NewLocation:
        def new() -> Callable[[], AbstractAsyncContextManager[Parts]]:
            url = make_database()
            return lambda: open_postgres(url, pooler=False)

        return new


class TestInlining(InliningContract):
    @pytest.fixture
    def new_location(self, make_database: Callable[[], str]) -> NewLocation:
        def new() -> Callable[[], AbstractAsyncContextManager[Parts]]:
            url = make_database()
            return lambda: open_postgres(url, pooler=False)

        return new
