"""What is asked for by name: backends and migrators by URL scheme, serializers and the like.

The one module that looks for plugins, and only inside a function: the core works without pluggy.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import PluginError, UnknownPluginError, said_of
from eventsourcing_core._payloads.families.registry import families
from eventsourcing_core._payloads.serializer import JsonSerializer, Serializer, Transformer

if TYPE_CHECKING:
    from eventsourcing_core._payloads.families.family import PayloadFamily
    from eventsourcing_core._payloads.shapes import TypedCodec
    from eventsourcing_core.hookspecs import BackendFactory, MigratorFactory
    from eventsourcing_core.plugins import Plugins

_EXTRAS = {
    "memory": "inmemory",
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "postgres": "postgres",
    "msgpack": "msgpack",
}
"""The extra of the core that installs what offers a name."""


def find_backend(scheme: str) -> BackendFactory:
    """Give the factory of the backend for a URL scheme.

    Raises:
        PluginError: No plugin offers it (``UnknownPluginError``), two do, or the one is broken.
    """
    factory: BackendFactory = _find("backend", scheme)
    return factory


def find_migrator(scheme: str) -> MigratorFactory:
    """Give the factory of the migrator for a URL scheme.

    Raises:
        PluginError: As for ``find_backend``; or a backend is there, and has no schema.
    """
    factory: MigratorFactory = _find("migrator", scheme)
    return factory


def backend_of(scheme: str) -> BackendFactory | None:
    """Give the factory of the backend for a URL scheme; None if there is none.

    Raises:
        PluginError: Two plugins offer it, or the one is broken.
    """
    plugins = _plugins()
    offer = plugins.find("backend", scheme) if plugins else None
    return offer.factory if offer else None


def find_serializer(name: str) -> Serializer:
    """Give a serializer by its stored name.

    Raises:
        PluginError: As for ``find_backend``.
    """
    serializer: Serializer = JsonSerializer() if name == "json" else _made("serializer", name)
    return serializer


def find_transformer(name: str) -> Transformer:
    """Give a transformer by its stored name.

    Raises:
        PluginError: As for ``find_backend``.
    """
    transformer: Transformer = _made("transformer", name)
    return transformer


def find_typed_codec(name: str) -> TypedCodec | None:
    """Give what reads and writes typed payloads for a serializer; None if nobody offers it.

    Raises:
        PluginError: Two plugins offer it, or the one cannot be made.
    """
    plugins = _plugins()
    if plugins is None or name not in plugins.names("typed codec"):
        return None
    codec: TypedCodec = _made("typed codec", name)
    return codec


def find_payload_families() -> tuple[PayloadFamily, ...]:
    """Give the families that are installed.

    Raises:
        PluginError: Two plugins offer one name, or one cannot be made.
    """
    plugins = _plugins()
    if plugins is None:
        return ()
    return tuple(_made("payload family", name) for name in plugins.names("payload family"))


families.found_by(find_payload_families)


def _plugins() -> Plugins | None:
    if find_spec("pluggy") is None:  # then no plugin is installed: each of them requires it
        return None
    from eventsourcing_core.plugins import installed_plugins  # noqa: PLC0415 - needs pluggy

    return installed_plugins()


def _find(kind: str, name: str) -> Any:
    plugins = _plugins()
    offer = plugins.find(kind, name) if plugins else None
    if offer is not None:
        return offer.factory
    names = plugins.names(kind) if plugins else []
    if kind == "serializer":
        names = sorted([*names, "json"])
    if kind == "migrator" and backend_of(name) is not None:
        cure = f"the backend {name!r} has no schema, so there is nothing to migrate"
    else:
        cure = _cure(kind, name, plugins)
    raise UnknownPluginError(kind, name, names, cure)


def _cure(kind: str, name: str, plugins: Plugins | None) -> str:
    broken: dict[str, PluginError] = plugins.broken if plugins else {}
    reasons = "".join(f"; {error}" for error in broken.values())
    if name in _EXTRAS:
        return f'pip install "eventsourcing-core[{_EXTRAS[name]}]"{reasons}'
    likely = {each for each in _EXTRAS if (each == "msgpack") == (kind == "serializer")}
    likely.update(plugins.names(kind) if plugins else ())
    if kind == "serializer":
        likely.add("json")
    # SQLAlchemy's schemes name a driver: postgresql+asyncpg.
    from difflib import get_close_matches  # noqa: PLC0415 - it takes longer to import than the core may take

    near = get_close_matches(name.partition("+")[0].lower(), sorted(likely), n=1)
    if near:
        return f"did you mean {near[0]!r}?{reasons}"
    return f"install a plugin that offers this {kind}, or correct the name{reasons}"


def _made(kind: str, name: str) -> Any:
    """Call the factory of a serializer or transformer, and see that it made what it offers."""
    factory = _find(kind, name)
    try:
        made = factory()
        found = made.name
    except Exception as error:
        message = f"the {kind} {name!r} cannot be made: {said_of(error)}"
        raise PluginError(message) from error
    if found != name:
        message = f"the {kind} offered as {name!r} calls itself {found!r}: stored names must agree"
        raise PluginError(message)
    return made
