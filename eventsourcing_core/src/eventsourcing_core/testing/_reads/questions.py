"""Short questions to a store: how far it is, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore


class QuestionContract(Chapter):
    """``stream_version``, ``last_position`` and ``ping``."""

    async def test_a_stream_has_the_version_of_its_last_append(self, store: EventStore) -> None:
        await store.append("doc-1", counted(1, 2, 3), expected_version=0)
        await store.append("doc-10", counted(4), expected_version=0)
        assert await store.stream_version("doc-1") == 3
        await store.append("doc-1", counted(*range(2000)), expected_version=3)
        assert await store.stream_version("doc-1") == 2003
        assert await store.stream_version("doc-10") == 1

    async def test_an_unknown_stream_has_version_0(self, store: EventStore) -> None:
        await store.append("doc-10", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(1), expected_version=1)
        assert await store.stream_version("doc-1") == 0

    async def test_an_empty_store_is_at_position_0(self, store: EventStore) -> None:
        assert await store.last_position() == 0

    async def test_the_last_position_is_that_of_the_last_event(self, store: EventStore) -> None:
        for stream_id, size in (("a", 1), ("b", 3), ("a", 2)):
            result = await store.append(stream_id, counted(*range(size)), expected_version=ANY)
            assert await store.last_position() == result.position
        *_, last = await collected(store.read_all())
        assert await store.last_position() == last.position

    async def test_a_store_that_is_there_answers_a_ping(self, store: EventStore) -> None:
        await store.ping()
        await store.append("doc-1", counted(1), expected_version=0)
        await store.ping()
        assert await store.stream_version("doc-1") == 1
