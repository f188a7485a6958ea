"""What this distribution offers: the backend and the migrator ``sqlite``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_sqlite._backend import open_sqlite
from eventsourcing_sqlite._migrator import open_sqlite_migrator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.hookspecs import BackendFactory, MigratorFactory


@hookimpl
def backends() -> Mapping[str, BackendFactory]:
    """Offer ``sqlite:///file.db``."""
    return {"sqlite": open_sqlite}


@hookimpl
def migrators() -> Mapping[str, MigratorFactory]:
    """Offer to move the tables of ``sqlite:///file.db``."""
    return {"sqlite": open_sqlite_migrator}
