"""Reading the values of views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eventsourcing_core._errors import ProjectionError, shown
from eventsourcing_core._projections.definition import check_key, check_name, value_hint_of
from eventsourcing_core._projections.kinds import View
from eventsourcing_core._projections.values import ValueCodec
from eventsourcing_core.stores._builds import BuildState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from eventsourcing_core.stores._projection_store import ProjectionStore

V = TypeVar("V")


class ViewReader(Generic[V]):
    """The values of a view: those of its live version.

    Args:
        view: The class of the view.
        store: Where its values are.

    Raises:
        TypeError: It is not the class of a view, or has no name.
        ValueError: Its name cannot be one.
    """

    def __init__(self, view: type[View[V]], store: ProjectionStore) -> None:
        given: object = view
        if not (isinstance(given, type) and issubclass(given, View)):
            message = f"the values of a view are asked for by its class, got {shown(given)}"
            raise TypeError(message)
        self._name = check_name(getattr(view, "name", None), view)
        self._indexes = view.indexes
        self._store = store
        self._values: ValueCodec[V] = ValueCodec(value_hint_of(view), view.__name__)

    async def get(self, key: str) -> V | None:
        """Give the value of a key; None if it has none.

        Raises:
            ProjectionError: No process has run the view yet.
            SerializationError: What is stored is not of the view's type.
            StorageError: The store failed.
        """
        return (await self.get_many([key])).get(key)

    async def get_many(self, keys: Iterable[str]) -> dict[str, V]:
        """Give the values of keys, all as they are at one moment; those without one are left out.

        Raises as ``get`` does.
        """
        if isinstance(keys, str):  # it is an iterable of texts, and never meant as one
            message = f"keys is a collection of texts, got the text {shown(keys)}"
            raise TypeError(message)
        found = await self._store.live_values(self._name, [check_key(key) for key in keys])
        return {key: self._values.decode(text) for key, text in found.items()}

    def all(self) -> AsyncIterator[tuple[str, V]]:
        """Go through all keys and their values, by key in the order of Unicode code points.

        They come by the page: one that changes meanwhile may come as it was or as it is. All are of
        one version of the view, also if another one is switched to.

        Raises as ``get`` does.
        """
        return self._pages({})

    def where(self, **fields: object) -> AsyncIterator[tuple[str, V]]:
        """Go through the keys whose values have these fields, in the order of ``all``.

        Raises:
            ValueError: A field has no index: ``indexes`` of the view names those that have one.
            ProjectionError: The version that is live has no such index.
            SerializationError: A field can have no such value.
        """
        for name in fields:
            if name not in self._indexes:
                message = (
                    f"view {self._name!r} has no index {name!r}: add it to its indexes, and raise "
                    "its version"
                )
                raise ValueError(message)
        return self._pages(
            {name: self._values.encode_field(name, value) for name, value in fields.items()}
        )

    async def _pages(self, where: Mapping[str, str]) -> AsyncIterator[tuple[str, V]]:
        if where:
            await self._check_live(where)
        async for page in self._store.live_pages(self._name, where):
            for key, text in page:
                yield key, self._values.decode(text)

    async def _check_live(self, where: Mapping[str, str]) -> None:
        """Refuse to ask the live version for what it has no index of: it may have no such field."""
        for record in await self._store.builds():
            spec = record.spec
            if spec.build.name != self._name or record.state is not BuildState.LIVE:
                continue
            for name in where:
                if name not in spec.indexes:
                    message = (
                        f"version {spec.build.version} of view {self._name!r} is live, and has no "
                        f"index {name!r}: switch to a version that has it first"
                    )
                    raise ProjectionError(message)


def name_in(projection: Any) -> str:
    """Give the name of a projection that was given as a name, a class or an object.

    Raises:
        ProjectionError: It is none.
    """
    name: object = projection if isinstance(projection, str) else getattr(projection, "name", None)
    if not isinstance(name, str):
        message = f"a projection is given as its name or its class, got {projection!r}"
        raise ProjectionError(message)
    return name
