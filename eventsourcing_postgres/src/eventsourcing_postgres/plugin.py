"""What this distribution offers: the backend ``postgresql``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_postgres._backend import open_postgres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.hookspecs import BackendFactory


@hookimpl
def backends() -> Mapping[str, BackendFactory]:
    """Offer ``postgresql://…``, also under the name ``postgres``."""
    return {"postgresql": open_postgres, "postgres": open_postgres}
