"""What this distribution offers: the backend ``sqlite``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_sqlite._backend import open_sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.hookspecs import BackendFactory


@hookimpl
def backends() -> Mapping[str, BackendFactory]:
    """Offer ``sqlite:///file.db``."""
    return {"sqlite": open_sqlite}
