"""Events that were stored in an older form: frozen, compared, checked and in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest

from eventsourcing_core import Event, EventTypes, WasNamed, event, open_backend, upcaster
from eventsourcing_core.evolution import (
    Compatibility,
    catalogue_page,
    check_store,
    compare_layouts,
    freeze,
    frozen_paths,
    json_schema,
    layout_of,
    misread,
    read_frozen,
)
from eventsourcing_core.evolution._layouts.layout import layout_from_json

if TYPE_CHECKING:
    from pathlib import Path

old, new = EventTypes(), EventTypes()


@event("noted", event_types=old)
class NotedOld:
    text: str


@event("moved", event_types=old)
class MovedOld:
    place: str


@event("noted", event_types=new)
class Noted:
    said: Annotated[str, WasNamed("text")]


@event("moved.v3", event_types=new)
class Moved:
    place: str


@event("left", event_types=new)
class Left:
    place: str


@upcaster("moved", to="moved.v2", event_types=new)
def renamed(data: dict[str, Any]) -> dict[str, Any]:
    return data


@upcaster("moved.v2", to=("moved.v3", "left"), event_types=new)
def split(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [("moved.v3", {**data}), ("left", {"place": data["place"]})]


@upcaster("looked_at", to=(), event_types=new)
def drop(_: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return []


async def test_a_check_says_by_which_chain() -> None:
    url = "memory://check-with-upcasters"
    async with open_backend(url, event_types=EventTypes()) as backend:
        events = [
            Event("moved", {"place": "a"}),
            Event("moved", {}),
            Event("looked_at", {}),
            Event("noted", {"text": "b"}),
            Event("noted", {"said": "c", "other": 1}),
        ]
        await backend.event_store.append("s-1", events, expected_version=0)
        found = {each.event_type: each for each in await check_store(backend.event_store, new)}
    moved, noted = found["moved"], found["noted"]
    assert moved.chain == "'moved' → 'moved.v2' → ('moved.v3' + 'left')"
    assert (moved.decoded, moved.failed) == (1, 1)
    assert "split from 'moved.v2'" in moved.reason
    assert found["looked_at"].chain == "'looked_at' → nothing"
    assert (noted.chain, noted.decoded, noted.unknown_fields) == ("", 2, {"Noted.other": 1})


async def test_a_check_refuses_chains_without_an_end() -> None:
    here: Any = EventTypes()
    upcaster("a", to="b", event_types=here)(renamed)
    async with open_backend("memory://", event_types=EventTypes()) as backend:
        with pytest.raises(ValueError, match="has no class"):
            await check_store(backend.event_store, here)


def test_a_renamed_field_is_read_back_and_not_forth() -> None:
    before, after = layout_of(NotedOld), layout_of(Noted)
    assert layout_from_json(after.as_json()) == after
    assert compare_layouts(before, after).compatibility is Compatibility.BACKWARD


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_frozen_examples_go_through_upcasters(tmp_path: Path, serializer: str) -> None:
    freeze(old, tmp_path, [serializer])
    files = [read_frozen(path) for path in frozen_paths(tmp_path)]
    assert {file.event_type for file in files} == {"noted", "moved"}
    assert [misread(file, new) for file in files] == [[], []]
    failing = EventTypes()
    failing.register(Moved, "moved.v2")

    def misses(data: dict[str, Any]) -> dict[str, Any]:
        return {"place": data["where"]}

    upcaster("moved", to="moved.v2", event_types=failing)(misses)
    (file,) = [file for file in files if file.event_type == "moved"]
    assert any("the key 'where' is missing" in fault for fault in misread(file, failing))


def test_a_catalogue_says_what_leads_to_a_type() -> None:
    page = catalogue_page(new)
    assert "| `said` (was `text`) | `str` | required |" in page
    chain = "`moved` → `moved.v2` → (`moved.v3` + `left`)"
    _, _, left = page.partition("## `left`")
    assert f"Also of events stored as `moved`: {chain}, by `{__name__}.renamed`." in left
    schema: Any = json_schema(new)["$defs"]
    assert schema["noted"]["properties"]["said"] == {"type": "string", "$comment": "was named text"}
    assert schema["left"]["$comment"] == "also of events stored as moved, moved.v2"
    assert "$comment" not in schema["noted"]
