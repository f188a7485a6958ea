"""A catalogue of event types, as a page."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from eventsourcing_core._events.chains import described_chain
from eventsourcing_core._names import full_name_of
from eventsourcing_core.evolution._layouts.describing import layout_of
from eventsourcing_core.evolution._layouts.layout import (
    CHANGING,
    DEFAULT,
    OPTIONAL,
    REFUSED,
    AliasLayout,
    EnumLayout,
    RecordLayout,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsourcing_core._events.event_types import EventTypes
    from eventsourcing_core.evolution._layouts.layout import ClassLayout

_IF_MISSING = {
    REFUSED: "required",
    DEFAULT: "takes its default",
    CHANGING: "required in stored events; its default changes",
    OPTIONAL: "may be missing",
}


def catalogue_page(event_types: EventTypes) -> str:
    """Write the event types of a registry as a page of Markdown, sorted by name.

    It has the fields with their hints, what becomes of an event without one, the classes that the
    hints name, and the docstrings. The same registry gives the same text.

    Raises:
        SerializationError: A hint cannot be stored.
    """
    lines = ["# Event types"]
    for event_type, cls in sorted(event_types.classes.items()):
        layout = layout_of(cls)
        lines += ["", f"## `{event_type}`", "", f"Class `{full_name_of(cls)}`."]
        said = docstring_of(cls)
        lines += ["", said] if said else []
        lines += [*_upcast(event_types, event_type)]
        lines += ["", *_described(layout.record)]
        for key in sorted(layout.classes.keys() - {layout.root}):
            lines += ["", f"### `{key}` in `{event_type}`", "", *_described(layout.classes[key])]
    return "\n".join([*lines, ""])


def sources_of(event_types: EventTypes, event_type: str) -> list[str]:
    """List the other stored names that upcasters make events of a type of, sorted."""
    return sorted(event_types.stored_names([event_type]) - {event_type})


def _upcast(event_types: EventTypes, event_type: str) -> Iterator[str]:
    """Say which upcasters lead to a type."""
    upcasters = event_types.upcasters
    for source in sources_of(event_types, event_type):
        chain = described_chain(source, upcasters).replace("'", "`")
        yield ""
        yield f"Also of events stored as `{source}`: {chain}, by `{upcasters[source].name}`."


def docstring_of(cls: type) -> str:
    """Give the docstring of a class; empty if nobody wrote one."""
    written = inspect.cleandoc(vars(cls).get("__doc__") or "")
    is_generated = written.startswith(f"{cls.__name__}(")  # by dataclasses and named tuples
    return "" if is_generated else written


def _described(described: ClassLayout) -> Iterator[str]:
    if isinstance(described, AliasLayout):
        yield f"Stands for `{described.shape.text}`."
    elif isinstance(described, EnumLayout):
        yield f"{described.kind}: one of these values."
        yield ""
        yield "| member | stored |"
        yield "|---|---|"
        for name, value in described.values.items():
            yield f"| `{name}` | `{value!r}` |"
    elif not described.fields:
        yield "It has no fields."
    else:
        yield from _table(described)


def _table(record: RecordLayout) -> Iterator[str]:
    yield "| field | type | in an event without it |"
    yield "|---|---|---|"
    for field in record.fields:
        hint = field.shape.text.replace("|", r"\|")
        former = f" (was {', '.join(f'`{name}`' for name in field.former)})" if field.former else ""
        missing = _IF_MISSING[field.if_missing]
        yield f"| `{field.name}`{former} | `{hint}` | {missing} |"
