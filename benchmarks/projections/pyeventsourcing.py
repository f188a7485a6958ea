"""The projection runner of ``eventsourcing``, with its tracking recorder for PostgreSQL.

Written as https://eventsourcing.readthedocs.io/en/stable/topics/projection.html says: a recorder
that stores the tracking object with the counter, in one transaction.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

from benchmarks.peers.sides.pyeventsourcing import Default, Unsnapshotted
from benchmarks.projections.apart import Figures

if TYPE_CHECKING:
    from eventsourcing.persistence import Tracking

CONNECTIONS = 10
PATIENCE = 600.0  # seconds


class Counts(PostgresTrackingRecorder):
    """A counter for each aggregate, in a table of its own."""

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        table = Identifier(self.datastore.schema, "counts")
        self.sql_create_statements.append(
            SQL("create table if not exists {} (id uuid primary key, events bigint)").format(table)
        )
        self._add = SQL(
            "insert into {0} values (%s, 1) on conflict (id) do update set events = {0}.events + 1"
        ).format(table)
        self._sum = SQL("select sum(events) from {}").format(table)

    def add(self, originator_id: object, tracking: Tracking) -> None:
        """Count an event."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._add, (originator_id,), prepare=True)

    def total(self) -> int:
        """Give how many were counted."""
        with self.datastore.transaction() as cursor:
            found: Any = cursor.execute(self._sum).fetchone()
        return int(found["sum"])


class Counting(Projection[Counts]):
    """Counts, and tells when the last event is stored."""

    name = "counting"
    topics = ()
    last = 0
    done = threading.Event()

    def process_event(  # pyright: ignore[reportIncompatibleVariableOverride] - one kind of event, so nothing is dispatched
        self, domain_event: Any, tracking: Tracking
    ) -> None:
        """Count one; there are no other events."""
        self.view.add(domain_event.originator_id, tracking)
        if tracking.notification_id >= self.last:
            self.done.set()


def catch_up(url: str, events: int) -> Figures:
    """Fill an empty database, and count its events by aggregate."""
    side = Default(url, CONNECTIONS)
    side.open()
    side.fill(events)
    Counting.last, Counting.done = side.end(), threading.Event()
    side.close()
    begin, computed = time.perf_counter(), time.process_time()
    with ProjectionRunner(
        application_class=Unsnapshotted,
        projection_class=Counting,
        view_class=Counts,
        env=side.environment,
    ) as runner:
        if not Counting.done.wait(PATIENCE):
            raise TimeoutError
        seconds, cpu = time.perf_counter() - begin, time.process_time() - computed
        return Figures(runner.view.total(), seconds, cpu)
