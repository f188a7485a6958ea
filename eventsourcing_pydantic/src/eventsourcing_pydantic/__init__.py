"""Models of pydantic as payloads, stored as dataclasses with the same hints are."""

from eventsourcing_pydantic._family import PydanticFamily

__all__ = ["PydanticFamily"]
