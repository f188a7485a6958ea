"""Classes of attrs as payloads, stored as dataclasses with the same hints are."""

from eventsourcing_attrs._family import AttrsFamily

__all__ = ["AttrsFamily"]
