"""Typed events with a plugin, without one, and by another build: a checkout with an environment.

All run the same acts in processes of their own, in turns::

    git worktree add ../before COMMIT && (cd ../before && python -m uv sync)
    python -m benchmarks typed ../before/.venv/bin/python

What is measured is the processor time of the process, and what 10,000 events hold in memory. The
ratio is this build's figure divided by the other one's: less is better.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.builds import Build

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKER = Path(__file__).with_name("_typed_worker.py")
ACTS = {
    "decode": "decode 10,000 events, s",
    "encode": "encode 500 appends of 10 events, s",
    "hold": "10,000 decoded events held, bytes",
}
NAMES = ("json", "json, no plugin", "msgpack", "msgpack, no plugin")


def main(arguments: Sequence[str]) -> None:
    """Read the command line, measure, and print a table for each act."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks typed", description=__doc__)
    parser.add_argument("python", help="the Python of the other build's environment")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        ours = {name: stack.enter_context(Build(sys.executable, name, WORKER)) for name in NAMES}
        others = {
            name: stack.enter_context(Build(given.python, name, WORKER))
            for name in ("json", "msgpack")
        }
        for act, title in ACTS.items():
            sides = {name: (build, act) for name, build in ours.items()}
            sides |= {f"{name}, the other build": (b, act) for name, b in others.items()}
            if act == "decode":
                sides["unpackb and the dataclass"] = (ours["msgpack"], "bare")
            print(f"\n{title}, and the ratio to the other build's json and msgpack")
            report(measured(sides, 1 if act == "hold" else given.rounds))


def measured(sides: dict[str, tuple[Build, str]], rounds: int) -> dict[str, float]:
    """Let all take turns, after a round that does not count; give the medians."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, (build, act) in sides.items():
            figure = build.seconds(act)
            if number:
                found[name].append(figure)
    return {name: statistics.median(figures) for name, figures in found.items()}


def report(figures: dict[str, float]) -> None:
    """Print a line for each side."""
    json, msgpack = (figures[f"{name}, the other build"] for name in ("json", "msgpack"))
    for name, figure in figures.items():
        shown = f"{figure:>14,.4f}" if figure < 1000 else f"{figure:>14,.0f}"  # noqa: PLR2004 - seconds, or bytes
        print(f"  {name:<32}{shown}{figure / json:>8.2f}{figure / msgpack:>8.2f}", flush=True)
