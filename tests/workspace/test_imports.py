"""Who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BESIDES_THE_STANDARD_LIBRARY = {
    "_payloads": {"annotationlib"},  # of the standard library since Python 3.14
    "hookspecs": {"pluggy"},
    "plugins": {"pluggy"},
    "testing": {"hypothesis", "pytest", "pytest_asyncio"},
}
"""What each public part of the core may import; all other modules may import nothing."""


def imported_names(source: str) -> Iterator[str]:
    """Give the full name of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private_names_of_others(source: str, distribution: str) -> list[str]:
    """List the imports of private names of any distribution but this one."""
    return [
        name
        for name in imported_names(source)
        if name.startswith("eventsourcing_")
        and not name.startswith(f"{distribution}.")
        and any(part.startswith("_") for part in name.split("."))
    ]


def imports_of_files(files: list[Path], distribution: str) -> dict[str, list[str]]:
    found = {
        path.name: private_names_of_others(path.read_text("utf-8"), distribution) for path in files
    }
    return {name: imports for name, imports in found.items() if imports}


@pytest.mark.parametrize(
    "source",
    [
        "import eventsourcing_core._events.event",
        "from eventsourcing_core._events.event import Event",
        "from eventsourcing_core import _event",
        "def f():\n    from eventsourcing_core._events.event import Event",
    ],
)
def test_an_import_of_a_private_module_is_seen(source: str) -> None:
    assert private_names_of_others(source, "eventsourcing_sqlite")


def test_a_distribution_imports_no_private_module_of_another(distribution: Path) -> None:
    files = list((distribution / "src").rglob("*.py"))
    assert files
    assert imports_of_files(files, distribution.name) == {}


def test_the_examples_import_only_what_is_public(root: Path) -> None:
    files = list((root / "docs" / "examples").rglob("*.py"))
    assert files
    assert imports_of_files(files, "") == {}


def test_the_core_imports_only_the_standard_library(root: Path) -> None:
    package = root / "eventsourcing_core" / "src" / "eventsourcing_core"
    strangers = {
        f"{path.relative_to(package)}: {name}"
        for path in package.rglob("*.py")
        for name in imported_names(path.read_text("utf-8"))
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names
        and top != "eventsourcing_core"
        and top
        not in BESIDES_THE_STANDARD_LIBRARY.get(
            path.relative_to(package).parts[0].removesuffix(".py"), set()
        )
    }
    assert strangers == set()


def test_importing_the_core_loads_only_what_it_needs() -> None:
    program = "import eventsourcing_core, sys; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - the program is the one above
        [sys.executable, "-I", "-W", "error", "-c", program],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout.split()
    assert "eventsourcing_core" in loaded
    rooms = {"plugins", "hookspecs", "testing", "_discovery.options"}
    unneeded = {"pluggy", *(f"eventsourcing_core.{room}" for room in rooms)}
    assert unneeded & {*loaded} == set()
