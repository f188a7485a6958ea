"""The fenced blocks of a Markdown page, and what each of them is.

Every block is one of these, or the tests of its page fail:

- A block whose first line is `# folder/name.ext` is that file.
- Another `python` block is a program, which goes on from those above it.
- A `sh` or `console` block is a script of commands.
- A `text` block after such a script is what the script prints; `…` stands for anything.
- A directive of Sphinx, whose language is in braces, is no example.

A comment directly above a block says what cannot be seen in it:

- `<!-- not run: REASON -->`: it is not run; a file is written all the same.
- `<!-- exits with 1 -->`: the exit status of a script, which is 0 unless said.

`<!-- continues: 1-aggregate.md -->`, anywhere in a page, says that its reader goes on in the folder
in which that other page ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Document

Role = Literal["commands", "directive", "file", "not run", "output", "program", "unknown"]

FENCE = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))
COMMENTS = re.compile(r"(?:<!--(?:(?!-->).)*-->\s*)+\Z", re.DOTALL)
NOT_RUN = re.compile(r"<!--\s*not run:\s*(\w(?:(?!-->).)*?)\s*-->", re.DOTALL)
EXITS_WITH = re.compile(r"<!--\s*exits with (\d+)\s*-->")
CONTINUES = re.compile(r"^<!--\s*continues:\s*(\S+)\s*-->", re.MULTILINE)
FILE_NAME = re.compile(r"# ((?:[\w.-]+/)*[\w.-]+\.\w+)\n")
CODE_DIRECTIVE = re.compile(r"\{(?:code|code-block|code-cell|sourcecode)\}")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        role: What it is.
        text: What is between its fences.
        path: The name of the file that it is, if it is one.
        reason: Why it is not run, if it is not.
        exit_status: What its commands end with.
        start: Where it begins in the page, in characters.
        end: Where it ends.
    """

    role: Role
    text: str
    path: str | None
    reason: str | None
    exit_status: int
    start: int
    end: int


def find_blocks(document: Document) -> Iterator[Block]:
    """Give the blocks of a page, in their order."""
    before: Role | None = None
    for region in sorted(FENCE(document), key=lambda region: region.start):
        above = COMMENTS.search(document.text[: region.start])
        comments = above[0] if above else ""
        language, text = region.lexemes["language"].strip(), str(region.lexemes["source"])
        reason, status = NOT_RUN.search(comments), EXITS_WITH.search(comments)
        name = None if is_script(language) else FILE_NAME.match(text)
        before = role_of(language, before, is_file=bool(name), is_run=not reason)
        yield Block(
            before,
            text,
            path=name and name[1],
            reason=reason and reason[1],
            exit_status=int(status[1]) if status else 0,
            start=region.start,
            end=region.end,
        )


def role_of(language: str, before: Role | None, *, is_file: bool, is_run: bool) -> Role:
    """Say what a block is, which comes after another one."""
    if language.startswith("{") and not CODE_DIRECTIVE.match(language):
        return "directive"
    if is_file:
        return "file"
    if not is_run:
        return "not run"
    if is_script(language):
        return "commands"
    if language == "text" and before == "commands":
        return "output"
    return "program" if language == "python" else "unknown"


def is_script(language: str) -> bool:
    """Tell whether a block of this language holds commands."""
    return language in {"bash", "console", "sh", "shell"}


def continued_page(text: str) -> str | None:
    """Give the name of the page that a page goes on from, if it does."""
    found = CONTINUES.search(text)
    return found and found[1]
