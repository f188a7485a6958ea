"""The command `plugins`."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Run


def install(folder: Path, name: str, entry_point: str, code: str) -> None:
    """Put a distribution with one plugin into a folder."""
    metadata = folder / f"{name}-2.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.5\n")
    (metadata / "entry_points.txt").write_text(f"[eventsourcing]\n{entry_point} = {name}\n")
    (folder / f"{name}.py").write_text(code)


def listed_with(folder: Path, command: list[str], code: int) -> list[dict[str, Any]]:
    finished = subprocess.run(  # noqa: S603 - the command of this repository
        [*command, "--json"],
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (finished.returncode, finished.stderr) == (code, "")
    found: list[dict[str, Any]] = json.loads(finished.stdout)["plugins"]
    return found


def test_what_is_installed_is_a_line_each_of_columns(run: Run) -> None:
    found = run("plugins")
    assert (found.code, found.err) == (0, "")
    assert [line.split("\t")[:4] for line in found.out.splitlines()] == [
        ["backend", "memory", "memory", "eventsourcing-inmemory"],
        ["backend", "postgres", "postgresql", "eventsourcing-postgres"],
        ["backend", "postgresql", "postgresql", "eventsourcing-postgres"],
        ["backend", "sqlite", "sqlite", "eventsourcing-sqlite"],
        ["migrator", "postgres", "postgresql", "eventsourcing-postgres"],
        ["migrator", "postgresql", "postgresql", "eventsourcing-postgres"],
        ["migrator", "sqlite", "sqlite", "eventsourcing-sqlite"],
        ["payload family", "attrs", "attrs", "eventsourcing-attrs"],
        ["payload family", "pydantic", "pydantic", "eventsourcing-pydantic"],
        ["serializer", "json", "", "eventsourcing-core"],
        ["serializer", "msgpack", "msgpack", "eventsourcing-msgpack"],
        ["typed codec", "json", "msgspec", "eventsourcing-msgspec"],
        ["typed codec", "msgpack", "msgspec", "eventsourcing-msgspec"],
    ]


def test_json_is_one_object_with_the_versions(run: Run) -> None:
    found = json.loads(run("plugins", "--json").out)["plugins"]
    assert {
        "kind": "backend",
        "name": "sqlite",
        "plugin": "sqlite",
        "distribution": "eventsourcing-sqlite",
        "version": version("eventsourcing-sqlite"),
        "problem": "",
    } in found


def test_a_broken_plugin_is_listed_with_the_reason(tmp_path: Path, command: Command) -> None:
    install(tmp_path, "torn", "torn", "import nothing_of_that_name\n")
    broken = listed_with(tmp_path, command("plugins"), 1)[-1]
    assert broken["problem"].startswith("the plugin 'torn' (torn) cannot be used: ModuleNotFound")
    assert {**broken, "problem": ""} == {
        "kind": "broken",
        "name": "torn",
        "plugin": "torn",
        "distribution": "torn",
        "version": "2.5",
        "problem": "",
    }


OFFER = """
from eventsourcing_core.hookspecs import hookimpl

@hookimpl
def backends():
    return {"sqlite": print, "other": print}
"""


def test_two_that_offer_one_name_are_both_marked(tmp_path: Path, command: Command) -> None:
    install(tmp_path, "rival", "rival", OFFER)
    found = listed_with(tmp_path, command("plugins"), 1)
    problems = {
        (each["name"], each["distribution"]): each["problem"]
        for each in found
        if each["kind"] == "backend"
    }
    both = [("sqlite", "eventsourcing-sqlite"), ("sqlite", "rival")]
    assert [problems[each] for each in both] == [
        "another plugin offers this name: uninstall all but one of them"
    ] * 2
    assert problems["other", "rival"] == ""


def test_entry_points_of_one_name_are_told_apart(tmp_path: Path, command: Command) -> None:
    install(tmp_path, "rival", "sqlite", OFFER.replace('"sqlite"', '"third"'))
    found = listed_with(tmp_path, command("plugins"), 0)
    places = {each["name"]: each["distribution"] for each in found}
    assert (places["sqlite"], places["third"]) == ("eventsourcing-sqlite", "rival")
