"""Run the benchmarks: all of them, or those that are named.

Each figure is the median of several rounds. The two sides of a comparison take turns in the same
run, since machines are shared and their speed drifts: quote the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys

from benchmarks import (
    builds,
    codec,
    memory,
    postgres,
    repetitions,
    snapshots,
    sqlite,
    transfer,
    typed,
    upcasters,
)
from benchmarks.boundaries import command as boundaries
from benchmarks.peers import command as peers
from benchmarks.peers import page
from benchmarks.projections import command as projections

BENCHMARKS = {
    "codec": codec.main,
    "memory": memory.main,
    "sqlite": sqlite.main,
    "postgres": postgres.main,
    "repetitions": repetitions.main,
    "snapshots": snapshots.main,
    "upcasters": upcasters.main,
}

PLOTS = {"snapshot-plot": snapshots.plot}
"""Those that draw a picture of the documentation; only run when they are named."""


APART = {
    "boundaries": boundaries.main,
    "builds": builds.main,
    "peers": peers.main,
    "peers-page": page.main,
    "projections": projections.main,
    "transfer": transfer.main,
    "typed": typed.main,
}
"""Those with options of their own; only run when they are named first, alone."""


def main() -> None:
    """Read the command line and run."""
    if sys.argv[1:2] and sys.argv[1] in APART:
        APART[sys.argv[1]](sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join([*BENCHMARKS, *PLOTS, *APART])
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    known = BENCHMARKS | PLOTS
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r} here; there are: {', '.join([*known, *APART])}")
    print(f"Python {platform.python_version()}, {platform.system()}, {sys.platform}")
    for name in names:
        asyncio.run(known[name]())


if __name__ == "__main__":
    main()
