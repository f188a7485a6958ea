"""The hooks of this framework: everything a plugin can offer, on one page.

A plugin is a module named by an entry point of the group ``eventsourcing``::

    [project.entry-points.eventsourcing]
    sqlite = "eventsourcing_sqlite.plugin"

that implements one or more of the hooks below, without arguments, each returning a mapping from
name to factory::

    from eventsourcing_core.hookspecs import hookimpl


    @hookimpl
    def backends():
        return {"sqlite": open_sqlite}

So a plugin is tested by calling a function and looking at a dict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

import pluggy

from eventsourcing_core._payloads.families.family import PayloadFamily  # noqa: TC001 - pluggy and readers evaluate the hints
from eventsourcing_core._payloads.serializer import Serializer, Transformer  # noqa: TC001 - as above
from eventsourcing_core._payloads.shapes import TypedCodec  # noqa: TC001 - as above
from eventsourcing_core.stores._migrator import Migrator
from eventsourcing_core.stores._storage import Parts

PROJECT = "eventsourcing"
"""The name of the pluggy project, and of the entry-point group."""

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(PROJECT)
"""Marks a specification; for this module."""
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's implementation of a hook."""

BackendFactory = Callable[..., AbstractAsyncContextManager[Parts]]
"""Opens the parts of a backend by URL: ``factory(url, **options)``.

``url`` is the URL without its query, and still percent-encoded: the factory decodes it once
(``eventsourcing_core.stores.path_in`` does, for a file).

The options are the factory's keyword-only parameters, each annotated ``str``, ``int``, ``float`` or
``bool`` (or one of these ``| None``) and with a default: users give them as keyword arguments of
``open_backend`` or as query parameters of the URL. They come decoded and checked. A factory that
has ``**others: str``, too, is given options of any other name, and refuses those that it does not
know.

Calling the factory checks the URL and the options (``ValueError``). Entering the context opens, and
raises a ``StorageError`` where it cannot. Leaving the context closes all that was opened.

The factory of a backend with a schema takes ``migrate: bool``. With True, opening brings the schema
up to date; with False it makes and changes nothing, and raises a ``SchemaError`` if the schema is
missing or of another version. A backend without a schema has no such option.
"""

MigratorFactory = Callable[..., AbstractAsyncContextManager[Migrator]]
"""Opens the migrator of a URL: ``factory(url, **options)``.

URL and options are as for a backend. The same URL serves both: an option that only the backend of
the scheme has is checked and passed over, so the factory names the options that it needs itself.
"""


@hookspec
def backends() -> Mapping[str, BackendFactory]:  # type: ignore[empty-body]  # a specification
    """Offer backends, by URL scheme."""


@hookspec
def migrators() -> Mapping[str, MigratorFactory]:  # type: ignore[empty-body]  # as above
    """Offer migrators, by URL scheme, for backends that have a schema."""


@hookspec
def serializers() -> Mapping[str, Callable[[], Serializer]]:  # type: ignore[empty-body]  # as above
    """Offer serializers, by the name that is stored with each event."""


@hookspec
def transformers() -> Mapping[str, Callable[[], Transformer]]:  # type: ignore[empty-body]  # as above
    """Offer transformers (compression, encryption), by the name that is stored with each event."""


@hookspec
def typed_codecs() -> Mapping[str, Callable[[], TypedCodec]]:  # type: ignore[empty-body]  # as above
    """Offer what reads and writes typed payloads faster, by the name of the serializer it is for.

    The serializer stays what it is: it is asked for all that the other cannot do, and the bytes
    are its own.
    """


@hookspec
def payload_families() -> Mapping[str, Callable[[], PayloadFamily]]:  # type: ignore[empty-body]  # as above
    """Offer what makes the classes of a library payloads, by the name of the family.

    It is asked when the first class is registered that is no dataclass or the like: while modules
    are imported, and before a store is opened. So the plugin's module must not register any itself.
    """
