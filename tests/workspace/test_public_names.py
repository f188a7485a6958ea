"""What `__all__` lists is public: it exists, and says what it is."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("eventsourcing_*/pyproject.toml"))
DOORS = [*PACKAGES, "eventsourcing_core.evolution", "eventsourcing_core.testing"]


def documented_assignments(module: ModuleType) -> Iterator[str]:
    """Give the names of a package's constants that have a docstring below them."""
    for path in Path(str(module.__file__)).parent.rglob("*.py"):
        body = ast.parse(path.read_text("utf-8")).body
        for node, following in pairwise(body):
            match node, following:
                case (
                    ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)),
                    ast.Expr(ast.Constant(str())),
                ):
                    yield name
                case _:
                    pass


def has_docstring(value: object) -> bool:
    """Tell whether a class or function has a docstring that somebody wrote."""
    written = getattr(value, "__doc__", None) or ""
    generated = inspect.isclass(value) and written.startswith(f"{value.__name__}(")
    return bool(written) and not generated


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_exists_once(door: str) -> None:
    module = import_module(door)
    names: list[str] = module.__all__
    assert names
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []


@pytest.mark.parametrize("door", DOORS)
def test_no_public_name_is_private(door: str) -> None:
    names: list[str] = import_module(door).__all__
    assert [name for name in names if name.startswith("_")] == []


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_has_a_docstring(door: str) -> None:
    module = import_module(door)
    constants = set(documented_assignments(module))
    undocumented: list[str] = []
    for name in module.__all__:
        value: object = getattr(module, name)
        is_definition = inspect.isclass(value) or inspect.isroutine(value)
        if not (has_docstring(value) if is_definition else name in constants):
            undocumented.append(name)
    assert undocumented == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_and_public_module_says_what_it_is_for(package: str) -> None:
    folder = ROOT / package / "src" / package
    modules = list(folder.rglob("*.py"))
    assert modules
    without = [
        path.name for path in modules if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert without == []
