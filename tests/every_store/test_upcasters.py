"""What upcasters make of stored events, on every store: versions and positions are those stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from eventsourcing_core import (
    BoundaryError,
    Checkpoint,
    Event,
    EventTypes,
    ExpectedVersion,
    OnDemand,
    Query,
    ToStream,
    open_backend,
)
from tests.every_store._accounts import (
    Account,
    Deposited,
    Moved,
    Named,
    old,
    store_old,
    types,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import RecordedEvent

HISTORY = (
    old("deposited", amount=3),
    old("owner.changed", name="a", place="b"),
    old("looked_at", by="x"),
    old("deposited.v2", cents=5),
    old("owner.changed", place="c"),
    old("looked_at", by="y"),
)
READ = [
    (1, Deposited(300)),
    (2, Named("a")),
    (2, Moved("b")),
    (4, Deposited(5)),
    (5, Moved("c")),
]


async def said(events: AsyncIterator[RecordedEvent[Any]]) -> list[tuple[int, object]]:
    return [(event.version, event.data) async for event in events]


@pytest.fixture(params=["json", "msgpack"])
def serializer(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_a_stream_is_read_with_its_versions(store_url: str, serializer: str) -> None:
    await store_old(store_url, "account-1", *HISTORY, serializer=serializer)
    async with open_backend(store_url, event_types=types) as backend:
        store = backend.event_store
        assert await said(store.read("account-1")) == READ
        assert await said(store.read("account-1", backward=True)) == READ[::-1]
        assert await said(store.read("account-1", from_version=2, limit=2)) == READ[1:3]
        assert await said(store.read("account-1", backward=True, limit=1)) == []
        assert await store.stream_version("account-1") == 6


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([Deposited], [READ[0], READ[3]]),
        (["deposited.v2"], [READ[0], READ[3]]),
        ([Moved], [READ[2], READ[4]]),
        ([Named, Deposited], [READ[0], READ[1], READ[3]]),
        (["owner.moved", "owner.changed"], [READ[2], READ[4]]),
        (["deposited", "looked_at"], []),
        ([], []),
    ],
    ids=str,
)
async def test_filters_find_what_leads_to_a_type_and_nothing_else(
    store_url: str, wanted: list[Any], expected: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    last = await store_old(store_url, "account-1", *HISTORY)
    async with open_backend(store_url, event_types=types) as backend:
        store = backend.event_store
        assert await said(store.read_all(event_types=wanted)) == expected
        found = store.read_all(event_types=wanted, backward=True)
        assert await said(found) == expected[::-1]
        async for page in store.follow(event_types=wanted):
            assert [(event.version, event.data) for event in page.events] == expected
            assert page.seen_to == last
            break
    is_told = "no event is read as 'deposited', 'looked_at'" in caplog.text
    assert is_told is (wanted == ["deposited", "looked_at"])


async def test_all_streams_are_read_with_their_positions(store_url: str) -> None:
    last = await store_old(store_url, "account-1", *HISTORY)
    async with open_backend(store_url, event_types=types) as backend:
        store = backend.event_store
        assert await said(store.read_all()) == READ
        assert await said(store.read_all(backward=True)) == READ[::-1]
        assert await said(store.read_all(limit=2)) == READ[:3]
        named, moved = [event async for event in store.read_all(limit=2)][1:]
        assert named.position == moved.position
        assert named.event_id == moved.event_id
        assert await store.last_position() == last
        async for page in store.follow(named.position):
            assert [event.data for event in page.events] == [Deposited(5), Moved("c")]
            assert page.checkpoint == Checkpoint(last, HISTORY[-1].event_id)
            break


async def test_an_aggregate_counts_stored_events(store_url: str) -> None:
    await store_old(store_url, "account-1", *HISTORY)
    async with open_backend(store_url, event_types=types) as backend:
        accounts = backend.repository(Account, snapshot_frequency=None)
        account = await accounts.get("1")
        assert (account.version, account.cents, account.said) == (6, 305, "abc")
        for version, cents, said in ((1, 300, ""), (2, 300, "ab"), (3, 300, "ab"), (4, 305, "ab")):
            past = await accounts.load("1", at_version=version)
            assert (past.version, past.cents, past.said) == (version, cents, said)
        account.deposit(1)
        assert (await accounts.save(account)).version == 7
        async with backend.transaction() as transaction:
            again = await accounts.load("1", transaction=transaction)
            again.deposit(1)
            await accounts.save(again, transaction=transaction)
        assert (await accounts.load("1")).version == 8


async def test_a_stream_of_which_nothing_is_left_has_a_version(store_url: str) -> None:
    position = await store_old(store_url, "account-1", old("looked_at"), old("looked_at"))
    async with open_backend(store_url, event_types=types) as backend:
        accounts = backend.repository(Account)
        account = await accounts.get("1")
        assert accounts.saved(account) == (2, position)
        account = await accounts.update("1", lambda _: None, command_id="nothing")
        assert account.version == 2
        account = await accounts.update("1", lambda each: each.deposit(1), command_id="some")
        assert (account.version, account.cents) == (3, 1)


@pytest.mark.parametrize("version", range(1, 7))
async def test_a_snapshot_at_any_stored_event_is_gone_on_from(store_url: str, version: int) -> None:
    await store_old(store_url, "account-1", *HISTORY)
    async with open_backend(store_url, event_types=types) as backend:
        accounts = backend.repository(Account, snapshot_frequency=OnDemand())
        plain = backend.repository(Account, snapshot_frequency=None)
        await accounts.take_snapshot(await accounts.load("1", at_version=version))
        found, expected = await accounts.load("1"), await plain.load("1")
        assert (found.version, found.cents, found.said) == (6, 305, "abc")
        assert expected.version == 6
        assert accounts.saved(found) == plain.saved(expected)
        assert (await accounts.verify("1")).version == version
        found.deposit(1)
        assert (await accounts.save(found)).version == 7


async def test_a_command_that_is_repeated_where_the_last_event_is_dropped(store_url: str) -> None:
    await store_old(store_url, "account-1", *HISTORY)
    async with open_backend(store_url, event_types=types) as backend:
        accounts = backend.repository(Account)
        for _ in range(2):  # there is nothing to do, and what was read must stay
            account = await accounts.update("1", lambda _: None, command_id="none")
            assert account.version == 6
        await accounts.update("1", lambda each: each.deposit(1), command_id="one")
        await store_old(store_url, "account-1", old("looked_at"))

        def refuse(_: Account) -> None:
            message = "it was done"
            raise RuntimeError(message)

        account = await accounts.update("1", refuse, command_id="one")
        assert (account.version, account.cents) == (8, 306)


async def test_what_is_exported_and_imported_is_what_is_stored(store_url: str) -> None:
    await store_old(store_url, "account-1", *HISTORY)
    copy = f"memory://{uuid4()}"
    async with (
        open_backend(store_url, event_types=EventTypes()) as source,
        open_backend(copy, event_types=EventTypes()) as target,
        open_backend(copy, event_types=types) as backend,
    ):
        stored = [event async for event in source.event_store.read_all()]
        assert await target.event_store.import_events(stored) == 6
        assert await said(backend.event_store.read("account-1")) == READ


async def test_a_snapshot_of_a_program_without_an_upcaster_is_not_used(store_url: str) -> None:
    before = EventTypes()
    for name, cls in types.classes.items():
        before.register(cls, name)

    class Before(Account):
        category = "account"
        event_types = before
        ignores = ("looked_at", "deposited", "owner.changed")

    Before.__qualname__, Before.__module__ = Account.__qualname__, Account.__module__
    await store_old(store_url, "account-1", *HISTORY)
    async with (
        open_backend(store_url, event_types=before) as older,
        open_backend(store_url, event_types=types) as newer,
    ):
        accounts = older.repository(Before, snapshot_frequency=OnDemand())
        account = await accounts.load("1")
        assert account.cents == 5
        await accounts.take_snapshot(account)
        assert (await newer.repository(Account).load("1")).cents == 305


async def test_an_event_that_cannot_be_upcast_is_an_error(store_url: str) -> None:
    await store_old(store_url, "account-1", old("deposited", amount=1), Event("deposited", {}))
    async with open_backend(store_url, event_types=types) as backend:
        with pytest.raises(ValueError, match="version 2 of stream 'account-1'.*cents from"):
            await backend.repository(Account).load("1")


@pytest.mark.parametrize("is_inside", [False, True], ids=["outside", "in a transaction"])
async def test_a_decision_is_not_refused_for_what_is_read_as_something_else(
    store_url: str, *, is_inside: bool
) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        store = backend.event_store
        marker = (await store.read_matching(Query(event_types=[Moved]))).marker
        names = [old("owner.changed", name="a") for _ in range(102)]  # more than a refusal has
        last = await store_old(store_url, "account-1", *names)
        write = ToStream("account-2", [Named("b")], expected_version=ExpectedVersion.ANY)
        if is_inside:
            async with backend.transaction() as transaction:
                await transaction.append_together([write], unless_changed=marker)
        else:
            await store.append_together([write], unless_changed=marker)

        await store_old(store_url, "account-3", old("owner.changed", place="c"))
        with pytest.raises(BoundaryError) as refused:
            await store.append_together([write], unless_changed=marker)
        assert [event.data for event in refused.value.events] == [Moved("c")]
        assert refused.value.events[0].position > last + 1
        await store.append_together([write], unless_changed=refused.value.marker)
