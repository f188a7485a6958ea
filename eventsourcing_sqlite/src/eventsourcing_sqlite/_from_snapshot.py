"""Reading a stream from its newest snapshot on, in one errand to the thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_sqlite._snapshot_store import snapshot_of
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import AskedSnapshot, Row
    from eventsourcing_sqlite._pages import Begin, Pages

_FIRST = "ifnull((SELECT max(version) FROM snapshot), :first)"
_PAGE = statement("read_stream").rstrip().removesuffix(";").replace(":first", _FIRST)
_FROM_SNAPSHOT = statement("from_snapshot").replace("{page}", _PAGE)


def begin_with(asked: AskedSnapshot) -> Begin:
    """Give what reads the first page together with the snapshot that is asked for."""

    async def begin(pages: Pages, first: int, last: int) -> tuple[int, Sequence[Row]]:
        snapshot, rows = await pages.first_page(
            _FROM_SNAPSHOT, first, last, aggregate_id=asked.aggregate_id
        )
        version, state, encoding, state_version, created_at, *_ = snapshot
        if version is None:
            asked.answer(None)
            return first, rows
        asked.answer(
            snapshot_of(asked.aggregate_id, version, state, encoding, state_version, created_at)
        )
        return version, rows

    return begin
