"""What this distribution offers: the backend ``memory``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_inmemory._backend import open_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.hookspecs import BackendFactory


@hookimpl
def backends() -> Mapping[str, BackendFactory]:
    """Offer ``memory://`` (private) and ``memory://name`` (one for the process)."""
    return {"memory": open_memory}
