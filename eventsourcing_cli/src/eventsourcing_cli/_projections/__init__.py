"""``eventsourcing projections``: those that follow a store, running them, and steering them."""
