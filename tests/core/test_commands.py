"""Commands with an id: whoever repeats one, and whenever, it is stored once."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from eventsourcing_core import ConcurrencyError, Repository, StorageError
from eventsourcing_core._repositories.command import confirm, event_ids_of
from eventsourcing_core.stores import OutageError
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Forgetful, Through
from tests.core._tills import Events, Loud, Shelf, Sold, Till, replayed, repository, sell, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Storage, Verdict


async def counts(events: Events, id: str = "1") -> list[int]:  # noqa: A002 - the word of the domain
    return [event.data.count async for event in events.read(f"Till-{id}")]


async def once(tills: Repository[Till], command_id: UUID | str, *sold: int, id: str = "1") -> Till:  # noqa: A002 - as above
    return await tills.update(id, lambda till: till.sell(*sold), command_id=command_id)


async def test_a_repeated_command_is_stored_once(tills: Repository[Till], events: Events) -> None:
    first = await once(tills, "c-1", 1, 2)
    again = await once(tills, "c-1", 1, 2)
    assert await counts(events) == [1, 2]
    assert state(again) == state(first) == await replayed(events)
    assert tills.saved(again) == tills.saved(first)
    assert again.pending_events == ()


async def test_a_command_that_is_repeated_later_gives_the_aggregate_as_it_is_now(
    tills: Repository[Till], events: Events
) -> None:
    await once(tills, "c-1", 1)
    await sell(tills, 10)
    await once(tills, "c-2", 100)
    again = await once(tills, "c-1", 1)
    assert await counts(events) == [1, 10, 100]
    assert state(again) == await replayed(events)
    assert tills.saved(again).version == 3
    again.sell(1000)  # and one goes on
    await tills.save(again)
    assert await counts(events) == [1, 10, 100, 1000]


async def test_a_command_is_told_by_its_id_and_not_by_what_it_does(
    tills: Repository[Till], events: Events
) -> None:
    for command_id in ("c-1", "c-2", UUID(int=1), UUID(int=2)):
        await once(tills, command_id, 5)
    assert await counts(events) == [5, 5, 5, 5]


async def test_a_command_may_do_something_else_when_it_is_repeated(
    tills: Repository[Till], events: Events
) -> None:
    await once(tills, "c-1", 1)
    for sold in ([], [1, 1], [7]):  # since it decides by what it finds
        await once(tills, "c-1", *sold)
    assert await counts(events) == [1]


async def test_one_id_on_two_aggregates_is_two_commands(
    tills: Repository[Till], events: Events
) -> None:
    await once(tills, "c-1", 1)
    await once(tills, "c-1", 2, id="2")
    assert (await counts(events), await counts(events, "2")) == ([1], [2])


async def test_a_uuid_and_its_text_are_one_id(tills: Repository[Till], events: Events) -> None:
    command_id = UUID("0f7b1c9e-0000-4000-8000-000000000001")
    await once(tills, command_id, 1)
    await once(tills, str(command_id), 1)
    assert await counts(events) == [1]


async def test_a_command_that_several_repeat_at_once_is_stored_once() -> None:
    storage = InMemoryStorage()
    stores = [Events(storage) for _ in range(5)]  # as if in five processes
    tills = await asyncio.gather(
        *(once(Repository(events, Till), "c-1", 1, 2) for events in stores)
    )
    assert await counts(stores[0]) == [1, 2]
    assert [state(till) for till in tills] == [await replayed(stores[0])] * 5


async def test_commands_at_once_are_each_stored_once() -> None:
    storage = InMemoryStorage()
    repositories = [Repository(Events(storage), Till) for _ in range(3)]

    async def sell_once(tills: Repository[Till], number: int) -> None:
        await tills.update(
            "1", lambda till: till.sell(number), attempts=50, command_id=f"c-{number}"
        )

    await asyncio.gather(
        *(sell_once(tills, number) for number in range(8) for tills in repositories)
    )
    assert sorted(await counts(Events(storage))) == [*range(8)]


async def test_a_command_that_meets_a_conflict_is_tried_again_with_the_same_ids(
    tills: Repository[Till], events: Events
) -> None:
    calls = 0

    async def lose_once(till: Till) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await sell(Repository(events, Till), 10)
        till.sell(1)

    await tills.update("1", lose_once, command_id="c-1")
    await once(tills, "c-1", 1)
    assert (await counts(events), calls) == ([10, 1], 2)

    async def lose(till: Till) -> None:
        await sell(Repository(events, Till), 10)
        till.sell(1)

    with pytest.raises(ConcurrencyError):
        await tills.update("1", lose, command_id="c-2")


async def test_a_command_whose_answer_was_lost_has_succeeded(events: Events, shelf: Shelf) -> None:
    forgetful = Forgetful(events.storage)
    tills = repository(Events(forgetful), shelf)
    till = await once(tills, "c-1", 1)
    assert forgetful.faults == 0
    assert state(till) == await replayed(events)
    await once(tills, "c-1", 1)
    assert await counts(events) == [1]


class Away(Through):
    """Takes nothing, until it is there."""

    is_there = False

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if not self.is_there:
            message = "the server is away"
            raise OutageError(message)
        return await super().write(appends)


async def test_a_command_that_was_not_stored_has_failed_and_can_be_repeated(
    events: Events,
) -> None:
    away = Away(events.storage)
    tills = Repository(Events(away), Till)
    with pytest.raises(StorageError, match="away"):
        await once(tills, "c-1", 1)
    away.is_there = True
    await once(tills, "c-1", 1)
    assert await counts(events) == [1]


class Refused(Exception):  # noqa: N818 - a domain's own word
    pass


def open_with(number: int) -> Any:
    """Give a command that cannot be done twice."""

    def begin(till: Till) -> None:
        if till.version:
            raise Refused
        till.sell(number)

    return begin


@pytest.mark.parametrize("frequency", [1, 3, 100])
async def test_a_command_that_refuses_its_repetition_has_succeeded(
    events: Events, shelf: Shelf, frequency: int
) -> None:
    tills = repository(events, shelf, frequency=frequency)
    await tills.update("1", open_with(1), command_id="c-1")
    await sell(tills, 2)
    await sell(tills, 3)
    again = await tills.update("1", open_with(1), command_id="c-1")
    assert state(again) == await replayed(events)
    assert await counts(events) == [1, 2, 3]


async def test_a_command_is_found_where_the_class_changes_the_id(events: Events) -> None:
    tills = Repository(events, Loud)
    for _ in range(2):
        await tills.update("abc", open_with(1), command_id="c-1")
    assert await counts(events, "ABC") == [1]


async def test_a_command_that_refuses_and_was_never_done_fails(
    tills: Repository[Till], events: Events
) -> None:
    await tills.update("1", open_with(1), command_id="c-1")
    for command_id in ("c-2", None):
        with pytest.raises(Refused):
            await tills.update("1", open_with(2), command_id=command_id)
    assert await counts(events) == [1]


@pytest.mark.parametrize("frequency", [1, 2])
async def test_a_command_before_the_snapshot_is_found(
    events: Events, shelf: Shelf, frequency: int
) -> None:
    tills = repository(events, shelf, frequency=frequency)
    await once(tills, "c-1", 1, 2)
    await sell(tills, 3, 4)
    assert shelf.versions()
    again = await once(tills, "c-1", 1, 2)
    assert await counts(events) == [1, 2, 3, 4]
    assert state(again) == await replayed(events)


async def test_what_is_recorded_after_the_update_has_ids_of_its_own(
    tills: Repository[Till], events: Events
) -> None:
    till = await once(tills, "c-1", 1)
    till.sell(2)
    await tills.save(till)
    ids = [event.event_id async for event in events.read("Till-1")]
    expected = event_ids_of("Till-1", "c-1")
    assert ids[0] == next(expected)
    assert (ids[1] == next(expected), ids[1].version) == (False, 7)


async def test_a_command_may_copy_the_aggregate(tills: Repository[Till], events: Events) -> None:
    def try_first(till: Till) -> None:
        for trial in (copy.deepcopy(till), pickle.loads(pickle.dumps(till))):  # noqa: S301 - our own bytes
            trial.sell(1)
        till.sell(2)

    await tills.update("1", try_first, command_id="c-1")
    assert await counts(events) == [2]


@pytest.mark.parametrize(
    ("command_id", "error", "message"),
    [("", ValueError, "command_id is empty"), (7, TypeError, "a UUID or a str, got 7")],
)
async def test_what_is_no_id_of_a_command_is_refused(
    tills: Repository[Till], events: Events, command_id: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await once(tills, command_id, 1)
    assert await counts(events) == []


IDS = [
    UUID("9857ab3e-38ec-50dd-8af2-3da0dcb431d2"),
    UUID("ba57a885-6e68-5307-9881-8fdda873795f"),
]
"""The first two ids of the command ``c-1`` on the stream ``Till-1``: they are stored, so they are
what they are for good.
"""


def test_the_ids_of_a_command_never_change() -> None:
    event_ids = event_ids_of("Till-1", "c-1")
    assert [next(event_ids), next(event_ids)] == IDS


def test_the_ids_of_a_command_are_the_same_in_another_process() -> None:
    program = (
        "from eventsourcing_core._repositories.command import event_ids_of\n"
        "ids = event_ids_of('Till-1', 'c-1')\n"
        "print(next(ids), next(ids))"
    )
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.split() == [str(event_id) for event_id in IDS]


def test_no_two_commands_share_an_id() -> None:
    ids = [
        event_id
        for stream_id in ("Till-1", "Till-2", "Till-11")
        for command_id in ("1", "11", "c", UUID(int=1))
        for event_id, _ in zip(event_ids_of(stream_id, command_id), range(20), strict=False)
    ]
    assert len({*ids}) == len(ids) == 240
    assert {event_id.version for event_id in ids} == {5}


async def test_two_deliveries_that_meet_give_what_is_stored_and_take_no_other_snapshot(
    events: Events, shelf: Shelf
) -> None:
    tills = repository(events, shelf, frequency=1)
    await sell(tills, 1)
    both = asyncio.Barrier(2)

    async def sold(till: Till, count: int) -> None:
        await both.wait()  # both have loaded the same version
        till.sell(count)

    first, second = await asyncio.gather(
        tills.update("1", partial(sold, count=10), command_id="c1"),
        tills.update("1", partial(sold, count=20), command_id="c1"),
    )
    stored = await replayed(events)
    assert stored[1] == 2
    assert state(first) == state(second) == stored
    assert state(await tills.load("1")) == stored
    assert (await tills.verify("1")).differences == ()


async def test_a_command_whose_payload_equals_nothing_gets_its_snapshots(
    events: Events, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sold, "__eq__", object.__eq__)
    tills = repository(events, shelf, frequency=1)
    till = await once(tills, "c-1", 1, 2)
    assert (till.version, till.total) == (2, 3)
    assert shelf.versions() == [2]


class Unconfirmed(Through):
    """Shows what it has, as a server without its standby does, and confirms no repetition."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.is_alone = False

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write, and tell nobody while it is alone."""
        verdicts = await self.storage.write(appends)
        return [OutageError("no standby") for _ in appends] if self.is_alone else verdicts


@pytest.mark.parametrize("sold", [[], [1], [1, 2]], ids=["nothing", "the same", "more"])
async def test_a_repeated_command_is_confirmed_by_an_append_and_not_by_a_read(
    sold: list[int],
) -> None:
    storage = Unconfirmed(InMemoryStorage())
    events = Events(storage)
    tills = Repository(events, Till)
    await once(tills, "c-1", 1)
    await sell(tills, 10)
    storage.is_alone = True
    with pytest.raises(OutageError):
        await once(tills, "c-1", *sold)
    with pytest.raises(OutageError):
        await tills.update("1", refuse, command_id="c-1")

    storage.is_alone = False
    assert (await once(tills, "c-1", *sold)).version == 2
    assert (await tills.update("1", refuse, command_id="c-1")).version == 2
    assert await counts(events) == [1, 10]


def refuse(till: Till) -> None:
    message = f"{till.id} is closed"
    raise ValueError(message)


async def test_a_command_that_did_nothing_on_an_event_that_is_gone_meets_a_conflict() -> None:
    events = Events()
    tills = Repository(events, Till)
    await once(tills, "c-1", 1)
    with pytest.raises(ConcurrencyError, match="Till-1"):
        await confirm(events, "Till-1", 1, bytes(16))
    with pytest.raises(ConcurrencyError, match="Till-1"):
        await confirm(events, "Till-1", 2, bytes(16))


async def test_a_command_that_does_nothing_to_a_new_aggregate_stores_nothing() -> None:
    events = Events()
    assert (await once(Repository(events, Till), "c-1")).version == 0
    assert await counts(events) == []
