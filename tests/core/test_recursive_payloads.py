"""Payloads of classes that hold themselves."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from eventsourcing_core import Event, EventCodec, EventTypes
from eventsourcing_core.stores import Row


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    children: list[Node]
    parent: Node | None = None


NESTED = st.recursive(
    st.builds(Node, st.text(), st.just([])),
    lambda nodes: st.builds(Node, st.text(), st.lists(nodes, max_size=3), st.none() | nodes),
    max_leaves=8,
)


@given(NESTED)
def test_recursive_classes_come_back(node: Node) -> None:
    types = EventTypes()
    types.register(Node)
    codec = EventCodec(event_types=types)
    encoded = codec.encode(Event.of(node, event_types=types))
    (event,) = codec.decode([Row("s", 1, 1, *encoded)])
    assert event.data == node
