"""What this distribution offers: typed codecs for ``json`` and ``msgpack``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_msgspec._codecs import JsonTypedCodec, MsgpackTypedCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core.plugins import TypedCodec

# One of each: what it compiles for a class serves every store.
_JSON, _MSGPACK = JsonTypedCodec(), MsgpackTypedCodec()


@hookimpl
def typed_codecs() -> Mapping[str, Callable[[], TypedCodec]]:
    """Offer those for ``json`` and ``msgpack``."""
    return {"json": lambda: _JSON, "msgpack": lambda: _MSGPACK}
