"""Who appends, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_cli._escape import on_one_line

if TYPE_CHECKING:
    from eventsourcing_core.stores import Appender


def said_of(appender: Appender) -> str:
    """Say who somebody is, what he is at, and since when."""
    parts = [
        f"process {appender.process_id}" if appender.process_id is not None else "somebody",
        appender.application_name or "",
        appender.state or "",
        f"since {appender.since:%Y-%m-%d %H:%M:%S}Z" if appender.since else "",
    ]
    return on_one_line(", ".join(part for part in parts if part))
