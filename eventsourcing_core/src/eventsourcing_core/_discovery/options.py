"""The options of a backend: from the URL and from keyword arguments, each of its type."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from eventsourcing_core._errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping


class Option(NamedTuple):
    """The type that a factory annotates an option with."""

    kind: str
    """``str``, ``int``, ``float`` or ``bool``; anything else is not checked."""
    may_be_none: bool
    """Whether ``None`` is annotated, too."""

    @classmethod
    def of(cls, parameter: inspect.Parameter) -> Option:
        """Read an annotation as text: evaluating it would need names that plugins may not have."""
        text = inspect.formatannotation(parameter.annotation).strip("'")
        kinds = [kind.strip() for kind in text.split("|")]
        return cls(kinds[0], "None" in kinds)

    def from_text(self, name: str, text: str) -> object:
        """Turn a query parameter's text into the type of the option.

        Raises:
            ValueError: It is none of that type.
        """
        try:
            return _FROM_TEXT[self.kind](text)
        except (ValueError, KeyError):
            words = " (true or false)" if self.kind == "bool" else ""
            message = f"the option {name!r} takes {self.kind}{words}, got {shown(text)}"
            raise ValueError(message) from None

    def takes(self, value: object) -> bool:
        """Tell whether a keyword argument's value is of the type."""
        kinds = _KINDS.get(self.kind)
        return kinds is None or type(value) in kinds or (value is None and self.may_be_none)

    def checked(self, name: str, value: object) -> object:
        """Give a keyword argument's value.

        Raises:
            TypeError: It is of another type.
        """
        if self.takes(value):
            return value
        expected = f"{self.kind} or None" if self.may_be_none else self.kind
        given = type(value).__name__ if "password" in name else shown(value)
        message = f"the option {name!r} takes {expected}, got {given}"
        raise TypeError(message)


def gathered_options(
    factory: Callable[..., object],
    url: str,
    options: Mapping[str, object],
    *,
    beside: Callable[..., object] | None = None,
    arguments: Collection[str] = (),
) -> dict[str, object]:
    """Gather the options of a URL and those beside it, which win, as a factory takes them.

    These are the factory's keyword-only parameters. If it also takes ``**others``, it gets what it
    does not know by name, and refuses what it does not know at all.

    Args:
        factory: What they are for.
        url: The URL, with its query.
        options: Those beside the URL.
        beside: Another factory, for which the same URL was written: what only this one takes is
            checked, and passed over.
        arguments: What ``open_backend`` itself takes: who writes nearly that means it, and no
            option, whatever others the factory takes.

    Raises:
        ValueError: An option does not exist, or a text is no value of it.
        TypeError: A value is of another type than the option.
    """
    own, others = _declared(factory)
    named = dict(own)
    passed_over, more = _declared(beside) if beside is not None else ({}, None)
    known = passed_over | own
    query = url.partition("?")[2].partition("#")[0]
    texts = dict(parse_qsl(query, keep_blank_values=True))
    if any("@" in name for name in texts):  # it may be the end of a password
        message = "there is an @ among the options of the URL: write a ? in a password as %3F"
        raise ValueError(message)
    for name in (*texts, *options):
        if name in known:
            continue
        any_other = others or more
        is_argument = not {*_nearest(name, {*known, *arguments}, cutoff=0.8)}.isdisjoint(arguments)
        if any_other is None or is_argument:
            raise _unknown(name, url, known, arguments)
        known[name] = any_other
        if others is not None:
            own[name] = others
    for name, value in options.items():
        # Any name may be one of the others, but not with any value: which name was meant?
        is_other = name not in named and others is not None and not others.takes(value)
        if is_other and _nearest(name, named, cutoff=0.8):
            raise _unknown(name, url, named)
    read = {name: known[name].from_text(name, text) for name, text in texts.items()}
    read |= {name: known[name].checked(name, value) for name, value in options.items()}
    return {name: value for name, value in read.items() if name in own}


def _declared(factory: Callable[..., object]) -> tuple[dict[str, Option], Option | None]:
    """Give the options that a factory names, and the one for any other name, if it takes others."""
    parameters = inspect.signature(factory).parameters.values()
    named = {each.name: Option.of(each) for each in parameters if each.kind is each.KEYWORD_ONLY}
    others = [Option.of(each) for each in parameters if each.kind is each.VAR_KEYWORD]
    return named, others[0] if others else None


def _nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Give the name that another one is nearest to, if any is near."""
    return get_close_matches(name, sorted(known), n=1, cutoff=cutoff)


def _unknown(
    name: str, url: str, known: Mapping[str, Option], arguments: Collection[str] = ()
) -> ValueError:
    scheme = url.partition(":")[0].lower()
    listed = ", ".join(sorted(known)) or "none"
    asked = ""
    for nearest in _nearest(name, {*known, *arguments}):
        is_option = nearest in known
        meant = f"{nearest!r}" if is_option else f"the argument {nearest!r} of open_backend"
        asked = f" (did you mean {meant}?)"
    message = f"the backend {scheme!r} has no option {name!r}{asked}; its options are: {listed}"
    return ValueError(message)


def _bool(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _bool,
}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
}
