"""The door for authors of plugins: what they implement, and finding what is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, cast

import pluggy

from eventsourcing_core import hookspecs
from eventsourcing_core._errors import DuplicatePluginError, PluginError, shown
from eventsourcing_core._names import ENCODING_NAMES, is_encoding_name
from eventsourcing_core._payloads.families.family import PayloadClass, PayloadFamily, PayloadField
from eventsourcing_core._payloads.scalars import SCALARS, Scalar
from eventsourcing_core._payloads.serializer import Serializer, Transformer
from eventsourcing_core._payloads.shapes import (
    Assemble,
    FixedShape,
    ItemsShape,
    MappingShape,
    OptionalShape,
    OtherShape,
    PairsShape,
    PlainShape,
    RecordField,
    RecordShape,
    Shape,
    TypedCodec,
    TypedFunctions,
    WrittenShape,
)
from eventsourcing_core.hookspecs import PROJECT, hookimpl, hookspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

__all__ = [
    "SCALARS",
    "Assemble",
    "FixedShape",
    "ItemsShape",
    "MappingShape",
    "Offer",
    "OptionalShape",
    "OtherShape",
    "PairsShape",
    "PayloadClass",
    "PayloadFamily",
    "PayloadField",
    "PlainShape",
    "Plugins",
    "RecordField",
    "RecordShape",
    "Scalar",
    "Serializer",
    "Shape",
    "Transformer",
    "TypedCodec",
    "TypedFunctions",
    "WrittenShape",
    "hookimpl",
    "hookspec",
    "installed_plugins",
    "load_plugins",
]

_KINDS = {
    "backends": "backend",
    "migrators": "migrator",
    "serializers": "serializer",
    "transformers": "transformer",
    "typed_codecs": "typed codec",
    "payload_families": "payload family",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing one plugin offers."""

    kind: str
    """``backend``, ``migrator``, ``serializer``, ``transformer``, ``typed codec`` or
    ``payload family``."""
    name: str
    """The URL scheme, or the stored name."""
    plugin: str
    """The entry point that offers it."""
    factory: Any
    """What the hook returned for the name."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """What all plugins together offer."""

    offers: tuple[Offer, ...] = ()
    """Everything that is offered, in the order of the plugins' names."""
    broken: dict[str, PluginError] = field(default_factory=dict[str, PluginError])
    """The plugins that cannot be used, by entry point, each with its reason."""

    def names(self, kind: str) -> list[str]:
        """List the names on offer, sorted."""
        return sorted({offer.name for offer in self.offers if offer.kind == kind})

    def find(self, kind: str, name: str) -> Offer | None:
        """Give the one offer of that name; None if there is none.

        Raises:
            DuplicatePluginError: Two plugins offer the name.
            PluginError: Nobody offers it, but the plugin that is called so is broken.
        """
        found = [offer for offer in self.offers if (offer.kind, offer.name) == (kind, name)]
        if len(found) > 1:
            raise DuplicatePluginError(kind, name, [offer.plugin for offer in found])
        if not found and name in self.broken:
            raise self.broken[name]
        return found[0] if found else None


@cache
def installed_plugins() -> Plugins:
    """Load the plugins that are installed, once per process."""
    return load_plugins(entry_points(group=PROJECT))


def load_plugins(found: Iterable[EntryPoint]) -> Plugins:
    """Load plugins one by one, so that a broken one spoils nothing for the others.

    pluggy's own loader is not used: it would pass over the second of two plugins with one name,
    and stop at the first that does not import.
    """
    offers: list[Offer] = []
    broken: dict[str, PluginError] = {}
    for entry_point in sorted(found, key=lambda entry_point: (entry_point.name, entry_point.value)):
        try:
            offers.extend(_offers_of(entry_point))
        except Exception as error:  # noqa: BLE001 - a plugin may fail in any way
            key = entry_point.name if entry_point.name not in broken else str(entry_point.value)
            broken[key] = _broken(entry_point, error)
    return Plugins(tuple(offers), broken)


def _offers_of(entry_point: EntryPoint) -> list[Offer]:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(entry_point.load(), name=entry_point.name)
    manager.check_pending()  # refuses a misspelt hook
    offers: list[Offer] = []
    for hook, kind in _KINDS.items():
        for mapping in getattr(manager.hook, hook)():
            _check_mapping(hook, mapping)
            offers.extend(Offer(kind, n, entry_point.name, f) for n, f in mapping.items())
    if not offers:
        message = (
            "it implements none of the hooks, or they give nothing: mark its functions with "
            "@hookimpl, and return a mapping from each"
        )
        raise PluginError(message)
    return offers


def _check_mapping(hook: str, given: object) -> None:
    """Refuse what nobody could find or call."""
    if not isinstance(given, Mapping):
        message = f"the hook {hook!r} gives {type(given).__name__}, not a mapping"
        raise PluginError(message)
    for name, factory in cast("Mapping[object, object]", given).items():
        if not isinstance(name, str) or not name:
            message = f"the hook {hook!r} offers {name!r}: names are texts"
            raise PluginError(message)
        if hook in {"backends", "migrators"} and name != name.lower():
            message = f"the hook {hook!r} offers {name!r}: schemes of URLs are in lower case"
            raise PluginError(message)
        if hook in {"serializers", "transformers", "typed_codecs"} and not is_encoding_name(name):
            message = f"the hook {hook!r} offers {shown(name)}: a stored name is {ENCODING_NAMES}"
            raise PluginError(message)
        if not callable(factory):
            message = f"the hook {hook!r} offers {name!r} with {factory!r}, which cannot be called"
            raise PluginError(message)


def _broken(entry_point: EntryPoint, error: Exception) -> PluginError:
    broken = PluginError(
        f"the plugin {entry_point.name!r} ({entry_point.value}) cannot be used: "
        f"{type(error).__name__}: {error}; mend, reinstall or uninstall it",
    )
    broken.__cause__ = error
    return broken
