"""What this library ever stored is read as what it was."""

from __future__ import annotations

from pathlib import Path

from eventsourcing_core.evolution import frozen_paths
from eventsourcing_core.testing import FrozenEventsContract
from tests.core.evolution.stored_forms import TYPES


class TestStoredForms(FrozenEventsContract):
    folder = Path(__file__).parent / "frozen"
    event_types = TYPES

    def test_every_serializer_of_this_repository_is_frozen(self) -> None:
        serializers = {path.parent.name for path in frozen_paths(self.folder)}
        assert serializers == {"json", "msgpack"}
