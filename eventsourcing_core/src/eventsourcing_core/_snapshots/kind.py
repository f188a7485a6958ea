"""Kinds of states: how a state is made of events, and how a snapshot keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.fold import apply_pages, folded_to
from eventsourcing_core._payloads.scalars import plain_tree
from eventsourcing_core._snapshots.state_version import state_version_of

if TYPE_CHECKING:
    from eventsourcing_core._aggregates.fold import Folded, Pages

S = TypeVar("S")
A = TypeVar("A", bound=Aggregate)


class Kind(Protocol[S]):
    """What snapshots need to know of the states that they keep; any value can be a state."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    async def fold(self, pages: Pages, state: S, version: int) -> Folded[S]:
        """Fold events into a state of a version."""
        ...

    def state_version(self, state: S | None = None) -> str:
        """Say what a snapshot must have been made by to be used."""
        ...

    def knows(self, event_type: str) -> bool:
        """Tell whether events of a type are read by a class or an upcaster, and not as dicts."""
        ...

    def encode(self, state: S) -> object:
        """Give the state as a tree of plain values."""
        ...

    def decode(self, tree: object, state: S) -> S:
        """Give the state of a tree; ``state`` is one that was just made."""
        ...


class AggregateKind(Generic[A]):
    """The aggregates of a class.

    Args:
        cls: The class.
    """

    def __init__(self, cls: type[A]) -> None:
        self._class = cls

    @property
    def name(self) -> str:
        """The name of the class."""
        return self._class.__name__

    async def fold(self, pages: Pages, state: A, version: int) -> Folded[A]:
        """Apply events: an aggregate changes in place."""
        return folded_to(await apply_pages(pages, state.apply, version), state)

    def state_version(self, state: A | None = None) -> str:
        """See ``state_version_of``; an aggregate may be of a class below the repository's."""
        return state_version_of(self._class if state is None else type(state))

    def knows(self, event_type: str) -> bool:
        """Look into the registry of the class."""
        types = self._class.event_types
        return event_type in types.conversions or event_type in types.upcasters

    def encode(self, state: A) -> object:
        """Give what ``snapshot_state`` gives, checked where the class has one of its own."""
        tree = state.snapshot_state()
        if type(state).snapshot_state is not Aggregate.snapshot_state:
            tree = plain_tree(tree, f"what {type(state).__name__}.snapshot_state() gives")
        return tree

    def decode(self, tree: object, state: A) -> A:
        """Let an aggregate that was just made take over a tree."""
        state.restore_state(tree)
        return state
