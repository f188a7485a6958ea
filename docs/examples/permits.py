"""Permit applications: a real event log becomes event streams, is read back and compared.

python docs/examples/permits.py receipt.csv --store sqlite:///permits.db

The log is the receipt phase of the handling of environmental permits in a Dutch municipality,
as CSV (CoSeLoG project, doi 10.4121/uuid:a07386a5-7be3-4367-9535-70bc9e77dbe6). One case is one
stream, one row one event. A case is appended whole, under event ids that follow from the log: so
the import can be killed and repeated, and nothing is stored twice.
"""

import argparse
import asyncio
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID, uuid5

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    DuplicateEventError,
    Event,
    EventSourcingError,
    EventStore,
    InvalidStreamIdError,
    StorageError,
    check_stream_id,
    event,
    open_backend,
)


# Events: what the municipality did.
@dataclass(frozen=True, slots=True)
class Facts:
    """What the log says of a case as a whole."""

    channel: str
    department: str
    group: str | None
    responsible: str
    started: datetime
    ended: datetime | None
    planned_end: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work on a case, and who did it."""

    id: str
    activity: str
    transition: str
    group: str
    resource: str


@event("application.received")
class ApplicationReceived:
    """The case began."""

    task: Task
    facts: Facts


@event("confirmation.prepared")
class ConfirmationPrepared:
    """The confirmation of receipt was checked, adjusted, determined or sent."""

    task: Task


@event("necessity.determined")
class NecessityDetermined:
    """It was determined whether the case must be stopped, or advice on that be taken."""

    task: Task


@event("advice.sought")
class AdviceSought:
    """Advice was drafted, requested or received, inside the house or outside."""

    task: Task


@event("decision.prepared")
class DecisionPrepared:
    """The answer that no licence is needed, or the report to stop, came a step further."""

    task: Task


TaskDone = ConfirmationPrepared | NecessityDetermined | AdviceSought | DecisionPrepared
Row = tuple[Any, ...]  # one row of the log: the case, its Facts, the Task, the time


# The aggregate.
class PermitApplication(Aggregate):
    """One application on its way: its facts, and what was done about it, and when."""

    facts: Facts | None = None
    history: list[tuple[Task, datetime]]

    def __init__(self, id: str) -> None:  # noqa: A002 - Aggregate's own name for it
        super().__init__(id)
        self.history = []

    def apply(self, event: Event[ApplicationReceived | TaskDone]) -> None:
        """Take the facts from the first event, and from every event what was done."""
        if isinstance(event.data, ApplicationReceived):
            self.facts = event.data.facts
        self.history.append((event.data.task, event.timestamp))

    def rows(self) -> list[Row]:
        """Give the rows of the log that became this application."""
        facts = astuple(self.facts) if self.facts else ()
        return [(self.id, *facts, *astuple(task), at) for task, at in self.history]


# The log.
COLUMNS = (  # in the order of Row
    "case:concept:name",
    *("case:channel", "case:department", "case:group", "case:responsible"),
    *("case:startdate", "case:enddate", "case:enddate_planned", "case:deadline"),
    *("concept:instance", "concept:name", "lifecycle:transition", "org:group", "org:resource"),
    "time:timestamp",
)
TIMES = {"case:startdate", "case:enddate", "case:enddate_planned", "case:deadline", COLUMNS[-1]}
MAY_BE_EMPTY = {"case:group", "case:enddate"}
BEYOND = "cells beyond the last column"
NO_ROW: Row = ("no row",) * len(COLUMNS)
LOG_ID = UUID("a07386a5-7be3-4367-9535-70bc9e77dbe6")  # the namespace of the ids of its events
PREFIX = f"{PermitApplication.category}-"
PAGE = 500
RECEIPT = "Confirmation of receipt"
STEPS: dict[str, Callable[[Task], TaskDone]] = {  # by the number in front of an activity's name
    **dict.fromkeys(("T02", "T03", "T04", "T05"), ConfirmationPrepared),
    **dict.fromkeys(("T06", "T10"), NecessityDetermined),
    **dict.fromkeys(("T07", "T08", "T09"), AdviceSought),
    **{f"T{number}": DecisionPrepared for number in range(11, 21)},
}


class LogError(Exception):
    """A file that is no such log."""

    def __init__(self, where: str, problem: object) -> None:
        super().__init__(f"{where}: {problem}")


def read_log(path: Path) -> dict[str, list[Row]]:
    """Read the rows of every case, before anything is stored."""
    cases: dict[str, list[Row]] = {}
    ids: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file, restkey=BEYOND, restval="", strict=True)
        try:
            check_columns(lines.fieldnames or COLUMNS)
            for cells in lines:
                row: Row = tuple([value_of(column, cells) for column in COLUMNS])
                rows = cases.setdefault(row[0], [])
                rows.append(row)
                check(row, rows[0], ids)
        except (LogError, InvalidStreamIdError, UnicodeError, csv.Error) as error:
            place = f"{path}, line {lines.line_num}"
            raise LogError(place, error) from error
    if not cases:
        raise LogError(str(path), "no rows")
    return cases


def check_columns(found: Iterable[str]) -> None:
    """Refuse a file without one of the columns, or with one that the events would lose."""
    for column in Counter(COLUMNS) - Counter(found):
        raise LogError(column, "the column is missing")
    for column in Counter(found) - Counter(COLUMNS):
        raise LogError(column, "the column is unknown, or there twice")


def value_of(column: str, cells: Mapping[str, str]) -> str | datetime | None:
    """Give the value of a cell: text, a time with its zone, or None."""
    text = cells[column]
    if BEYOND in cells:
        raise LogError(BEYOND, cells[BEYOND])
    if not text and column in MAY_BE_EMPTY:
        return None
    try:
        value = datetime.fromisoformat(text) if column in TIMES else text
    except ValueError as error:
        raise LogError(column, error) from error
    if not text or (isinstance(value, datetime) and value.tzinfo is None):
        raise LogError(column, f"incomplete: {text!r}")
    return value


def check(row: Row, first: Row, ids: set[str]) -> None:
    """Refuse a row that the streams could not hold; add its id to those of the rows before."""
    case, task, activity = row[0], row[9], row[10]
    check_stream_id(PermitApplication.stream_id_of(case))
    if task in ids:
        raise LogError(case, f"the concept:instance {task!r} is there twice")
    ids.add(task)
    if activity != RECEIPT and activity[:3] not in STEPS:
        raise LogError(case, f"unknown activity {activity!r}")
    if first[10] != RECEIPT:
        raise LogError(case, f"the case does not begin with {RECEIPT!r}")
    if row[:9] != first[:9]:
        raise LogError(case, "the columns case:* differ between the rows of the case")


def event_of(row: Row) -> Event[ApplicationReceived | TaskDone]:
    """Make the event of a row; made again it has the same id."""
    facts, task = Facts(*row[1:9]), Task(*row[9:14])
    received = task.activity == RECEIPT
    data = ApplicationReceived(task, facts) if received else STEPS[task.activity[:3]](task)
    return Event.of(data, event_id=uuid5(LOG_ID, task.id), timestamp=row[14])


# The program.
def show(done: Counter[str], total: int, seconds: float) -> None:
    """Say on stderr how far the import is: in place on a terminal, else by lines."""
    live, cases, events = sys.stderr.isatty(), done["cases"], done["events"]
    if cases == total or cases % (10 if live else 100) == 0:
        text = f"{cases:,} of {total:,} cases, {events:,} events, {events / seconds:,.0f} events/s"
        print(text, end="\x1b[K\r" if live and cases < total else "\n", file=sys.stderr, flush=True)


async def import_log(store: EventStore, cases: dict[str, list[Row]], tasks: int) -> list[str]:
    """Append the cases, several at a time; say which ones the store refuses, and why."""
    refused: list[str] = []
    done, began = Counter[str](), perf_counter()
    remaining = iter(cases.items())

    async def work() -> None:
        for case, rows in remaining:  # shared: each task takes the next one
            events = [event_of(row) for row in rows]
            try:
                await store.append(PermitApplication.stream_id_of(case), events, expected_version=0)
            except (ConcurrencyError, DuplicateEventError) as error:
                refused.append(str(error))
            done.update(cases=1, events=len(events))
            show(done, len(cases), perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(work())
    return refused


async def count(store: EventStore) -> Counter[str]:
    """Count the events by stream, page by page, and see that they come in order."""
    versions, cursor = Counter[str](), 0  # all that must be kept to go on later
    while page := [
        event
        async for event in store.read_all(after_position=cursor, limit=PAGE, stream_prefix=PREFIX)
    ]:
        for recorded in page:
            versions[recorded.stream_id] += 1
            if recorded.position <= cursor or recorded.version != versions[recorded.stream_id]:
                message = f"read_all after {cursor} is out of order: {recorded}"
                raise StorageError(message)
            cursor = recorded.position
    return versions


def compare(rows: list[Row], stored: list[Row]) -> list[str]:
    """Describe every field in which the rows differ."""
    return [
        f"{row[0]}, {column}: {there} in the file, {here} in the store"
        for row, stored_row in zip_longest(rows, stored, fillvalue=NO_ROW)
        for column, there, here in zip(COLUMNS, row, stored_row, strict=True)
        if there != here
    ]


async def run(path: Path, url: str, tasks: int = 64) -> bool:
    """Import the log and read it back; tell whether the store holds what the file holds."""
    began = perf_counter()
    cases = read_log(path)
    async with open_backend(url) as backend:
        applications = backend.repository(PermitApplication)
        before = await count(backend.event_store)
        differences = await import_log(backend.event_store, cases, tasks)
        after = await count(backend.event_store)
        for case, rows in cases.items():
            differences += compare(rows, (await applications.load(case)).rows())
    added = after.total() - before.total()
    sys.stderr.writelines(f"{difference}\n" for difference in differences[:10])
    print(f"streams {len(after):,}")
    print(f"events {after.total():,}")
    complete = not added and not differences
    print(f"added {added:,}" + (": everything was there already" if complete else ""))
    print(f"differences {len(differences):,}")
    print(f"read_all {after.total():,} events in order, in pages of {PAGE}")
    print(f"seconds {perf_counter() - began:.2f}")
    return not differences


def main() -> None:
    """Read the command line; exit with 1 if there are differences, 2 if something is broken."""
    parser = argparse.ArgumentParser(description="Import a log of permit applications.")
    parser.add_argument("log", metavar="CSV", type=Path)
    parser.add_argument("--store", default="sqlite:///permits.db", help="URL, %(default)s")
    parser.add_argument("--tasks", type=int, default=64, help="appends at once, %(default)s")
    arguments = parser.parse_args()
    if arguments.tasks < 1:
        parser.error(f"--tasks must be 1 or more, got {arguments.tasks}")
    code = 2
    try:
        code = 0 if asyncio.run(run(arguments.log, arguments.store, arguments.tasks)) else 1
    except* (LogError, EventSourcingError, OSError, ValueError) as errors:
        print(f"permits: {errors.exceptions[0]}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
