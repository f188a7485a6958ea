"""What this distribution offers: the serializer ``msgpack``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_msgpack._serializer import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core.plugins import Serializer


@hookimpl
def serializers() -> Mapping[str, Callable[[], Serializer]]:
    """Offer ``msgpack``."""
    return {"msgpack": MsgpackSerializer}
