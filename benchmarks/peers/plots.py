"""Pictures of the results, for the documentation: ``uv sync --group plots`` brings matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers.sides import OURS
from benchmarks.peers.table import label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.peers.results import Results


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw those for which there are figures; give the files."""
    tasks = results.parameters("append", "tasks")
    loads = results.parameters("load", "events")
    stored = results.parameters("growth_append", "stored")
    drawn = [
        _lines(
            results,
            folder / "performance-append.svg",
            ("append", "events_per_second", "tasks", tasks),
            ("concurrent tasks, one event in an append", "events per second"),
            events=1,
        ),
        _lines(
            results,
            folder / "performance-load.svg",
            ("load", "ms", "events", loads),
            ("events of the aggregate", "milliseconds to load it"),
        ),
        _lines(
            results,
            folder / "performance-growth.svg",
            ("growth_append", "events_per_second", "stored", stored),
            ("events in the store, 64 tasks", "events per second"),
            tasks=64,
        ),
    ]
    return [path for path in drawn if path is not None]


def _lines(
    results: Results,
    path: Path,
    figure: tuple[str, str, str, Sequence[int]],
    axes_labels: tuple[str, str],
    **fixed: Any,
) -> Path | None:
    """Draw a line for each side, over a parameter, both axes in powers of ten."""
    import matplotlib as mpl  # noqa: PLC0415 - only the plots need it
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    measure, value, parameter, points = figure
    if not points:
        return None
    mpl.rcParams["svg.hashsalt"] = "the same file for the same figures"
    drawing = Figure(figsize=(8, 5), layout="constrained")
    axes: Axes = drawing.subplots()
    for side in results.sides(measure):
        found = {
            at: results.median(measure, side, value, **{parameter: at}, **fixed) for at in points
        }
        line = {at: median for at, median in found.items() if median is not None}
        axes.plot(
            list(line),
            list(line.values()),
            marker="o",
            label=label(side),
            linewidth=2.5 if side == OURS else 1.2,
            linestyle="-" if side == OURS else "--",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(list(points), [f"{point:,}" for point in points])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(axes_labels[0])
    axes.set_ylabel(axes_labels[1])
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, metadata={"Date": None})
    return path
