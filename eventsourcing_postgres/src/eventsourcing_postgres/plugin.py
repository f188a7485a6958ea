"""What this distribution offers: the backend and the migrator ``postgresql``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_postgres._backend import open_postgres
from eventsourcing_postgres._migrator import open_postgres_migrator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.hookspecs import BackendFactory, MigratorFactory


@hookimpl
def backends() -> Mapping[str, BackendFactory]:
    """Offer ``postgresql://…``, also under the name ``postgres``."""
    return {"postgresql": open_postgres, "postgres": open_postgres}


@hookimpl
def migrators() -> Mapping[str, MigratorFactory]:
    """Offer to move the schema of ``postgresql://…``, also under the name ``postgres``."""
    return {"postgresql": open_postgres_migrator, "postgres": open_postgres_migrator}
