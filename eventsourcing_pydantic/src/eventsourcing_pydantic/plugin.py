"""What this distribution offers: the payload family ``pydantic``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_pydantic._family import PydanticFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core.plugins import PayloadFamily


@hookimpl
def payload_families() -> Mapping[str, Callable[[], PayloadFamily]]:
    """Offer ``pydantic``."""
    return {"pydantic": PydanticFamily}
