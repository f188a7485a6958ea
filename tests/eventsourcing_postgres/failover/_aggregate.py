"""An aggregate whose commands behave in all three ways when they are repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import Aggregate, EventTypes, event

if TYPE_CHECKING:
    from eventsourcing_core import Event

types = EventTypes()


@event("opened", event_types=types)
class Opened:
    guests: int = 0


class Inn(Aggregate):
    event_types = types
    is_open: bool = False

    def open_once(self) -> None:
        """Open, or refuse."""
        if self.is_open:
            message = "it is open already"
            raise ValueError(message)
        self.open_again()

    def open_if_closed(self) -> None:
        """Open, or do nothing."""
        if not self.is_open:
            self.open_again()

    def open_again(self) -> None:
        """Open, whatever was before."""
        self._record(Opened())

    def apply(self, event: Event[Opened]) -> None:
        self.is_open = event.data.guests == 0
