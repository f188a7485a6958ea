"""The contract of projection stores: all its chapters in one class."""

from __future__ import annotations

from eventsourcing_core.testing._handles.projections import (
    ReopenedProjectionContract,
    SharedProjectionContract,
)
from eventsourcing_core.testing._projections.arranging import ArrangingContract
from eventsourcing_core.testing._projections.batches import BatchContract
from eventsourcing_core.testing._projections.calling import CallContract
from eventsourcing_core.testing._projections.claims import ClaimContract
from eventsourcing_core.testing._projections.parking import ParkingContract
from eventsourcing_core.testing._projections.registering import RegisteringContract
from eventsourcing_core.testing._projections.switching import SwitchContract
from eventsourcing_core.testing._projections.upkeep import UpkeepContract
from eventsourcing_core.testing._projections.values import ValueContract


class ProjectionStoreContract(
    RegisteringContract,
    BatchContract,
    ValueContract,
    ClaimContract,
    ArrangingContract,
    ParkingContract,
    CallContract,
    SwitchContract,
    UpkeepContract,
    ReopenedProjectionContract,
    SharedProjectionContract,
):
    """Every rule of ``ProjectionStore``, one test each; inherit and override ``new_location``.

    The fixture is that of ``EventStoreContract``: each call makes a new, empty location, and gives
    what opens the backend there, again and again. The tests use its ``Parts.projection_store``.

    A backend that cannot be opened again sets ``is_durable = False``, and overrides ``open_parts``
    instead. One that cannot be open twice at the same time sets ``is_shared = False``. What tests
    these is skipped then, and the skip is printed.

    Some tests wait until a lease has run out, which takes up to a second. ``deadline`` is how long
    a test waits at most for what should happen.
    """
