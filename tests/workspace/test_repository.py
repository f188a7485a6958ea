"""What may be in the repository, and what may not."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs|artifactory|devpi)[.][a-z]|index-url\s*=")
LOCK_FILE = re.compile(r".*[.]lock|.*-lock[.].*|pylock.*[.]toml")
IGNORE = re.compile(
    r"#\s*(?:noqa\b:?[\sA-Z0-9,]*|(?:type|pyright):\s*ignore(?:\[[^]]*\])?|pragma:\s*no\s+cover)"
)


def machine_paths(root: Path) -> re.Pattern[str]:
    """Match what names a place on this machine, or in somebody's home."""
    places = [str(Path.home()), str(root), tempfile.gettempdir()]
    here = "|".join(re.escape(place) for place in places if len(place) > 1)
    return re.compile(rf"(?<![\w.*}}/])(?:(?:{here})/|/(?:home|Users)/\w)")


def lines_that_match(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    """Give the place of each line that holds the pattern, in those files that are text."""
    found: list[str] = []
    for path in files:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        lines = enumerate(text.splitlines(), start=1)
        found.extend(f"{path.name}:{number}" for number, line in lines if pattern.search(line))
    return found


def has_reason(line: str) -> bool:
    """Tell whether the ignores of a line, if any, are followed by words that say why."""
    ignores = list(IGNORE.finditer(line))
    return not ignores or bool(re.match(r"\s*[-#]\s*\w", line[ignores[-1].end() :]))


def test_no_lock_file_is_committed(repository_files: list[Path]) -> None:
    assert repository_files
    assert [path.name for path in repository_files if LOCK_FILE.fullmatch(path.name)] == []


@pytest.mark.parametrize("name", ["uv.lock", "package-lock.json", "pylock.dev.toml"])
def test_a_lock_file_is_known_by_its_name(name: str) -> None:
    assert LOCK_FILE.fullmatch(name)


def test_no_file_names_a_registry(repository_files: list[Path]) -> None:
    assert lines_that_match(repository_files, REGISTRY) == []


def test_no_file_names_a_place_on_somebodys_machine(
    repository_files: list[Path], root: Path
) -> None:
    assert lines_that_match(repository_files, machine_paths(root)) == []


def test_a_place_on_this_machine_is_seen(tmp_path: Path, root: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text(f"See {root}/README.md,\nor {Path.home()}/notes.\n", "utf-8")
    assert lines_that_match([note], machine_paths(root)) == ["note.md:1", "note.md:2"]


def test_every_ignore_has_its_reason_beside_it(repository_files: list[Path]) -> None:
    unexplained = [
        f"{path.name}:{number}"
        for path in repository_files
        if path.suffix == ".py" and path != Path(__file__)  # below are ignores as samples
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if not has_reason(line)
    ]
    assert unexplained == []


@pytest.mark.parametrize(
    ("comment", "explained"),
    [
        ("noqa: S607", False),
        ("noqa: S607, S603 - our own program", True),
        ("type: ignore[arg-type]", False),
        ("type: ignore[arg-type]  # pyright: ignore[reportArgumentType]", False),
        ("type: ignore[arg-type]  # wrong on purpose", True),
        ("type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - wrong on purpose", True),
        ("pragma: no cover", False),
    ],
)
def test_a_reason_is_told_from_none(comment: str, *, explained: bool) -> None:
    assert has_reason(f"x = 1  # {comment}") is explained
