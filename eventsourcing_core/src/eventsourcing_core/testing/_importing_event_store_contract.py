"""The contract of event stores that also take events as another store recorded them."""

from __future__ import annotations

from eventsourcing_core.testing._import_contract import ImportContract
from eventsourcing_core.testing._import_neighbour_contract import ImportNeighbourContract
from eventsourcing_core.testing._import_refusal_contract import ImportRefusalContract


class ImportingEventStoreContract(ImportContract, ImportRefusalContract, ImportNeighbourContract):
    """Every rule of ``ImportingEventStore``, one test each.

    The fixture to override is the one of ``EventStoreContract``.
    """
