"""Tables of rates, and targets beside what was measured. Nothing is asserted."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.projections.apart import Figures

Runs = dict[str, list["Figures"]]


def rates(title: str, runs: Mapping[str, Sequence[Figures]]) -> dict[str, float]:
    """Print a table of events for each second, and what each costs to compute; give the medians.

    The last column is steady on a busy machine, where the others are not.
    """
    print(f"\n{title}")
    print(f"  {'':<44}{'events':>10}{'median/s':>11}{'min/s':>11}{'max/s':>11}{'cpu each':>11}")
    medians: dict[str, float] = {}
    for name, figures in runs.items():
        found = sorted(one.rate for one in figures)
        medians[name] = statistics.median(found)
        numbers = "".join(f"{value:>11,.0f}" for value in (medians[name], found[0], found[-1]))
        cpu = statistics.median(1e6 * one.cpu_seconds / one.events for one in figures)
        computing = f"{cpu:>8.1f} µs" if cpu else ""
        print(f"  {name:<44}{figures[0].events:>10,}{numbers}{computing}", flush=True)
    return medians


def ratio(name: str, value: float, other: float, at_least: float) -> None:
    """Print a ratio of two rates, and what it should be."""
    print(f"  {name}: {value / other:.2f} (target: at least {at_least})", flush=True)


def below(name: str, value: float, limit: float, unit: str) -> None:
    """Print a figure, and below what it should be."""
    print(f"  {name}: {value:.1f} {unit} (target: below {limit:g} {unit})", flush=True)


def percentile(values: Sequence[float], percent: int) -> float:
    """Give the value below which so many percent are."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
