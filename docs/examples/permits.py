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
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    DuplicateEventError,
    Event,
    EventSourcingError,
    EventStore,
    RecordedEvent,
    event,
    open_backend,
)


# Events: what the municipality did.
@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work on a case, and who did it."""

    id: str
    activity: str
    transition: str
    group: str
    resource: str


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


@event
class ApplicationReceived:
    """The case began."""

    task: Task
    facts: Facts


@event
class ConfirmationPrepared:
    """The confirmation of receipt was checked, adjusted, determined or sent."""

    task: Task


@event
class NecessityDetermined:
    """It was determined whether advice on stopping, or a stop, is needed."""

    task: Task


@event
class AdviceSought:
    """Advice was drafted, requested or received, inside the house or outside."""

    task: Task


@event
class DocumentPrepared:
    """The answer to a request that needs no licence came a step further."""

    task: Task


@event
class StopReported:
    """The report on holding or stopping the case came a step further."""

    task: Task


TaskDone = (
    ConfirmationPrepared | NecessityDetermined | AdviceSought | DocumentPrepared | StopReported
)
Step = ApplicationReceived | TaskDone
RECEIPT = "Confirmation of receipt"
STEPS: dict[str, type[TaskDone]] = {  # by the number that an activity's name begins with
    **dict.fromkeys(("T02", "T03", "T04", "T05"), ConfirmationPrepared),
    **dict.fromkeys(("T06", "T10"), NecessityDetermined),
    **dict.fromkeys(("T07", "T08", "T09"), AdviceSought),
    **dict.fromkeys(("T11", "T12", "T13", "T14", "T15"), DocumentPrepared),
    **dict.fromkeys(("T16", "T17", "T18", "T19", "T20"), StopReported),
}


# The aggregate.
class PermitApplication(Aggregate):
    """One application on its way: its facts, and what was done about it and when."""

    def __init__(self, id: str) -> None:  # noqa: A002 - the name of the framework
        super().__init__(id)
        self.facts: Facts | None = None
        self.history: list[tuple[Step, datetime]] = []

    def apply(self, event: Event[Step]) -> None:
        """Add a step, and take the facts from the first one."""
        if isinstance(event.data, ApplicationReceived):
            self.facts = event.data.facts
        self.history.append((event.data, event.timestamp))


# The log.
COLUMNS = (
    "case:concept:name",
    *("case:channel", "case:department", "case:group", "case:responsible"),
    *("case:startdate", "case:enddate", "case:enddate_planned", "case:deadline"),
    *("concept:instance", "concept:name", "lifecycle:transition", "org:group", "org:resource"),
    "time:timestamp",
)


class LogError(Exception):
    """The file is not such a log; says where and why."""


class Row(NamedTuple):
    """One row of the log, all of its columns."""

    case: str
    facts: Facts
    step: Step
    at: datetime

    def cells(self) -> dict[str, object]:
        """Give the values by column."""
        values = (self.case, *astuple(self.facts), *astuple(self.step.task), self.at)
        return dict(zip(COLUMNS, values, strict=True))


class Cells(dict[str, str]):
    """The text of a row by column; what it cannot give is a ``ValueError``."""

    def text(self, column: str) -> str:
        """Give a text that must be there."""
        if not self[column]:
            message = f"{column} is empty"
            raise ValueError(message)
        return self[column]

    def time(self, column: str) -> datetime:
        """Give a time that must be there."""
        try:
            time = datetime.fromisoformat(self[column])
        except ValueError:
            time = datetime.min
        if time.tzinfo is None:
            message = f"{column} is no time with a time zone: {self[column]!r}"
            raise ValueError(message)
        return time

    def row(self) -> Row:
        """Give the row that the texts stand for."""
        facts = Facts(
            channel=self.text("case:channel"),
            department=self.text("case:department"),
            group=self["case:group"] or None,
            responsible=self.text("case:responsible"),
            started=self.time("case:startdate"),
            ended=self.time("case:enddate") if self["case:enddate"] else None,
            planned_end=self.time("case:enddate_planned"),
            deadline=self.time("case:deadline"),
        )
        task = Task(
            id=self.text("concept:instance"),
            activity=self.text("concept:name"),
            transition=self.text("lifecycle:transition"),
            group=self.text("org:group"),
            resource=self.text("org:resource"),
        )
        return Row(
            self.text("case:concept:name"), facts, step_of(task, facts), self.time("time:timestamp")
        )


def step_of(task: Task, facts: Facts) -> Step:
    """Find the event that a task is."""
    if task.activity == RECEIPT:
        return ApplicationReceived(task, facts)
    try:
        return STEPS[task.activity[:3]](task)
    except KeyError:
        message = f"concept:name is no activity of this log: {task.activity!r}"
        raise ValueError(message) from None


def read_log(path: Path) -> dict[str, list[Row]]:
    """Read the rows of every case: all of them before anything is stored."""
    cases: dict[str, list[Row]] = {}
    tasks: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, restkey="")
    except OSError as error:
        raise LogError(error) from error
    return cases
