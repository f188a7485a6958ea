"""Deciders: rules as two functions, kept as aggregates are."""

from __future__ import annotations

import gc
import logging
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, assert_type
from weakref import ref

import pytest

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Decided,
    Decider,
    DeciderRepository,
    Event,
    EventTypes,
    SnapshotError,
    UnknownEventTypeError,
    event,
    open_backend,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from eventsourcing_core import Backend

types = EventTypes()


@event(event_types=types)
class Added:
    """An item was put in."""

    item: str


@event(event_types=types)
class Removed:
    """An item was taken out."""

    item: str


@dataclass(frozen=True)
class Add:
    """Put items in."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Basket:
    """What is in it."""

    items: tuple[str, ...] = ()


@dataclass
class Heap:
    """What is in it; it changes."""

    items: list[str] = field(default_factory=list[str])


class FullError(Exception):
    """There is no place for more."""


def decide(command: Add, basket: Basket) -> list[Added | Removed]:
    if len(basket.items) + len(command.items) > 3:
        raise FullError(len(basket.items))
    return [Added(item) for item in command.items]


def evolve(basket: Basket, event: Added | Removed) -> Basket:
    match event:
        case Added(item):
            return replace(basket, items=(*basket.items, item))
        case Removed(item):
            return replace(basket, items=tuple(each for each in basket.items if each != item))


def decide_always(command: Add, _: object) -> list[Added]:
    return [Added(item) for item in command.items]


def heaped(heap: Heap, event: Added) -> Heap:
    heap.items.append(event.item)
    return heap


baskets = Decider(decide, evolve, Basket(), category="basket", event_types=types)


def decider(
    decide: Callable[..., Any] = decide_always,
    evolve: Callable[..., Any] = evolve,
    initial: object = Basket(),
    **options: Any,
) -> Decider[Any, Any, Any]:
    """Make a decider that type checkers would perhaps refuse."""
    given: dict[str, Any] = {"category": "made", "event_types": types, **options}
    return Decider(decide, evolve, initial, **given)


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with open_backend("memory://", event_types=types) as opened:
        yield opened


async def test_types_are_inferred(backend: Backend) -> None:
    assert_type(baskets, Decider[Add, Added | Removed, Basket])
    repository = backend.repository(baskets)
    assert_type(repository, DeciderRepository[Add, Added | Removed, Basket])
    decided = await repository.decide("1", Add(("tea",)))
    assert_type(decided, Decided[Add, Added | Removed, Basket])
    assert_type(decided.state, Basket)
    assert_type(await repository.load("1"), Decided[Add, Added | Removed, Basket])


async def test_a_command_is_decided_and_saved(backend: Backend) -> None:
    repository = backend.repository(baskets)
    basket = await repository.decide("1", Add(("tea", "jam")))
    assert (basket.state, basket.version) == (Basket(("tea", "jam")), 2)
    assert (basket.id, basket.stream_id, basket.pending_events) == ("1", "basket-1", ())
    assert repository.saved(basket) == (2, 2)
    assert repr(basket) == "<basket '1' at version 2: Basket(items=('tea', 'jam'))>"
    assert repr(baskets) == "<Decider 'basket'>"


async def test_a_refused_command_stores_nothing(backend: Backend) -> None:
    repository = backend.repository(baskets)
    with pytest.raises(FullError):
        await repository.decide("1", Add(("a", "b", "c", "d")))
    assert not await repository.exists("1")


async def test_it_is_loaded_decided_and_saved_by_hand(backend: Backend) -> None:
    repository = backend.repository(baskets)
    basket, late = await repository.load("1"), await repository.load("1")
    assert basket.decide(Add(("tea",))) == (Added("tea"),)
    assert basket.decide(Add(())) == ()
    late.decide(Add(("jam",)))
    assert await repository.save(basket) == (1, 1)
    with pytest.raises(ConcurrencyError):
        await repository.save(late)
    assert (await repository.load("1", at_version=1)).state == Basket(("tea",))


def test_the_functions_can_be_called_alone() -> None:
    assert baskets.evolve(baskets.initial, Added("tea")) == Basket(("tea",))
    assert baskets.decide(Add(("jam",)), Basket()) == [Added("jam")]


def test_all_events_are_decided_before_the_first_one_changes_the_state() -> None:
    def decide(_: object, heap: Heap) -> Iterator[Added]:
        for _number in range(2):
            yield Added(str(len(heap.items)))

    decided = decider(decide, heaped, Heap).aggregate_class("1")
    assert decided.decide(None) == (Added("0"), Added("0"))


def test_nothing_is_recorded_if_one_event_is_of_no_registered_class() -> None:
    decided = decider(lambda *_: [Added("a"), Basket()]).aggregate_class("1")
    with pytest.raises(UnknownEventTypeError, match="Basket is not a registered event class"):
        decided.decide(None)
    assert (decided.pending_events, decided.state) == ((), Basket())


async def awaited(*_: object) -> list[Added]:
    return []


class Called:
    """What is called as a function."""

    async def __call__(self, *_: object) -> list[Added]:
        """Wait."""
        return []


async def yielded_late(*_: object) -> AsyncIterator[Added]:
    yield Added("a")


def yielded(*_: object) -> Iterator[Basket]:
    yield Basket()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decide": awaited}, "decide is a coroutine function"),
        ({"decide": Called()}, "decide is a coroutine function"),
        ({"decide": yielded_late}, "decide is a coroutine function"),
        ({"decide": 5}, "decide is a function, got 5"),
        ({"evolve": awaited}, "evolve is a coroutine function"),
        ({"evolve": partial(awaited, 1)}, "evolve is a coroutine function"),
        ({"evolve": yielded}, "evolve is a generator"),
        ({"evolve": None}, "evolve is a function, got None"),
        ({"initial": awaited}, "initial is a coroutine function"),
        ({"initial": [threading.Lock()]}, "initial is .* cannot be copied"),
        ({"category": 5}, "category is a str, got 5"),
        ({"event_types": None}, "event_types is the registry"),
        ({"state_version": "2"}, "state_version must be an int"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_a_decider_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        decider(**options)


def lamp_decide(command: bool, is_on: bool) -> list[Added]:  # noqa: FBT001 - as the domain has it
    return [] if command == is_on else [Added("on")]


def lamp_evolve(is_on: bool, _: Added) -> bool:  # noqa: FBT001 - as the domain has it
    return not is_on


def yields(_command: str, _state: Basket) -> Iterator[Added]:
    yield Added("a")


def gives_a_tuple(_command: str, _state: Basket) -> tuple[Added, ...]:
    return ()


@pytest.mark.parametrize(
    ("decided", "evolved", "first", "said"),
    [
        (lamp_evolve, lamp_decide, False, "decide says that it gives <class 'bool'>"),
        (lambda *_: None, lamp_decide, False, r"evolve says that it gives list\[.*Added\].*False"),
        (lambda *_: None, gives_a_tuple, Basket(), "evolve says that it gives tuple"),
        (partial(lamp_evolve), lamp_decide, False, "decide says"),
    ],
    ids=["both", "evolve", "tuple", "partial"],
)
def test_functions_that_are_exchanged_are_refused(
    decided: Any, evolved: Any, first: object, said: str
) -> None:
    with pytest.raises(TypeError, match=rf"(?s){said}.*Decider\(decide, evolve, initial\)"):
        Decider(decided, evolved, first, category="swapped", event_types=types)


@pytest.mark.parametrize(
    ("decided", "evolved", "first"),
    [
        (lamp_decide, lamp_evolve, False),
        (yields, lambda state, _: state, Basket()),
        (gives_a_tuple, lambda state, _: state, Basket()),
        (lambda *_: [], lambda state, _: state, list[int]),
        (lambda *_: [], lambda state, _: state, None),
    ],
    ids=["list", "iterator", "tuple", "generic", "none"],
)
def test_functions_that_are_in_order_are_taken(decided: Any, evolved: Any, first: Any) -> None:
    made: Decider[Any, Any, Any] = Decider(
        decided, evolved, first, category="in_order", event_types=types
    )
    assert made.initial == ([] if first == list[int] else first)


@pytest.mark.parametrize("category", ["", "a-b"])
def test_a_category_that_is_none_is_refused(category: str) -> None:
    with pytest.raises(ValueError, match="^category must not be empty or hold a '-'"):
        decider(category=category)


def test_a_category_belongs_to_one() -> None:
    class Taken(Aggregate):
        category = "taken"
        event_types = types

        def apply(self, event: object) -> None:
            pass

    with pytest.raises(ValueError, match=r"Taken has the category 'taken' already.*\.evolve would"):
        decider(category="taken")
    assert Taken("1").stream_id == "taken-1"


def test_a_decider_that_is_made_again_keeps_its_category() -> None:
    assert decider().aggregate_class.category == decider().aggregate_class.category == "made"


def test_a_decider_that_nobody_uses_goes() -> None:
    gone = ref(decider(category="gone").aggregate_class)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "given None for .*an empty one where nothing happens"),
        (Added("a"), r"given Added\(item='a'\) .*a list, also where it is one"),
        ({Added("a")}, "given {Added.* in a list"),
        ({"a": Added("a")}, "given .* in a list"),
        ("events", "given 'events' .* in a list"),
    ],
    ids=["none", "one", "set", "dict", "text"],
)
async def test_what_decide_may_not_give_is_named(
    given: object, message: str, backend: Backend
) -> None:
    repository = backend.repository(decider(lambda *_: given))
    with pytest.raises(TypeError, match=message):
        await repository.decide("1", 5)
    assert not await repository.exists("1")


@pytest.mark.parametrize("given", [Added, Event("a", 5)], ids=["class", "event"])
async def test_what_is_no_payload_is_named(given: object, backend: Backend) -> None:
    repository = backend.repository(decider(lambda *_: [Added("a"), given]))
    with pytest.raises(TypeError, match="decide gives payloads, instances of event classes; got"):
        await repository.decide("1", 5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cache", [None, 1])
async def test_what_decide_gives_to_be_awaited_is_refused(
    cache: int | None, backend: Backend
) -> None:
    repository = backend.repository(decider(lambda *_: awaited()), cache=cache)
    with pytest.raises(TypeError, match="it does no I/O"):
        await repository.decide("1", 5)


@pytest.mark.parametrize("given", [list, tuple, iter], ids=lambda make: make.__name__)
async def test_events_come_in_any_order_that_is_one(
    given: Callable[[Iterable[Added]], Any], backend: Backend
) -> None:
    repository = backend.repository(decider(lambda *_: given([Added("a"), Added("b")])))
    assert (await repository.decide("1", 5)).state == Basket(("a", "b"))


async def test_an_evolve_that_gives_none_by_mistake_is_named(backend: Backend) -> None:
    def forgetful(heap: Heap, event: Added) -> None:
        heap.items.append(event.item)

    repository = backend.repository(decider(evolve=forgetful, initial=Heap))
    with pytest.raises(TypeError, match=r"evolve has given None for Added\(item='a'\)"):
        await repository.decide("1", Add(("a",)))
    await backend.event_store.append("made-1", [Added("a")], expected_version=0)
    with pytest.raises(TypeError, match="evolve has given None"):
        await repository.load("1")


def existing(basket: Basket | None, event: Added | Removed) -> Basket | None:
    match event:
        case Added(item):
            return Basket((*(basket.items if basket else ()), item))
        case Removed():
            return None


def add_or_remove(command: str, basket: Basket | None) -> list[Added | Removed]:
    return [Removed(command)] if basket else [Added(command)]


@pytest.mark.parametrize("cache", [None, 5])
async def test_none_is_a_state_if_it_is_the_first_one(cache: int | None, backend: Backend) -> None:
    maybe = Decider(add_or_remove, existing, None, category="maybe", event_types=types)
    repository = backend.repository(maybe, snapshot_frequency=1, cache=cache)
    assert (await repository.load("1")).state is None
    assert (await repository.decide("1", "a")).state == Basket(("a",))
    assert (await repository.decide("1", "a")).state is None
    assert (await repository.load("1")).state is None
    assert (await repository.verify("1")).is_right


@pytest.mark.parametrize("initial", [Heap(), Heap], ids=["copied", "made"])
@pytest.mark.parametrize("cache", [None, 5])
async def test_a_first_state_that_can_change_is_shared_by_nobody(
    initial: object, cache: int | None, backend: Backend
) -> None:
    heaps = decider(evolve=heaped, initial=initial)
    repository = backend.repository(heaps, cache=cache)
    await repository.decide("1", Add(("a",)))
    two = await repository.decide("2", Add(("b",)))
    two.state.items.append("by its caller")
    assert (await repository.load("1")).state == Heap(["a"])
    assert (await repository.load("2")).state == Heap(["b"])
    assert heaps.initial == Heap()
    if isinstance(initial, Heap):
        initial.items.append("later")
        assert heaps.initial == Heap()
        initial.items.clear()


@pytest.mark.parametrize("cache", [None, 5])
async def test_an_event_that_has_no_class_is_not_given_to_evolve(
    cache: int | None, backend: Backend
) -> None:
    unknown = Event("wrapped", {"in": "paper"})
    await backend.event_store.append("basket-1", [Added("a"), unknown], expected_version=0)
    with pytest.raises(UnknownEventTypeError, match="version 2 is of type 'wrapped'"):
        await backend.repository(baskets, cache=cache).decide("1", Add(("b",)))
    ignoring = decider(decide, evolve, Basket(), category="basket", ignores=("wrapped",))
    repository = backend.repository(ignoring, cache=cache)
    basket = await repository.decide("1", Add(("b",)))
    assert (basket.state, basket.version) == (Basket(("a", "b")), 3)
    assert (await repository.load("1")).state == Basket(("a", "b"))


async def test_snapshots_hold_the_state(backend: Backend) -> None:
    repository = backend.repository(baskets, snapshot_frequency=1)
    await repository.decide("1", Add(("a", "b")))
    snapshot = await backend.snapshot_store.load("basket-1")
    assert snapshot is not None
    assert b'"state":{"state":{"items":["a","b"]}}' in snapshot.state
    report = await repository.verify("1")
    assert (report.version, report.is_right) == (2, True)
    again = decider(decide, evolve, Basket(("other",)), category="basket")
    assert (await backend.repository(again).load("1")).state == Basket(("a", "b"))
    newer = decider(decide, evolve, Basket(("other",)), category="basket", state_version=2)
    assert (await backend.repository(newer).load("1")).state == Basket(("other", "a", "b"))


class Sums:
    """Adds, as an object that is called."""

    def __call__(self, state: int, event: Added) -> int:
        """Add."""
        return state + len(event.item)


def scaled(factor: int, state: int, event: Added) -> int:
    return state + factor * len(event.item)


@pytest.mark.parametrize(
    "evolve", [Sums(), partial(scaled, 2), Sums().__call__], ids=["object", "partial", "method"]
)
async def test_whatever_is_called_may_say_what_the_state_is(
    evolve: Callable[..., Any], backend: Backend
) -> None:
    repository = backend.repository(decider(evolve=evolve, initial=0), snapshot_frequency=1)
    await repository.decide("1", Add(("abc",)))
    assert (await repository.verify("1")).is_right


def into_set(state: object, event: Added) -> object:
    return {*(state if isinstance(state, set) else ()), event.item}


def to_lock(state: threading.Lock, _: Added) -> threading.Lock:
    return state


@pytest.mark.parametrize(
    ("evolve", "initial", "reason"),
    [
        (lambda state, _: state, 0, "made.state is not known"),
        (into_set, None, "made.state"),
        (to_lock, threading.Lock, "made.state"),
    ],
    ids=["unknown", "object", "lock"],
)
async def test_a_state_that_cannot_be_stored_has_no_snapshots_and_says_why(
    evolve: Callable[..., Any],
    initial: object,
    reason: str,
    backend: Backend,
    caplog: pytest.LogCaptureFixture,
) -> None:
    repository = backend.repository(decider(evolve=evolve, initial=initial), snapshot_frequency=1)
    with caplog.at_level(logging.WARNING):
        decided = await repository.decide("1", Add(("a",)))
    assert "annotate what evolve gives, -> State" in caplog.text
    assert (await repository.load("1")).version == 1
    with pytest.raises(SnapshotError, match=reason) as refused:
        await repository.take_snapshot(decided)
    assert "annotate what evolve gives, -> State" in str(refused.value)
    assert "Transient" not in str(refused.value)


class Grown(int):
    """A number that an event makes larger, by its constructor."""

    def __new__(cls, number: int, event: Added | None = None) -> Self:
        """Add."""
        return super().__new__(cls, number + (len(event.item) if event else 0))


async def test_a_class_may_be_what_makes_the_next_state(backend: Backend) -> None:
    repository = backend.repository(decider(evolve=Grown, initial=Grown(0)))
    assert (await repository.decide("1", Add(("abc",)))).state == 3


async def test_a_repository_made_by_hand_takes_the_class_of_a_decider(backend: Backend) -> None:
    anything: Any = baskets
    with pytest.raises(TypeError, match="got <Decider 'basket'>; a decider's is its aggregate_cl"):
        DeciderRepository(backend.event_store, anything)
    repository = DeciderRepository(backend.event_store, baskets.aggregate_class)
    assert (await repository.decide("1", Add(("tea",)))).version == 1


async def test_one_of_another_decider_is_not_saved(backend: Backend) -> None:
    other = backend.repository(decider(category="decider.other"))
    with pytest.raises(TypeError, match="this repository keeps basket, got <decider.other '1'"):
        await backend.repository(baskets).save(await other.load("1"))
