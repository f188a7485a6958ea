"""A view and a projection of a real log, rebuilt and switched while the log is imported.

The log is ``../shared/data/receipt.csv`` beside the repository, or what the environment variable
PERMITS_CSV names.
"""

from __future__ import annotations

import asyncio
import csv
import os
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Event,
    EventTypes,
    Projection,
    RecordedEvent,
    View,
    event,
    open_backend,
)
from tests.projections_under_load._histories import differences
from tests.projections_under_load._places import rows_of
from tests.projections_under_load._projections import execute
from tests.projections_under_load._waiting import switched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core import Backend
    from tests.projections_under_load._places import Place

ROOT = Path(__file__).parents[2]
LOG = Path(os.environ.get("PERMITS_CSV", ROOT.parent / "shared" / "data" / "receipt.csv"))
pytestmark = pytest.mark.skipif(
    not LOG.exists(), reason=f"the real log is not at {LOG}: name it with PERMITS_CSV"
)
types = EventTypes()
LAST_STEPS = {
    "T05 Print and send confirmation of receipt",
    "T10 Determine necessity to stop indication",
    "T15 Print document X request unlicensed",
    "T20 Print report Y to stop indication",
}
AT_ONCE = 8  # cases
LATE = 100  # cases that come after the first switch
NAMES = ("open-applications", "durations")
MAKE = "create table duration (case_id text primary key, began bigint, lasted bigint)"
NOTE = """
insert into duration values ($1, $2, 0)
on conflict (case_id) do update set lasted = $2 - duration.began
"""


@event("step-done", event_types=types)
class StepDone:
    activity: str
    responsible: str
    at: datetime


def milliseconds(at: datetime, build: int) -> int:
    """Give a time; each version counts in other units."""
    return round(at.timestamp() * 1000) * build


def view_of(number: int) -> type[View[list[str]]]:
    """Give a version of the view of open applications by who is responsible."""

    class OpenApplications(View[list[str]]):
        name = NAMES[0]
        class_name = "OpenApplications"
        version = number

        def key(self, event: RecordedEvent[StepDone]) -> str:
            return event.data.responsible

        def evolve(
            self, value: list[str] | None, event: RecordedEvent[StepDone]
        ) -> list[str] | None:
            case = f"{number}: {event.stream_id}"
            others = [each for each in value or [] if each != case]
            is_open = event.data.activity not in LAST_STEPS
            return sorted([*others, case] if is_open else others) or None

    return OpenApplications


def projection_of(number: int) -> type[Projection[Any]]:
    """Give a version of the projection of how long each case took."""

    class Durations(Projection[Any]):
        name = NAMES[1]
        class_name = "Durations"
        version = number

        async def create(self, connection: Any) -> None:
            await execute(connection, MAKE)

        async def apply(self, event: RecordedEvent[StepDone], connection: Any) -> None:
            at = milliseconds(event.data.at, number)
            await execute(connection, NOTE, event.stream_id, at)

    return Durations


@pytest.fixture(scope="module")
def cases() -> dict[str, list[StepDone]]:
    """Read the steps of each case."""
    found: dict[str, list[StepDone]] = defaultdict(list)
    with LOG.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["time:timestamp"])
            step = StepDone(row["concept:name"], row["case:responsible"], at)
            found[row["case:concept:name"]].append(step)
    return found


def open_in(cases: dict[str, list[StepDone]], build: int) -> dict[str, list[str]]:
    """Give the open applications, by a plain loop."""
    found: dict[str, list[str]] = defaultdict(list)
    for case, steps in cases.items():
        if steps[-1].activity not in LAST_STEPS:
            found[steps[-1].responsible].append(f"{build}: {case}")
    return {responsible: sorted(those) for responsible, those in found.items()}


def durations_in(cases: dict[str, list[StepDone]], build: int) -> dict[str, int]:
    """Give how long each case took, by a plain loop."""
    return {
        case: milliseconds(steps[-1].at, build) - milliseconds(steps[0].at, build)
        for case, steps in cases.items()
    }


async def import_cases(backend: Backend, cases: Iterable[tuple[str, list[StepDone]]]) -> None:
    """Append the cases, several at a time."""
    remaining = iter(cases)

    async def work() -> None:
        for case, steps in remaining:  # shared: each task takes the next one
            events = [Event.of(step, event_types=types) for step in steps]
            await backend.event_store.append(case, events, expected_version=0)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


@asynccontextmanager
async def working(place: Place, build: int) -> AsyncIterator[None]:
    """Work on one version, as a process of its own does."""
    async with (
        open_backend(place.url, event_types=types) as backend,
        backend.projector([view_of(build)(), projection_of(build)()]),
    ):
        yield


async def builds_seen(backend: Backend, seen: list[set[str]]) -> None:
    """Look at the view over and over: of which versions its values are."""
    view = backend.view(view_of(1))
    while True:
        values = [value async for _, value in view.all()]
        seen.append({case.partition(":")[0] for value in values for case in value})
        await asyncio.sleep(0.01)


async def check(
    backend: Backend, place: Place, cases: dict[str, list[StepDone]], build: int
) -> None:
    """See that view and projection are what plain loops give."""
    head = await backend.event_store.last_position()
    for name in NAMES:
        await backend.projections.wait_for(head, name, timeout=60)
        await switched(backend, name, build)
    values = {key: value async for key, value in backend.view(view_of(build)).all()}
    assert differences(open_in(cases, build), values) == []
    rows = await rows_of(place, "select case_id, lasted from {}duration", "durations")
    assert differences(durations_in(cases, build), dict(rows)) == []


async def test_a_rebuild_of_the_real_log_gives_what_a_plain_loop_gives(
    place: Place, cases: dict[str, list[StepDone]]
) -> None:
    assert sum(map(len, cases.values())) == 8577
    all_cases = [*cases.items()]
    half = len(cases) // 2
    seen: list[set[str]] = []
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with working(place, 1):
            await import_cases(backend, all_cases[:half])
            reading = asyncio.create_task(builds_seen(backend, seen))
            importing = asyncio.create_task(import_cases(backend, all_cases[half:-LATE]))
            async with working(place, 2):
                for name in NAMES:
                    await switched(backend, name, 2)
                await importing
                await import_cases(backend, all_cases[-LATE:])
                await check(backend, place, cases, 2)
                await check(backend, place, cases, 1)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    assert {"1"} in seen
    assert {"2"} in seen
    assert all(len(builds) == 1 for builds in seen[seen.index({"1"}) :])
