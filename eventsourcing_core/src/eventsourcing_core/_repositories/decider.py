"""The repository of a decider: that of aggregates, with a word for running a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from eventsourcing_core._aggregates.decider import Decided
from eventsourcing_core._repositories.repository import Repository

if TYPE_CHECKING:
    from uuid import UUID

C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")


class DeciderRepository(Repository[Decided[C, E, S]], Generic[C, E, S]):
    """The streams of one decider; ``backend.repository(decider)`` gives it.

    It is a ``Repository`` of ``Decider.aggregate_class``, and takes the same options. What it loads
    has a ``state``, a ``version`` and a method ``decide``; ``save`` and ``update`` take it as they
    take an aggregate.
    """

    async def decide(
        self,
        id: str,  # noqa: A002 - the word of the domain
        command: C,
        *,
        attempts: int = 3,
        command_id: UUID | str | None = None,
    ) -> Decided[C, E, S]:
        """Load, decide on a command and save, again when somebody else was faster; see ``update``.

        Args:
            id: The id, without the category.
            command: What ``decide`` gets.
            attempts: How often to try at the most.
            command_id: Identifies the command: one that is repeated is stored once.

        Returns:
            The state and the version as saved; ``saved`` gives its place.

        Raises:
            ConcurrencyError: If the last attempt met a conflict, too.
            TypeError: ``decide`` or ``evolve`` has given what it may not.
            Exception: What ``decide`` raises, and what ``update`` does.
        """
        return await self.update(
            id, lambda decided: decided.decide(command), attempts=attempts, command_id=command_id
        )
