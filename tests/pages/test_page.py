"""The pages of the documentation are run as they are meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages._page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pages._page import Pages


PLAIN = " -pno:asyncio"  # without it pytest-asyncio asks for settings


def block(language: str, *lines: str, above: str = "") -> str:
    """Write a block, with a line above it."""
    return "\n".join([above, f"```{language}", *lines, "```", ""])


def no_database() -> str:
    message = "no database is named"
    raise AssertionError(message)


def failures(folder: Path, *blocks: str) -> list[str | None]:
    """Run a page of these blocks; say what is wrong with each."""
    page = Page("\n".join(blocks), folder, no_database)
    return [page.failure(number) for number in range(len(page.blocks))]


def failure(folder: Path, *blocks: str) -> str:
    """Run a page of which only the last block fails; say what is wrong with it."""
    *before, last = failures(folder, *blocks)
    assert not any(before)
    assert last is not None
    return last


# Files.


def test_a_block_that_names_a_file_is_written_to_any_depth(tmp_path: Path) -> None:
    assert failures(tmp_path, block("toml", "# a/b/c.toml", "x = 1")) == [None]
    assert (tmp_path / "a" / "b" / "c.toml").read_text("utf-8") == "# a/b/c.toml\nx = 1\n"


def test_a_program_in_a_file_runs_where_it_stands(tmp_path: Path) -> None:
    assert "ZeroDivisionError" in failure(tmp_path, block("python", "# a.py", "1 / 0"))


def test_a_file_can_import_those_above_it(tmp_path: Path) -> None:
    above = block("python", "# a.py", "x = 1")
    assert failures(tmp_path, above, block("python", "# b.py", "from a import x")) == [None, None]


def test_a_file_that_tests_is_run_by_pytest(tmp_path: Path) -> None:
    test = block("python", "# test_a.py", "async def test_a() -> None:", "    assert not 1")
    assert "1 failed" in failure(tmp_path, test)


def test_a_file_that_a_script_names_is_run_by_the_script_alone(tmp_path: Path) -> None:
    assert failures(
        tmp_path,
        block("python", "# a.py", "open('ran', 'x').close()"),
        block("sh", "python a.py"),
    ) == [None, None]


@pytest.mark.parametrize("command", ["python -m pytest -q{}", "pytest -q{} test_a.py"])
def test_a_file_of_tests_is_run_by_a_script_that_runs_it(tmp_path: Path, command: str) -> None:
    test = block("python", "# test_a.py", "def test_a():", "    open('ran', 'x').close()")
    assert failures(tmp_path, test, block("sh", command.format(PLAIN))) == [None, None]


def test_a_file_of_tests_is_not_run_by_a_script_that_runs_another(tmp_path: Path) -> None:
    failing = block("python", "# test_a.py", "def test_a():", "    assert not 1")
    other = block("python", "# test_b.py", "def test_b():", "    pass")
    script = block("sh", f"pytest -q{PLAIN} test_b.py")
    failure, *others = failures(tmp_path, failing, other, script)
    assert "1 failed" in (failure or "")
    assert others == [None, None]


def test_a_file_that_is_marked_as_not_run_is_written(tmp_path: Path) -> None:
    marked = block("python", "# a.py", "1 / 0", above="<!-- not run: it fails -->")
    assert failures(tmp_path, marked) == [None]
    assert (tmp_path / "a.py").exists()


def test_a_warning_is_an_error(tmp_path: Path) -> None:
    lines = ["import warnings", "warnings.warn('this')"]
    assert "UserWarning: this" in failure(tmp_path, block("python", "# a.py", *lines))
    assert "UserWarning: this" in failure(tmp_path, block("python", *lines))


# Programs.


def test_a_program_goes_on_from_those_above_it_in_an_empty_folder(tmp_path: Path) -> None:
    first = block("python", "x = 1", "open('made', 'x').close()")
    assert failures(tmp_path, first, block("python", "assert x == 1")) == [None, None]
    assert "NameError" in failure(tmp_path, block("python", "assert x == 1"))


# Scripts, and what they print.


def test_the_commands_of_a_script_run_in_the_folder_of_the_page(tmp_path: Path) -> None:
    written = block("text", "# note.txt", "hello")
    assert failures(
        tmp_path, written, block("console", "$ cat note.txt", "$ test -f note.txt")
    ) == [
        None,
        None,
    ]


def test_a_script_fails_with_the_first_of_its_commands_that_fails(tmp_path: Path) -> None:
    message = failure(tmp_path, block("sh", "echo before", "python -c '1 / 0'", "echo after"))
    assert message.startswith("before\n")
    assert "ZeroDivisionError" in message
    assert "after" not in message


def test_an_exit_status_is_expected_where_the_page_says_so(tmp_path: Path) -> None:
    marked = block("sh", "exit 3", above="<!-- exits with 3 -->")
    assert failures(tmp_path, marked) == [None]
    message = failure(tmp_path, block("sh", "true", above="<!-- exits with 3 -->"))
    assert message.endswith("The exit status is 0, not 3.")


def test_a_script_that_is_marked_as_not_run_is_not_run(tmp_path: Path) -> None:
    marked = block("sh", "false", above="<!-- not run: it\nfails -->")
    assert failures(tmp_path, marked) == [None]


@pytest.mark.parametrize("above", ["<!-- not run: -->", "<!-- not run -->", "<!-- -->"])
def test_without_a_reason_it_is_run(tmp_path: Path, above: str) -> None:
    assert "exit status" in failure(tmp_path, block("sh", "false", above=above))


def test_what_a_script_prints_is_compared(tmp_path: Path) -> None:
    script = block("sh", "echo one", "echo two >&2")
    assert failures(tmp_path, script, block("text", "one", "two")) == [None, None]
    message = failure(tmp_path, script, block("text", "one"))
    assert message == "The page says:\none\n\nPrinted was:\none\ntwo"


def test_what_is_printed_is_in_the_order_of_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    program = block("python", "# a.py", "import sys", "print(1)", "print(2, file=sys.stderr)")
    script = block("sh", "python a.py")
    assert failures(tmp_path, program, script, block("text", "1", "2")) == [None, None, None]


def test_a_script_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.pages._page.LONGEST", 0.1)
    assert failure(tmp_path, block("sh", "sleep 60 | cat")) == "It still runs after 0.1 seconds."


def test_an_ellipsis_stands_for_anything(tmp_path: Path) -> None:
    script = block("sh", "echo at 12:30", "echo [a]")
    assert failures(tmp_path, script, block("text", "at …", "[a]")) == [None, None]
    assert failures(tmp_path, script, block("text", "…", "[a]")) == [None, None]
    assert "Printed was" in failure(tmp_path, script, block("text", "in …", "[a]"))


# Blocks that are neither.


@pytest.mark.parametrize("language", ["", "json", "text", "{code-block} python"])
def test_a_block_that_is_neither_run_nor_compared_fails(tmp_path: Path, language: str) -> None:
    assert "neither run nor compared" in failure(tmp_path, block(language, "x"))


def test_output_must_come_right_after_a_script_that_runs(tmp_path: Path) -> None:
    marked = block("sh", "false", above="<!-- not run: it fails -->")
    assert "neither run nor compared" in failure(tmp_path, marked, block("text", "x"))


def test_a_directive_is_no_example(tmp_path: Path) -> None:
    assert failures(tmp_path, block("{toctree}", "x")) == [None]


# Pages together.


def test_a_page_begins_where_the_one_that_it_continues_ended(tmp_path: Path, pages: Pages) -> None:
    first, second = tmp_path / "1.md", tmp_path / "2.md"
    first.write_text(block("sh", "echo x >> made"), "utf-8")
    second.write_text("<!-- continues: 1.md -->\n" + block("sh", "test $(cat made) = x"), "utf-8")
    assert pages.page(second).failure(0) is None
    assert pages.page(first).failure(0) is None


def test_a_page_does_not_begin_where_the_one_before_it_failed(tmp_path: Path, pages: Pages) -> None:
    first, second = tmp_path / "1.md", tmp_path / "2.md"
    first.write_text(block("sh", "echo oh no; false"), "utf-8")
    second.write_text("<!-- continues: 1.md -->\n", "utf-8")
    with pytest.raises(AssertionError, match="oh no"):
        pages.page(second)


def test_a_database_is_there_where_a_page_names_one(tmp_path: Path, pages: Pages) -> None:
    path = tmp_path / "page.md"
    url = "postgresql://localhost/concerts"
    path.write_text(
        block("python", "# url.py", f"print('{url}')")
        + block("sh", "python url.py")
        + block("text", url)
        + block("sh", f"python -m eventsourcing_postgres migrate {url}")
        + block("sh", f"python -m eventsourcing_postgres status {url}"),
        "utf-8",
    )
    page = pages.page(path)
    assert [page.failure(number) for number in range(5)] == [None] * 5
