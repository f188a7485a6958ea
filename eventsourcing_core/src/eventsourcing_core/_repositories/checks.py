"""What a repository asks of an aggregate before it saves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core._aggregates.known_types import check_known
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_core._errors import missing_events, shown
from eventsourcing_core._names import full_name_of

if TYPE_CHECKING:
    from eventsourcing_core._aggregates.aggregate import Aggregate
    from eventsourcing_core.stores._event_store import StreamStore


def check_class(aggregate: object, kept: type[Aggregate]) -> None:
    """Refuse an aggregate of another class than a repository keeps.

    Raises:
        TypeError: It is of another class.
    """
    if not isinstance(aggregate, kept):
        message = f"this repository keeps {kept.__name__}, got {shown(aggregate)}"
        if full_name_of(type(aggregate)) == full_name_of(kept):
            message += "; the class was defined again since: make the repository again, too"
        raise TypeError(message)


def check_found_again(aggregate: Aggregate, kept: type[Aggregate]) -> None:
    """Refuse events that a repository would write into a stream that it does not load.

    Raises:
        TypeError: The aggregate is of a class below the repository's, with streams of its own.
    """
    if type(aggregate) is kept or not aggregate.pending_events:
        return
    if aggregate.stream_id != kept.stream_id_of(aggregate.id):
        name = type(aggregate).__name__
        message = (
            f"a repository of {kept.__name__} would not find {aggregate.stream_id!r} again: save "
            f"it with a repository of {name}, or set category = {kept.category!r} in {name}"
        )
        raise TypeError(message)


def check_savable(aggregate: Aggregate, kept: type[Aggregate]) -> None:
    """Refuse to store what would not be found again, or was decided by a state that may be wrong.

    Raises:
        TypeError: See ``check_found_again``.
        UnknownEventTypeError: See ``check_known``.
    """
    check_found_again(aggregate, kept)
    if aggregate.pending_events:
        check_known(aggregate, stored_as(aggregate), "saved")


async def check_kept(events: StreamStore, aggregate: Aggregate, at_version: int | None) -> None:
    """Tell a version that is missing from one that was not reached yet.

    Raises:
        StorageError: The stream goes further than what was read of it.
    """
    if at_version is None or aggregate.version >= at_version:
        return
    if await events.stream_version(aggregate.stream_id) >= at_version:
        raise missing_events(aggregate.stream_id, aggregate.version + 1)


def check_reached(aggregate: Aggregate, at_version: int | None) -> None:
    if at_version is not None and aggregate.version < at_version:
        message = (
            f"{aggregate.stream_id!r} is at version {aggregate.version}, {at_version} was not "
            "reached yet"
        )
        raise ValueError(message)
