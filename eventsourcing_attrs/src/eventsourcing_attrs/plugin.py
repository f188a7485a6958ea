"""What this distribution offers: the payload family ``attrs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_attrs._family import AttrsFamily
from eventsourcing_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core.plugins import PayloadFamily


@hookimpl
def payload_families() -> Mapping[str, Callable[[], PayloadFamily]]:
    """Offer ``attrs``."""
    return {"attrs": AttrsFamily}
