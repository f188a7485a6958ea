"""The values of views, as JSON that every store can keep and people can ask for in SQL."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from eventsourcing_core._errors import SerializationError, said_of
from eventsourcing_core._payloads.converter import Compiler, fields_of
from eventsourcing_core._payloads.hints import bounded
from eventsourcing_core._payloads.serializer import JsonSerializer

V = TypeVar("V")

_NO_NUMBER = "Out of range float"  # so json begins what it says of NaN and infinities
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_json = JsonSerializer(allow_nan=False)


class ValueCodec(Generic[V]):
    """Turns the values of a view into JSON and back.

    Args:
        hint: Their type.
        where: The view, for messages.

    Raises:
        SerializationError: The type cannot be stored.
    """

    def __init__(self, hint: Any, where: str) -> None:
        self._hint = hint
        self._where = where
        self._conversion = bounded(Compiler().conversion(hint, where), where)

    def encode(self, value: V) -> str:
        """Give the JSON of a value.

        Raises:
            SerializationError: It cannot be stored.
        """
        return self._text(self._conversion.encode, value)

    def decode(self, text: str) -> V:
        """Give the value of JSON.

        Raises:
            SerializationError: It is not one of this type.
        """
        try:
            value: V = self._conversion.decode(_json.deserialize(text.encode()))
        except Exception as error:
            message = (
                f"a stored value of {self._where} cannot be read ({said_of(error)}): if its type "
                "has changed, raise the version of the view, and read by the class of the version "
                "that is live until the new one is"
            )
            raise SerializationError(message) from error
        return value

    def encode_field(self, name: str, value: object) -> str:
        """Give the JSON of the value of one field of the values.

        Raises:
            SerializationError: It cannot be stored there.
        """
        where = f"{self._where}.{name}"
        return self._text(Compiler().conversion(self._fields()[name], where).encode, value)

    def check_fields(self, names: tuple[str, ...]) -> None:
        """Refuse indexes of fields that the values do not have.

        Raises:
            SerializationError: The values have no fields.
            ValueError: They have no such field.
        """
        if not names:
            return
        for name in names:
            if name not in self._fields():
                message = f"{self._where} has the index {name!r}, and its values no such field"
                raise ValueError(message)

    def _fields(self) -> dict[str, Any]:
        """Give the hints of the fields of the values."""
        try:
            return {field: hint for field, hint, _ in fields_of(self._hint, self._where)}
        except (SerializationError, TypeError) as error:  # a hint such as list[int] is no class
            message = (
                f"{self._where} has indexes, which are fields of its values: their type must be a "
                "dataclass, a NamedTuple or a TypedDict, all of whose hints can be evaluated"
            )
            raise SerializationError(message) from error

    def _text(self, encode: Any, value: object) -> str:
        try:
            text = _json.serialize(encode(value)).decode()
        except Exception as error:
            is_no_number = isinstance(error, ValueError) and str(error).startswith(_NO_NUMBER)
            fault = "it has a float that is NaN or infinite" if is_no_number else said_of(error)
            message = f"a value of {self._where} cannot be stored: {fault}"
            raise SerializationError(message) from error
        if "\\u0000" in text and _NUL.search(text):
            message = (
                f"a value of {self._where} cannot be stored: it has the character U+0000, which "
                "no JSON of a database holds"
            )
            raise SerializationError(message)
        return text
