"""Views: what they are given, and what can be asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ProjectionError, RecordedEvent, SerializationError, View
from tests.every_store.projections._shop import (
    DEADLINE,
    CustomerOrders,
    EventCounts,
    Orders,
    Placed,
    Shipped,
    append,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from eventsourcing_core import AppendResult


async def test_a_view_has_a_value_for_each_key(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([CustomerOrders()]) as projector:
        await append(backend, "order-1", Placed("ann", 5))
        await append(backend, "order-2", Placed("bob"), Shipped("bob"))
        last = await append(backend, "order-3", Placed("ann"))
        await projector.wait_for(last, CustomerOrders, timeout=DEADLINE)
        view = backend.view(CustomerOrders)
        assert await view.get("ann") == Orders("open", ["order-1", "order-3"], 2)
        assert await view.get("nobody") is None
        assert await view.get_many(["bob", "nobody", "bob"]) == {"bob": Orders("idle", [], 2)}
        assert [key async for key, _ in view.all()] == ["ann", "bob"]


async def test_a_value_that_becomes_none_is_gone(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([CustomerOrders()]) as projector:
        first = await append(backend, "order-1", Placed("gone"))
        await projector.wait_for(first, "customer-orders", timeout=DEADLINE)
        view = backend.view(CustomerOrders)
        assert await view.get("gone") is not None
        last = await append(backend, "order-1", Shipped("gone"))
        await projector.wait_for(last, "customer-orders", timeout=DEADLINE)
        assert await view.get("gone") is None


async def test_values_are_found_by_indexed_fields(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([CustomerOrders()]) as projector:
        last: AppendResult | int = 0
        for number in range(1_200):
            customer = f"c-{number:04}"
            payloads = [Placed(customer)] + ([Shipped(customer)] if number % 3 else [])
            last = await append(backend, f"order-{number}", *payloads)
        await projector.wait_for(last, "customer-orders", timeout=DEADLINE)
        view = backend.view(CustomerOrders)
        found = [key async for key, _ in view.where(status="open")]
        assert found == [f"c-{number:04}" for number in range(0, 1_200, 3)]
        assert not [key async for key, _ in view.where(status="open", count=2)]
        assert len([key async for key, _ in view.where(status="idle", count=2)]) == 800
        with pytest.raises(ValueError, match="no index 'open'"):
            view.where(open=[])
        with pytest.raises(SerializationError):
            view.where(count="two")


async def test_a_field_with_an_index_may_be_long(store_url: str) -> None:
    @dataclass
    class Note:
        text: str

    class Notes(View[Note]):
        name = "notes"
        indexes = ("text",)

        def evolve(self, value: Note | None, event: RecordedEvent[Placed]) -> Note:  # noqa: ARG002 - the last one counts
            return Note(event.data.customer)

    long = "".join(hashlib.sha512(str(n).encode()).hexdigest() for n in range(1_000))
    async with opened(store_url) as backend, backend.projector([Notes()]) as projector:
        for key, text in (("a", long), ("b", f"{long} and more"), ("c", "short"), ("d", long)):
            last = await append(backend, key, Placed(text))
            await projector.wait_for(last, Notes, timeout=DEADLINE)
        view = backend.view(Notes)
        assert [key async for key, _ in view.where(text=long)] == ["a", "d"]
        assert [key async for key, _ in view.where(text="short")] == ["c"]


async def test_a_view_is_read_by_its_class_and_by_keys(store_url: str) -> None:
    name: Any = "event-counts"
    async with opened(store_url) as backend:
        with pytest.raises(TypeError, match="asked for by its class, got 'event-counts'"):
            backend.view(name)
        with pytest.raises(TypeError, match="a collection of texts, got the text 'abc'"):
            await backend.view(EventCounts).get_many("abc")
        with pytest.raises(ValueError, match="lease is from 0.01"):
            backend.projector([EventCounts()], lease=0)


async def test_keys_are_in_the_order_of_code_points(store_url: str) -> None:
    keys = ["a", "Z", "é", "z", "\U0001f600", "￿", "aa", "_", "a b"]

    class Keyed(EventCounts):
        name = "keyed"

    async with opened(store_url) as backend, backend.projector([Keyed()]) as projector:
        last: AppendResult | int = 0
        for key in keys:
            last = await append(backend, key, Placed("x"))
        await projector.wait_for(last, Keyed, timeout=DEADLINE)
        assert [key async for key, _ in backend.view(Keyed).all()] == sorted(keys)


async def test_only_events_of_the_annotation_come(store_url: str) -> None:
    class OnlyShipped(View[int]):
        name = "only-shipped"

        def evolve(self, value: int | None, event: RecordedEvent[Shipped]) -> int:
            assert isinstance(event.data, Shipped)
            return (value or 0) + 1

    class ByName(EventCounts):
        name = "by-name"
        event_types = ("placed",)

    followers = [OnlyShipped(), ByName(), EventCounts()]
    async with opened(store_url) as backend, backend.projector(followers) as projector:
        last = await append(backend, "o", Placed("a"), Shipped("a"), Placed("a"))
        for each in (OnlyShipped, ByName, EventCounts):
            await projector.wait_for(last, each, timeout=DEADLINE)
        counts = [await backend.view(each).get("o") for each in (OnlyShipped, ByName, EventCounts)]
        assert counts == [1, 2, 3]


async def test_an_event_may_belong_to_several_keys_or_to_none(store_url: str) -> None:
    class Mentions(View[int]):
        name = "mentions"

        def key(self, event: RecordedEvent[Any]) -> Collection[str] | None:
            customer: str = event.data.customer
            return customer.split() or None

        def evolve(self, value: int | None, event: RecordedEvent[Placed]) -> int:
            return (value or 0) + event.data.cents

    async with opened(store_url) as backend, backend.projector([Mentions()]) as projector:
        await append(backend, "o", Placed("ann bob ann", 1), Placed("", 10), Placed("bob", 100))
        last = await append(backend, "p", Placed("cid ann", 1_000))
        await projector.wait_for(last, Mentions, timeout=DEADLINE)
        view = backend.view(Mentions)
        assert await view.get_many(["ann", "bob", "cid", ""[:0] or "dan"]) == {
            "ann": 1_001,
            "bob": 101,
            "cid": 1_000,
        }


async def test_what_was_appended_before_comes_too_and_nothing_twice(store_url: str) -> None:
    async with opened(store_url) as backend:
        for number in range(300):
            await append(backend, f"s-{number % 7}", Placed("a"))
        last: AppendResult | int = 0
        for _ in range(3):
            async with backend.projector([EventCounts()]) as projector:
                last = await append(backend, "s-0", Placed("a"))
                await projector.wait_for(last, EventCounts, timeout=DEADLINE)
        counts = dict([pair async for pair in backend.view(EventCounts).all()])
    assert sum(counts.values()) == 303


async def test_a_view_that_nobody_has_run_is_not_empty_but_unknown(store_url: str) -> None:
    async with opened(store_url) as backend:
        with pytest.raises(ProjectionError, match="not registered"):
            await backend.view(CustomerOrders).get("ann")


async def test_views_may_be_in_another_database(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        opened(f"memory://{id(store_url)}") as reports,
        backend.projector([EventCounts()], on=reports) as projector,
    ):
        last = await append(backend, "o", Placed("a"))
        await projector.wait_for(last, EventCounts, timeout=DEADLINE)
        assert await reports.view(EventCounts).get("o") == 1
        assert [s.build.name for s in await backend.projections.on(reports).status()] == [
            "event-counts"
        ]
        assert await backend.projections.status() == []
