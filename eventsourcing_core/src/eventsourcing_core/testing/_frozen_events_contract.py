"""The suite that reads every event that was ever frozen."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - authors and pytest may evaluate the hints
from typing import ClassVar

import pytest

from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core.evolution import (
    FrozenFileError,
    frozen_paths,
    misread,
    read_frozen,
    unfrozen,
)

_CURE = "run `eventsourcing freeze`, and commit what it writes"


class FrozenEventsContract:
    """Old events are still read as what they were: inherit, and set ``folder``.

    There is a test for each frozen file, and one for each event type. Import the modules of your
    events in the test file, so that their classes are registered.
    """

    folder: ClassVar[Path]
    """Where ``eventsourcing freeze`` writes."""
    event_types: ClassVar[EventTypes] = default_event_types
    """The registry of the events."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give the tests their files and types."""
        if not hasattr(self, "folder"):
            message = "set folder, the path that `eventsourcing freeze` writes to, in the class"
            raise NotImplementedError(message)
        if "frozen_path" in metafunc.fixturenames:
            paths = frozen_paths(self.folder)
            ids = [path.relative_to(self.folder).as_posix() for path in paths]
            metafunc.parametrize("frozen_path", paths, ids=ids)
        if "event_type" in metafunc.fixturenames:
            metafunc.parametrize("event_type", sorted(self.event_types.classes))

    def test_a_frozen_file_is_read_as_what_it_was(self, frozen_path: Path) -> None:
        try:
            file = read_frozen(frozen_path)
        except FrozenFileError as error:
            pytest.fail(str(error), pytrace=False)
        found = misread(file, self.event_types)
        if found:
            said = "\n  ".join(found)
            pytest.fail(
                f"events as in {frozen_path} are not read any more:\n  {said}", pytrace=False
            )

    def test_a_frozen_file_has_its_own_name(self, frozen_path: Path) -> None:
        # One that was copied or renamed would count as another layout.
        assert read_frozen(frozen_path).path_in(self.folder) == frozen_path

    def test_an_event_type_is_frozen_as_it_is(self, event_type: str) -> None:
        files = [read_frozen(path) for path in frozen_paths(self.folder, event_type)]
        names = {path.parent.name for path in frozen_paths(self.folder)}
        for serializer in sorted(names or {"json"}):
            own = [file for file in files if file.serializer == serializer]
            reason = unfrozen(event_type, self.event_types.classes[event_type], own)
            if reason:
                message = f"the event type {event_type!r} {reason} ({serializer}): {_CURE}"
                pytest.fail(message, pytrace=False)
