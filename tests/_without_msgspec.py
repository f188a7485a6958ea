"""A plugin of pytest: the tests are run as if ``eventsourcing_msgspec`` were not installed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from eventsourcing_core import plugins
from eventsourcing_core.hookspecs import PROJECT

_ROOT = Path(__file__).parents[1]
# What is about it.
_LEFT_OUT = (
    _ROOT / "tests" / "eventsourcing_msgspec",
    _ROOT / "tests" / "eventsourcing_cli" / "test_plugins.py",
    _ROOT / "docs" / "explanation" / "encodings.md",
)


@cache
def _installed_plugins() -> plugins.Plugins:
    found = entry_points(group=PROJECT)
    return plugins.load_plugins([each for each in found if each.name != "msgspec"])


plugins.installed_plugins = _installed_plugins


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the tests of the plugin itself."""
    return True if collection_path in _LEFT_OUT else None
