"""Whatever can be written can be read, exported and imported: nesting has one bound."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, EventTypes, SerializationError, event, open_backend

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Run

types = EventTypes()
MOST = 200


@dataclasses.dataclass(frozen=True)
class Branch:
    twig: Branch | None = None
    leaves: list[list[int]] = dataclasses.field(default_factory=list[list[int]])


@event("tree.grown", event_types=types)
class Grown:
    tree: Branch | None


def lists(levels: int) -> Any:
    tree: Any = []
    for _ in range(levels - 1):
        tree = [tree]
    return tree


def dicts(levels: int) -> Any:
    tree: Any = {}
    for _ in range(levels - 1):
        tree = {"in": tree}
    return tree


def branches(levels: int) -> Any:
    branch = Branch(leaves=[[1]])
    for _ in range(levels - 3):
        branch = Branch(branch)
    return branch


def nested(levels: int) -> list[Event[Any]]:
    """Give events of which each has so many levels in its data or metadata."""
    return [
        Event("noted", {"in": lists(levels - 1)}),
        Event("noted", dicts(levels)),
        Event("noted", {}, metadata={"in": dicts(levels - 1)}),
        Event.of(Grown(branches(levels - 1)), event_types=types),
    ]


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_what_is_nested_as_deep_as_it_may_be_is_written_read_and_exported(
    request: pytest.FixtureRequest, tmp_path: Path, run: Run, kind: str, serializer: str
) -> None:
    url: str = request.getfixturevalue(kind)
    events = nested(MOST)

    async def there_and_back() -> list[Any]:
        async with open_backend(url, serializer=serializer, event_types=types) as backend:
            await backend.event_store.append("s-1", events, expected_version=0)
            return [found async for found in backend.event_store.read("s-1")]

    found = asyncio.run(there_and_back())
    assert [each.data for each in found] == [each.data for each in events]
    assert [dict(each.metadata) for each in found] == [dict(each.metadata) for each in events]
    archive = str(tmp_path / "events.jsonl")
    assert run("export", url, archive).code == 0
    assert run("import", archive, f"sqlite:///{tmp_path}/other.db").code == 0
    again = str(tmp_path / "again.jsonl")
    assert run("export", f"sqlite:///{tmp_path}/other.db", again).code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "events.jsonl").read_bytes()


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
@pytest.mark.parametrize("levels", [MOST + 1, 5_000])
@pytest.mark.parametrize("number", range(4))
async def test_what_is_nested_deeper_is_not_written(
    serializer: str, number: int, levels: int
) -> None:
    event = nested(levels)[number]
    async with open_backend("memory://", serializer=serializer, event_types=types) as backend:
        with pytest.raises(SerializationError, match="is nested more than 200 levels deep"):
            await backend.event_store.append("s-1", [event], expected_version=0)
        assert await backend.event_store.stream_version("s-1") == 0
