"""Events with every hint that can be stored: how they are stored is frozen beside this file.

After a new hint was added, here and in decision 3:
`eventsourcing freeze tests.core.evolution.stored_forms:TYPES --into tests/core/evolution/frozen`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta  # noqa: TC003 - the hints are evaluated
from decimal import Decimal
from enum import Enum, Flag, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, TypedDict
from uuid import UUID  # noqa: TC003 - as above

from eventsourcing_core import EventTypes, event

TYPES = EventTypes()

Name = NewType("Name", str)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Side(StrEnum):
    LEFT = "left"


class Right(Flag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Home:
    street: str
    number: int | None = None


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Keys(TypedDict):
    needed: str
    may_lack: NotRequired[list[Keys]]


@dataclass(frozen=True)
class Node:
    value: int
    left: Node | None = None
    others: tuple[Node, ...] = ()


@event("forms.empty", event_types=TYPES)
class Empty:
    pass


@event("forms.plain", event_types=TYPES)
class Plain:
    nothing: None
    truth: bool
    whole: int
    real: float
    text: str
    data: bytes
    named: Name
    noted: Annotated[str, "a note"]


@event("forms.scalars", event_types=TYPES)
class Scalars:
    id: UUID
    at: datetime
    day: date
    hour: time
    length: timedelta
    amount: Decimal


@event("forms.chosen", event_types=TYPES)
class Chosen:
    colour: Colour
    size: Size
    side: Side
    rights: Right
    one_of: Literal["a", 1, True, None, b"x"]  # noqa: PYI061 - it is a hint of its own


@event("forms.classes", event_types=TYPES)
class Classes:
    home: Home
    point: Point
    keys: Keys
    node: Node


@event("forms.containers", event_types=TYPES)
class Containers:
    listed: list[Decimal]
    long: tuple[date, ...]
    fixed: tuple[int, str, UUID]
    none: tuple[()]
    chosen: set[Colour]
    frozen: frozenset[UUID]
    by_name: dict[str, list[int]]
    by_id: dict[UUID, Home]
    by_colour: dict[Colour, int | None]
    by_either: dict[str | int, bool]


@event("forms.unions", event_types=TYPES)
class Unions:
    perhaps: datetime | None
    several: Decimal | str | None
    classes: Home | Point | list[int] | Colour
    items: list[Home | UUID]
    of_dicts: dict[str, int] | tuple[int, ...] | Literal["none"]


@event("forms.untyped", event_types=TYPES)
class Untyped:
    anything: Any
    listed: list  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType] - bare, as it may be
    mapped: dict  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType] - as above


class Sum(NamedTuple):
    currency: str
    amount: Decimal = Decimal()


@event("forms.defaults", event_types=TYPES)
class Defaults:
    owner: str
    limit: Sum = Sum("EUR")
    labels: tuple[str, ...] = ("new",)
    note: str | None = None
