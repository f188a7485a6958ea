"""Chapters that are skipped: for want of what, and said aloud."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import pytest

from eventsourcing_core.stores._storage import Guarantee, Parts

Need = Guarantee | Literal["inspection", "transactions"]
"""What a chapter is about that not every backend has: a guarantee, or one of its ``Parts``."""

_ANNOUNCED = pytest.StashKey[set[str]]()


def skip_unless_met(request: pytest.FixtureRequest, parts: Parts) -> None:
    """Skip the test that is running if the backend lacks what its chapter needs.

    The first skip for want of something is printed, whatever the options of pytest, so that
    nobody takes a chapter that was skipped for one that was passed.
    """
    reasons = [reason for need in _needs_of(request) if (reason := _lack_of(parts, need))]
    name = type(request.instance).__name__
    for reason in reasons:
        _announce(request, f"{name}: a chapter is skipped, since {reason}")
    if reasons:
        pytest.skip(", and ".join(reasons))


def _needs_of(request: pytest.FixtureRequest) -> tuple[Need, ...]:
    """Give what the chapter needs that a test was written in, whoever inherits or overrides it."""
    name = request.function.__name__
    test: object = request.instance
    written_in = [base for base in type(test).__mro__ if name in vars(base)][-1]
    needs: tuple[Need, ...] = getattr(written_in, "needs", ())
    return needs


def _lack_of(parts: Parts, need: Need) -> str | None:
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
