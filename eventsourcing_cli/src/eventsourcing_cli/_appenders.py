"""Who appends, in words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from eventsourcing_cli._escape import on_one_line
from eventsourcing_core import StorageError
from eventsourcing_core.stores import OutageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import StorageEventStore
    from eventsourcing_core.stores import Appender

logger = logging.getLogger(__name__)


async def appenders_of(store: StorageEventStore) -> Sequence[Appender]:
    """List who appends now; nobody, with a warning, where the store cannot tell.

    Raises:
        OutageError: It cannot be reached.
    """
    try:
        return await store.appenders()
    except OutageError:
        raise
    except StorageError as error:  # a standby does not know
        logger.warning("who appends is not known: %s", error)
        return ()


def warn_of_hidden_events(before: Sequence[Appender], after: Sequence[Appender]) -> None:
    """Warn of those who were appending all the time that a store was read.

    What others have stored since they began could not be read. An append that comes and goes hides
    nothing for long, and there is always one while an application works.
    """
    transactions = {(each.process_id, each.since) for each in before}
    for each in after:
        if (each.process_id, each.since) in transactions:
            logger.warning(
                "%s is appending and hides what others have stored since then, so the file may "
                "lack events: end that, and give the same command again",
                said_of(each),
            )


def said_of(appender: Appender) -> str:
    """Say who somebody is, what he is at, and since when."""
    parts = [
        f"process {appender.process_id}" if appender.process_id is not None else "somebody",
        appender.application_name or "",
        appender.state or "",
        f"since {appender.since:%Y-%m-%d %H:%M:%S}Z" if appender.since else "",
    ]
    return on_one_line(", ".join(part for part in parts if part))
