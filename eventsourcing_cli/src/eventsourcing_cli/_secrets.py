"""Passwords in what the user typed: found there, so that nothing that is said shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHORTEST_PIECE = 2


def secrets_in(arguments: Iterable[str]) -> list[str]:
    """Give the passwords of all URLs among the arguments, in each form that a message may show.

    A password with a character that means something in URLs is taken apart by whoever reads the
    URL, so its pieces are secret, too.

    >>> {"p%40ss", "p@ss", "ss"} <= {*secrets_in(["show", "postgresql://me:p%40ss@db/bank"])}
    True
    """
    found: set[str] = set()
    for password in _passwords(arguments):
        for form in (password, unquote(password), quote(password, safe="")):
            found |= {form, repr(form)[1:-1]}
            found |= {p for p in re.split(r"[^\w]", form) if len(p) >= _SHORTEST_PIECE}
    return sorted(found - {""}, key=lambda secret: (-len(secret), secret))


def masked(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets in a text, where they are words of their own: a name may contain one.

    >>> masked("p@ss: no host 'ss', run postgres_ss", ["p@ss", "ss"])
    "…: no host '…', run postgres_ss"
    """
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", text)
    return text


def _passwords(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        _, is_url, rest = argument.partition("://")
        if not is_url:
            continue
        credentials, _, _ = rest.rpartition("@")
        yield credentials.partition(":")[2]
        query = rest.rpartition("?")[2]
        for name, value in parse_qsl(query):
            if "password" in name:
                yield value
