"""Every distribution is complete, and known to the workspace."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def pyproject(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def test_a_distribution_has_the_name_of_its_folder(distribution: Path) -> None:
    assert pyproject(distribution)["project"]["name"] == distribution.name.replace("_", "-")


@pytest.mark.parametrize("file", ["README.md", "LICENSE"])
def test_a_distribution_says_what_it_is_and_under_which_licence(
    distribution: Path, file: str
) -> None:
    assert (distribution / file).read_text("utf-8").strip()


def test_all_licences_are_the_one_of_the_repository(distribution: Path, root: Path) -> None:
    assert (distribution / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()


def test_a_distribution_tells_type_checkers_that_it_is_typed(distribution: Path) -> None:
    assert (distribution / "src" / distribution.name / "py.typed").is_file()


def test_versions_are_in_step(distribution: Path, root: Path) -> None:
    core = pyproject(root / "eventsourcing_core")["project"]["version"]
    assert pyproject(distribution)["project"]["version"] == core


def test_an_extra_requires_the_core_of_its_own_version(extra: Path) -> None:
    project = pyproject(extra)["project"]
    assert f"eventsourcing-core[plugins]=={project['version']}" in project["dependencies"]


def test_the_core_has_no_dependencies(root: Path) -> None:
    assert pyproject(root / "eventsourcing_core")["project"]["dependencies"] == []


def test_an_extra_of_the_core_is_a_distribution_in_its_own_version(extra: Path, root: Path) -> None:
    project = pyproject(extra)["project"]
    extras = pyproject(root / "eventsourcing_core")["project"]["optional-dependencies"]
    name = extra.name.removeprefix("eventsourcing_")
    assert extras[name] == [f"{project['name']}=={project['version']}"]


def test_the_extra_all_holds_every_distribution(extra: Path, root: Path) -> None:
    extras = pyproject(root / "eventsourcing_core")["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    listed = everything.removeprefix("eventsourcing-core[").removesuffix("]").split(",")
    assert extra.name.removeprefix("eventsourcing_") in listed


def test_a_plugin_has_an_entry_point_named_as_what_it_offers(plugin: Path) -> None:
    declared = pyproject(plugin)["project"]["entry-points"]["eventsourcing"]
    assert list(declared.values()) == [f"{plugin.name}.plugin"]


def test_a_plugin_is_installed_with_its_entry_point(plugin: Path) -> None:
    installed = {point.value for point in entry_points(group="eventsourcing")}
    assert f"{plugin.name}.plugin" in installed


def test_the_entry_point_of_a_plugin_is_a_module(plugin: Path) -> None:
    assert find_spec(f"{plugin.name}.plugin") is not None


def test_the_workspace_installs_and_checks_every_distribution(
    distribution: Path, root: Path
) -> None:
    workspace = pyproject(root)
    name = distribution.name.replace("_", "-")
    required = {item.partition("[")[0] for item in workspace["project"]["dependencies"]}
    tool = workspace["tool"]
    assert name in required
    assert name in tool["uv"]["sources"]
    assert f"{distribution.name}/src" in tool["mypy"]["mypy_path"]
    assert distribution.name in tool["coverage"]["run"]["source_pkgs"]
