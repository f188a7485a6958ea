"""Chapters that are skipped: for want of what, and said aloud."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import pytest

from eventsourcing_core.stores._storage import Guarantee, Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

Setting = Literal["is_durable", "is_shared"]
Need = Guarantee | Setting | Literal["holding", "inspection", "transactions"]
"""What a chapter is about that not every backend has.

It is a guarantee, a setting of the author's test class, or one of the ``Parts``.
"""

_UNSET: dict[object, str] = {
    "is_durable": "the store cannot be opened again (is_durable = False)",
    "is_shared": "the store is not opened twice at once (is_shared = False)",
}

_ANNOUNCED = pytest.StashKey[set[str]]()


def skip_unless_met(
    request: pytest.FixtureRequest,
    parts: Parts | None = None,
    *,
    needs: tuple[Need, ...] | None = None,
) -> None:
    """Skip the test that is running if the backend lacks what it needs.

    Args:
        request: That of the test.
        parts: What the backend has; without them, only the settings of the test's class count.
        needs: What the test needs; unless given, what its chapter does.
    """
    wanted = _needs_of(request) if needs is None else needs
    reasons = [reason for need in wanted if (reason := _lack_of(request.instance, parts, need))]
    if reasons:
        skip_aloud(request, reasons)


def skip_aloud(request: pytest.FixtureRequest, reasons: Sequence[str]) -> NoReturn:
    """Skip the test that is running, for want of something.

    The first skip for want of something is printed, whatever the options of pytest, so that
    nobody takes a chapter that was skipped for one that was passed.
    """
    for reason in reasons:
        name = type(request.instance).__name__
        _announce(request, f"{name}: a chapter is skipped, since {reason}")
    pytest.skip(", and ".join(reasons))


def _needs_of(request: pytest.FixtureRequest) -> tuple[Need, ...]:
    """Give what the chapter needs that a test was written in, whoever inherits or overrides it."""
    name = request.function.__name__
    test: object = request.instance
    written_in = [base for base in type(test).__mro__ if name in vars(base)][-1]
    needs: tuple[Need, ...] = getattr(written_in, "needs", ())
    return needs


def _lack_of(test: object, parts: Parts | None, need: Need) -> str | None:
    if need in _UNSET:
        # What ends with its only handle cannot have two of them.
        unset = [name for name in ("is_durable", str(need)) if not getattr(test, name)]
        return _UNSET[unset[0]] if unset else None
    if parts is None:
        return None
    if isinstance(need, Guarantee):
        is_met = need in parts.guarantees
        return None if is_met else f"the store does not promise that {need.value}"
    is_met = getattr(parts, need) is not None
    return None if is_met else f"the backend has no {need}"


def _announce(request: pytest.FixtureRequest, line: str) -> None:
    announced = request.config.stash.setdefault(_ANNOUNCED, set())
    if line in announced:
        return
    announced.add(line)
    with _uncaptured(request.config):
        # Standard error: a worker of pytest-xdist shares it with the terminal, and no other.
        sys.stderr.write(f"\n{line}\n")
        sys.stderr.flush()


def _uncaptured(config: pytest.Config) -> AbstractContextManager[None]:
    manager: Any = config.pluginmanager.getplugin("capturemanager")
    return nullcontext() if manager is None else manager.global_and_fixture_disabled()
