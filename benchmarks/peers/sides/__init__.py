"""The sides, by name: ours, the limits, the textbook, and the peers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ability(StrEnum):
    """What is measured of a side."""

    APPEND = "append"
    RACE = "race"
    BULK = "bulk"
    LOAD = "load"
    SNAPSHOT = "snapshot"
    READ = "read"
    FOLLOW = "follow"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A side, as the tables show it."""

    name: str
    place: str
    """Module and class, in this package."""
    label: str
    abilities: frozenset[Ability] = frozenset(Ability)
    is_limit: bool = False
    """Whether it is what the server and the driver can do, rather than a store."""
    needs_umadb: bool = False


A = Ability
SIDES = (
    Listed(name="ours", place="ours:Ours", label="eventsourcing-core, msgpack"),
    Listed(
        name="ours_json",
        place="ours:OursJson",
        label="eventsourcing-core, JSON",
        abilities=frozenset({A.APPEND, A.BULK, A.LOAD, A.READ}),
    ),
    Listed(
        name="ours_hot",
        place="ours:OursHot",
        label="eventsourcing-core, update with a cache",
        abilities=frozenset({A.RACE}),
    ),
    Listed(
        name="bare",
        place="bare:Bare",
        label="bare asyncpg",
        abilities=frozenset({A.APPEND, A.BULK, A.LOAD, A.READ}),
        is_limit=True,
    ),
    Listed(
        name="function",
        place="bare:Function",
        label="one server function",
        abilities=frozenset({A.APPEND, A.RACE}),
        is_limit=True,
    ),
    Listed(
        name="textbook",
        place="bare:Textbook",
        label="textbook transaction",
        abilities=frozenset({A.APPEND, A.RACE}),
    ),
    Listed(name="eventsourcing", place="pyeventsourcing:Default", label="eventsourcing"),
    Listed(
        name="eventsourcing_functions",
        place="pyeventsourcing:Functions",
        label="eventsourcing, database functions",
        abilities=frozenset({A.APPEND, A.RACE, A.BULK, A.READ, A.FOLLOW}),
    ),
    Listed(
        name="eventsource_py",
        place="eventsource_py:EventsourcePy",
        label="eventsource-py",
        abilities=frozenset(Ability) - {A.FOLLOW},
    ),
    Listed(
        name="umadb",
        place="umadb_client:UmaDB",
        label="UmaDB, Python client",
        abilities=frozenset(Ability) - {A.SNAPSHOT},
        needs_umadb=True,
    ),
)
BY_NAME = {side.name: side for side in SIDES}
OURS = "ours"
HOT = "ours_hot"
BARE = "bare"


def able(sides: Iterable[Listed], *abilities: Ability) -> list[Listed]:
    """Give those that can do all of these, in their order."""
    return [side for side in sides if side.abilities.issuperset(abilities)]
