"""Chains of upcasters: what is made of a stored tree before a class sees it.

A chain goes by stored names, from one upcaster to the next, until it comes to a name that none
leads on from. What it goes through is found once. An event whose type has no upcaster never comes
here.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import SerializationError, said_of, shortened, shown

if TYPE_CHECKING:
    from eventsourcing_core._payloads.hints import Conversion

Made = list[tuple[str, object]]
"""The types and payloads that were made of one stored event, in their order."""

_PAIR = 2


class Upcaster(NamedTuple):
    """One step of a chain: what ``@upcaster`` has registered."""

    source: str
    """The stored name of the events that it takes."""
    to: tuple[str, ...]
    """The names of those that it makes; empty: it makes none."""
    function: Callable[[dict[str, Any]], Any]
    """Makes them of a tree."""
    is_renaming: bool
    """Whether it makes one event of each, and gives only its tree."""

    @property
    def name(self) -> str:
        """Where the function is defined."""
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return f"{getattr(self.function, '__module__', '?')}.{name}"

    @property
    def described(self) -> str:
        """What messages call it: the function, and from where to where it leads."""
        ends = " or ".join(map(repr, self.to)) or "nothing"
        return f"the upcaster {shortened(self.name)} from {self.source!r} to {shortened(ends, 200)}"


class Chain:
    """What upcasters make of the trees that are stored under one name.

    Args:
        source: The name.
        upcasters: All of them, by the names that they take: a live view.
        conversions: Those of the classes, by name: a live view.
    """

    def __init__(
        self, source: str, upcasters: Mapping[str, Upcaster], conversions: Mapping[str, Conversion]
    ) -> None:
        self._source = source
        self._upcasters = upcasters
        self._conversions = conversions
        self._steps: tuple[tuple[Upcaster, Callable[[dict[str, Any]], Any]], ...] | None = None
        self._end = ""
        self._split: Upcaster | None = None
        self._branches: dict[str, Chain | None] = {}

    def __call__(self, tree: Any) -> Made:
        """Give what a tree is today.

        Raises:
            SerializationError: An upcaster failed, or what it gave cannot be read; names it.
        """
        if self._steps is None:
            self._steps = self._resolved()
        if type(tree) is not dict:
            message = f"expected a dict, found {type(tree).__name__}"
            raise SerializationError(message)
        for step, function in self._steps:
            try:
                tree = function(tree)
            except Exception as error:
                raise _failed(step, error) from error
            if type(tree) is not dict:
                raise _wrong(step, "a dict", tree)

        if self._split is None:
            return [(self._end, self._payload(self._end, tree))]
        made: Made = []
        for name, each in _pairs(self._split, tree):
            branch = self._branches[name]
            made += [(name, self._payload(name, each))] if branch is None else branch(each)
        return made

    def _payload(self, name: str, tree: Any) -> object:
        conversion = self._conversions.get(name)
        if conversion is None:
            raise _no_class(self._source, name)
        try:
            return conversion.decode(tree)
        except (ValueError, TypeError, LookupError) as error:
            said = (
                f"the field {error} is missing" if isinstance(error, KeyError) else said_of(error)
            )
            message = f"what its upcasters made of it is no {name!r}: {said}"
            raise SerializationError(message) from error

    def _resolved(self) -> tuple[tuple[Upcaster, Callable[[dict[str, Any]], Any]], ...]:
        ends_of(self._source, self._upcasters)  # sees that there is an end
        steps: list[Upcaster] = []
        name = self._source
        while (step := self._upcasters.get(name)) is not None and step.is_renaming:
            steps.append(step)
            name = step.to[0]
        self._end, self._split = name, step
        for target in () if step is None else step.to:
            leads_on = target in self._upcasters
            self._branches[target] = (
                Chain(target, self._upcasters, self._conversions) if leads_on else None
            )
        return tuple([(each, each.function) for each in steps])


def ends_of(source: str, upcasters: Mapping[str, Upcaster]) -> frozenset[str]:
    """Give the names that a chain can end with; none if all is dropped.

    Raises:
        ValueError: It comes back to where it was.
    """
    return frozenset(_ends(source, upcasters, ()))


def check_chains(upcasters: Mapping[str, Upcaster], classes: Mapping[str, type]) -> None:
    """Refuse chains without an end, or with one that nobody could read.

    Raises:
        ValueError: It names the chain.
    """
    for source in upcasters:
        for end in sorted(ends_of(source, upcasters)):
            if end not in classes:
                raise ValueError(str(_no_class(source, end)))


def names_leading_to(names: Iterable[str], upcasters: Mapping[str, Upcaster]) -> frozenset[str]:
    """Give the stored names of which events of some types can be made, theirs included."""
    wanted = frozenset(names) - upcasters.keys()
    return wanted | {source for source in upcasters if ends_of(source, upcasters) & wanted}


def described_chain(source: str, upcasters: Mapping[str, Upcaster]) -> str:
    """Give the names that a chain goes through, as ``'a' → 'b' → ('c' + 'd')``."""
    if source not in upcasters:
        return repr(source)
    ends = [described_chain(each, upcasters) for each in upcasters[source].to]
    several = f"({' + '.join(ends)})" if ends else "nothing"
    return f"{source!r} → {ends[0] if len(ends) == 1 else several}"


def _ends(source: str, upcasters: Mapping[str, Upcaster], before: tuple[str, ...]) -> Iterator[str]:
    path = (*before, source)
    if source in before:
        message = (
            f"the upcasters go in a circle, {' → '.join(map(repr, path))}: give the newest form a "
            "name that no upcaster takes"
        )
        raise ValueError(message)
    if source not in upcasters:
        yield source
        return
    for target in upcasters[source].to:
        yield from _ends(target, upcasters, path)


def _pairs(step: Upcaster, tree: dict[str, Any]) -> list[tuple[str, Any]]:
    """Let an upcaster make any number of events, and see that they are such."""
    wanted = f"pairs of a name ({' or '.join(map(repr, step.to)) or 'none'}) and a dict"
    try:
        found: Any = step.function(tree)
        pairs: list[Any] = [] if _is_no_list(found) else [*found]
    except Exception as error:
        raise _failed(step, error) from error
    if _is_no_list(found):
        raise _wrong(step, wanted, found)
    trees: set[int] = set()
    for pair in pairs:
        if type(pair) not in {tuple, list} or len(pair) != _PAIR or type(pair[1]) is not dict:
            raise _wrong(step, wanted, pair)
        if pair[0] not in step.to:
            raise _wrong(step, wanted, pair[0])
        if id(pair[1]) in trees:  # an upcaster after it may change the one, and so the other
            message = f"{step.described} gave one dict twice: give each event a dict of its own"
            raise SerializationError(message)
        trees.add(id(pair[1]))
    return pairs


def _is_no_list(found: object) -> bool:
    return not isinstance(found, Iterable) or isinstance(found, str | bytes | dict)


def _failed(step: Upcaster, error: Exception) -> SerializationError:
    said = f"the key {error} is missing" if isinstance(error, KeyError) else said_of(error)
    return SerializationError(f"{step.described} failed: {said}")


def _wrong(step: Upcaster, wanted: str, found: object) -> SerializationError:
    given = f"{type(found).__name__} {shown(found)}"
    if inspect.isawaitable(found):
        given = "something to await: an upcaster is a plain function, and does no I/O"
        if inspect.iscoroutine(found):
            found.close()
    return SerializationError(f"{step.described} must give {wanted}, got {given}")


def _no_class(source: str, name: str) -> SerializationError:
    return SerializationError(
        f"the upcasters of {source!r} end with {name!r}, which has no class: register it with "
        f"@event({name!r}), or lead on from it with another upcaster"
    )
