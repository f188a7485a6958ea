"""What a process applies inside its appends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core._errors import (
    InlineError,
    ProjectionError,
    SerializationError,
    TransformError,
    said_of,
)
from eventsourcing_core._inline.applying import apply_events
from eventsourcing_core._projections.definition import definitions_of
from eventsourcing_core.stores._builds import Build, ProjectionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core.stores._inline import InlineBatch
    from eventsourcing_core.stores._rows import Row


class InlineSet:
    """Views and projections that a process applies inline; see ``InlineHandlers``.

    Args:
        followers: The views and projections; objects, not classes.
        codec: What decodes the events.

    Raises:
        TypeError: Something is neither a view nor a projection, or a handler is not what it must
            be.
        ValueError: A name, a version or an index cannot be.
        ProjectionError: Two have one name, or something is a reactor.
        SerializationError: The values of a view cannot be stored.
    """

    def __init__(self, followers: Iterable[object], codec: EventCodec) -> None:
        self._codec = codec
        self._definitions: dict[Build, Definition] = {}
        for definition in definitions_of(followers, codec.event_types):
            self._check(definition)
            self._definitions[definition.build] = definition

    @property
    def definitions(self) -> Sequence[Definition]:
        """What is in it, by name."""
        return [self._definitions[build] for build in sorted(self._definitions)]

    @property
    def builds(self) -> Mapping[Build, ProjectionKind]:
        """The builds of all; see ``InlineHandlers.builds``."""
        return {build: each.spec.kind for build, each in self._definitions.items()}

    def early_keys(self, build: Build, events: Iterable[tuple[str, str]]) -> Collection[str]:
        """Give the ids of streams, if they are the keys; see ``InlineHandlers.early_keys``."""
        definition = self._definitions[build]
        if definition.values is None or not definition.is_keyed_by_stream:
            return ()
        types = definition.event_types
        return {stream_id for stream_id, kind in events if types is None or kind in types}

    async def apply(
        self,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: Callable[[Build], AbstractAsyncContextManager[InlineBatch]],
    ) -> None:
        """Apply events to builds; see ``InlineHandlers.apply``."""
        definitions = [self._definitions[build] for build in sorted(builds)]
        if all(definition.event_types is not None for definition in definitions):
            types = {each for one in definitions for each in one.spec.event_types or ()}
            rows = [row for row in rows if row[3] in types]
        if not rows:
            return
        try:
            found = {event.event_type for event in self._codec.decode(rows)}
        except (SerializationError, TransformError) as error:
            message = (
                "append refused, nothing was written: inline projections cannot read what would "
                f"be stored ({said_of(error)}): mend the serializer, the transformer or the class"
            )
            raise InlineError(message) from error

        for definition in definitions:
            types_of_one = definition.event_types
            if types_of_one is None or not found.isdisjoint(types_of_one):
                async with batch_of(definition.build) as batch:
                    await apply_events(definition, rows, self._codec, batch)

    def _check(self, definition: Definition) -> None:
        name = definition.build.name
        if definition.spec.kind is ProjectionKind.REACTOR:
            message = (
                f"reactor {name!r} cannot be inline, since its effects cannot be taken back with "
                "an append: run it with backend.projector(…)"
            )
            raise ProjectionError(message)
        if any(build.name == name for build in self._definitions):
            message = f"inline has two projections of the name {name!r}: give one another name"
            raise ProjectionError(message)
