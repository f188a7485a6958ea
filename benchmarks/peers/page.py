"""``python -m benchmarks peers-page``: put the figures of a JSON file into the documentation.

The page holds no figure of its own: what stands between ``<!-- figures: NAME -->`` and
``<!-- end -->`` is made from the file, and the file is kept beside the page. A run with ``--large``
has a file and blocks of its own.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.plots import draw
from benchmarks.peers.results import Results
from benchmarks.peers.table import markdown
from benchmarks.peers.tables import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path("docs/explanation/performance.md")
FILE = PAGE.with_suffix(".json")
LARGE_FILE = FILE.with_stem("performance-large")
LARGE = "large-"
"""What the names of blocks begin with whose figures are of a run with ``--large``."""
IMAGES = Path("docs/images")
BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
PLOTS = (
    ("append", "Events per second by the number of tasks", "append"),
    ("load", "Milliseconds to load an aggregate by the number of its events", "load"),
    ("growth", "Events per second by the size of the store", "growth_append"),
)
NOT_YET = "Not measured yet.\n"


def main(arguments: Sequence[str]) -> None:
    """Fill the page, keep the file, and draw the plots."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks peers-page", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=FILE, help=f"{FILE} if not given")
    file = parser.parse_args(arguments).file
    results = Results.read(file)
    if results.plan["name"] == "quick":
        parser.error(f"{file} is of a quick run, which shows that it works and not how fast")
    blocks = [name for _, name, _, _ in BLOCK.findall(PAGE.read_text("utf-8"))]
    is_large = results.plan["name"] == "large"
    given = {f"{LARGE if is_large else ''}{name}" for name in blocks_of(results, file)}
    missing = [b for b in blocks if b not in given and b.startswith(LARGE) == is_large]
    if missing:
        parser.error(f"{file} is of a part of a run, without figures for: {', '.join(missing)}")
    if is_large:
        results.write(LARGE_FILE)
    else:
        results.write(FILE)
        for path in draw(results, IMAGES):
            print(f"wrote {path}")
    page = filled(PAGE.read_text("utf-8"), *kept(Path()))
    PAGE.write_text(page, "utf-8")
    print(f"wrote {PAGE}")


def kept(root: Path) -> list[Results | None]:
    """Give the results that are kept beside the page, and those of a large store."""
    files = (root / FILE, root / LARGE_FILE)
    return [Results.read(file) if file.exists() else None for file in files]


def filled(page: str, results: Results | None, large: Results | None = None) -> str:
    """Give the page with these figures in its blocks, or with none."""
    blocks = {} if results is None else blocks_of(results, FILE)
    if large is not None:
        blocks |= {LARGE + name: block for name, block in blocks_of(large, LARGE_FILE).items()}
    return BLOCK.sub(lambda found: found[1] + blocks.get(found[2], NOT_YET) + found[4], page)


def blocks_of(results: Results, file: Path) -> dict[str, str]:
    """Give what each block holds: a table with its title, a plot, or the machine."""
    blocks = {table.name: f"{table.title}:\n\n{markdown(table)}\n\n" for table in tables(results)}
    for name, title, measure in PLOTS:
        if results.sides(measure):
            blocks[f"plot-{name}"] = f"![{title}](../images/performance-{name}.svg)\n\n"
    return {**blocks, "machine": _machine(results, file)}


def _machine(results: Results, file: Path) -> str:
    machine = results.machine
    postgres = machine["postgresql"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    facts = {
        "machine": f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        "system": f"{machine['system']}, Python {machine['python']}",
        "disk": f"{machine['fdatasync_ms']:.2f} ms to write 8 kB and wait for the disk, median",
        "PostgreSQL": ", ".join(f"{name} {value}" for name, value in postgres.items()),
        "packages": packages,
        "load before": f"{machine['load_before']:.1f}, of the minute before the run",
        "rounds": f"{_rounds(results)}; of a second each where appends are counted",
    }
    rows = [f"| {name} | {fact} |" for name, fact in facts.items()]
    return "\n".join(["| | |", "|---|---|", *rows, "", f"[All figures]({file.name})", "", ""])


def _rounds(results: Results) -> str:
    """Give how often each measure was taken."""
    counts: dict[str, set[int]] = {}
    for figure in results.figures:
        counts.setdefault(figure["measure"], set()).add(len(figure["rounds"]))
    return ", ".join(
        f"{measure} {' or '.join(str(count) for count in sorted(found))}"
        for measure, found in counts.items()
    )
