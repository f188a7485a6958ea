"""Text that a terminal cannot misread: nobody's event may send it an escape code."""

from __future__ import annotations

import re

# What moves the cursor, ends a line, turns the direction of what follows, or is half a character.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def escaped(text: str) -> str:
    r"""Write control characters, and what changes the direction of text, as ``\u001b``.

    JSON stays the same JSON: there they can only stand in strings, which know this form.

    >>> escaped("\x1b[2J")
    '\\u001b[2J'
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def on_one_line(text: str) -> str:
    r"""Put a text that may have several lines on one, and escape it.

    >>> on_one_line("no table\n  HINT: migrate")
    'no table HINT: migrate'
    """
    return escaped(" ".join(line.strip() for line in text.splitlines() if line.strip()))
