"""What is stored as JSON, as JSON Schema (https://json-schema.org/draft/2020-12)."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core.evolution._catalogue import docstring_of, sources_of
from eventsourcing_core.evolution._layouts.describing import layout_of
from eventsourcing_core.evolution._layouts.layout import (
    OPTIONAL,
    AliasLayout,
    EnumLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import LITERAL, UNION, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core._events.event_types import EventTypes

_BYTES = {
    "type": "object",
    "properties": {"$bytes": {"type": "string", "contentEncoding": "base64"}},
    "required": ["$bytes"],
}
_NUMBER = r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_LEAVES: dict[str, dict[str, Any]] = {
    "None": {"type": "null"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bytes": _BYTES,
    "UUID": {"type": "string", "format": "uuid"},
    "datetime": {"type": "string", "description": "ISO 8601, with or without an offset from UTC"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "description": "ISO 8601, with or without an offset from UTC"},
    "timedelta": {
        "type": "string",
        "pattern": r"^-?\d+$",
        "description": "whole microseconds",
    },
    "Decimal": {"type": "string", "pattern": rf"^({_NUMBER}|-?Infinity|-?s?NaN\d*)$"},
    "Any": {},
    "list": {"type": "array"},
    "dict": {"type": "object"},
}


def json_schema(event_types: EventTypes) -> dict[str, Any]:
    """Describe what new events of a registry hold, as the serializer ``json`` stores it.

    Under ``$defs`` there is a schema for each event type, by its stored name. The same registry
    gives the same schema.

    Raises:
        SerializationError: A hint cannot be stored.
    """
    types = {
        event_type: _Schemas(layout_of(cls), event_type).whole(docstring_of(cls))
        | _comment("also of events stored as", sources_of(event_types, event_type))
        for event_type, cls in sorted(event_types.classes.items())
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": types}


def _comment(said: str, names: Sequence[str]) -> dict[str, Any]:
    """Say what a schema has no word for, in what is for people: JSON Schema, section 8.3."""
    return {"$comment": f"{said} {', '.join(names)}"} if names else {}


class _Schemas:
    """Writes the schema of one layout.

    Args:
        layout: The layout.
        event_type: Its stored name.
    """

    def __init__(self, layout: Layout, event_type: str) -> None:
        self._layout = layout
        # In a pointer within a URI: RFC 6901, sections 3 and 6.
        escaped = event_type.replace("~", "~0").replace("/", "~1")
        self._begin = "#/$defs/" + "".join(
            each if (each.isalnum() and each.isascii()) or each in "-._~" else _percent(each)
            for each in escaped
        )

    def whole(self, docstring: str) -> dict[str, Any]:
        """Give the schema of the event type."""
        root = self._layout.root
        said = {"description": docstring} if docstring else {}
        names = sorted(self._layout.classes.keys() - {root})
        others = {name: self._class(name) for name in names}
        return {"title": root} | said | self._class(root) | ({"$defs": others} if others else {})

    def _class(self, key: str) -> dict[str, Any]:
        described = self._layout.classes[key]
        if isinstance(described, AliasLayout):
            return self._of(described.shape)
        if isinstance(described, EnumLayout):
            if described.kind == "Flag":
                return {"type": "integer"}
            return {"enum": list(described.values.values())}
        return self._record(described)

    def _record(self, record: RecordLayout) -> dict[str, Any]:
        required = [field.name for field in record.fields if field.if_missing != OPTIONAL]
        return {
            "type": "object",
            "properties": {
                field.name: self._of(field.shape) | _comment("was named", field.former)
                for field in record.fields
            },
            "required": required,
            "additionalProperties": False,
        }

    def _of(self, shape: Shape) -> dict[str, Any]:  # noqa: PLR0911 - a table of kinds
        if shape.kind in self._layout.classes:
            is_root = shape.kind == self._layout.root
            return {"$ref": self._begin if is_root else f"{self._begin}/$defs/{shape.kind}"}
        if shape.kind == LITERAL:
            return {"enum": [each for each in shape.allowed if type(each) is not bytes]}
        if shape.kind == UNION:
            return {"anyOf": self._members(shape)}
        inner = [self._of(each) for each in shape.of]
        if shape.kind == "tuple":
            size = len(inner)
            items = {"prefixItems": inner} if inner else {}
            return {"type": "array", **items, "minItems": size, "maxItems": size}
        if not inner:
            return _LEAVES[shape.kind]
        if shape.kind == "dict" and shape.of[0].kind == "str":
            return {"type": "object", "additionalProperties": inner[1]}
        if shape.kind == "dict":
            pair = {"type": "array", "prefixItems": inner, "minItems": 2, "maxItems": 2}
            return {"type": "array", "items": pair}
        return {"type": "array", "items": inner[0]}

    def _members(self, shape: Shape) -> list[dict[str, Any]]:
        some = [each for each in shape.of if each.kind != "None"]
        schemas = [self._of(each) for each in some]
        if len(some) > 1:
            schemas = [
                {
                    "type": "object",
                    "properties": {"$type": {"const": self._layout.tag_of(each)}, "$value": schema},
                    "required": ["$type", "$value"],
                }
                for each, schema in zip(some, schemas, strict=True)
            ]
        return [*schemas, *([{"type": "null"}] if len(some) < len(shape.of) else [])]


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
