"""What MODULE:NAME may name, and what is said if it names nothing that can be run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli._projections.loading import CodeError, followers_of
from tests.eventsourcing_cli.projections._code import written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Run


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("ALL", ["counts", "mailer"]),
        ("made", ["counts", "mailer"]),
        ("Counts", ["counts"]),
        ("object_of_counts", ["counts"]),
    ],
)
def test_a_list_a_function_a_class_or_an_object_is_run(
    folder: Path, name: str, names: list[str]
) -> None:
    assert [each.name for each in followers_of(f"{written(folder)}:{name}")] == names


def test_modules_are_found_in_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = written(folder)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in {"", str(folder)}])
    assert followers_of(f"{module}:Counts")
    assert sys.path[0] == str(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Nothing", "has no 'Nothing'"),
        ("EMPTY", "is empty"),
        ("STORE", "is no view, projection or reactor, or a list of them: it is 'a'"),
        ("Path", "is no view, projection or reactor, or a list of them: it is <class 'pathlib"),
        ("fails", "failed with LookupError: no settings; --traceback shows where"),
        ("NeedsMore", "missing 1 required positional argument: 'server'"),
    ],
)
def test_what_cannot_be_run_is_refused(folder: Path, name: str, said: str) -> None:
    with pytest.raises(CodeError) as caught:
        followers_of(f"{written(folder)}:{name}")
    assert said in str(caught.value)


def test_a_module_that_is_not_there_is_told_from_one_that_it_imports(folder: Path) -> None:
    with pytest.raises(CodeError, match="there is no module 'nowhere_at_all', neither"):
        followers_of("nowhere_at_all.reading:ALL")
    module = written(folder, code="import nowhere_at_all")
    with pytest.raises(CodeError, match=f"importing {module} failed with ModuleNotFoundError"):
        followers_of(f"{module}:ALL")


def test_a_module_that_fails_is_told_with_its_error(run: Run, folder: Path, memory: str) -> None:
    module = written(folder, code="1 / 0")
    outcome = run("projections", "run", memory, f"{module}:ALL")
    said = f"error: importing {module} failed with ZeroDivisionError: division by zero; "
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(said)


@pytest.mark.parametrize("code", ["counts", ":counts", "counts:"])
def test_a_text_that_names_nothing_is_wrong_usage(run: Run, memory: str, code: str) -> None:
    outcome = run("projections", "run", memory, code)
    assert outcome.code == 2
    assert "write the module, a colon, and what is in it" in outcome.err
