"""How long imports take: of the core and each plugin, and of the peers."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.peers.run import Run

NOTHING = "python alone"
MODULES = {
    NOTHING: "pass",
    "asyncio alone": "import asyncio",
    "eventsourcing_core": "import eventsourcing_core",
    "eventsourcing_core.plugins": "import eventsourcing_core.plugins",
    "eventsourcing_inmemory": "import eventsourcing_inmemory",
    "eventsourcing_sqlite": "import eventsourcing_sqlite",
    "eventsourcing_msgpack": "import eventsourcing_msgpack",
    "eventsourcing_msgspec": "import eventsourcing_msgspec",
    "eventsourcing_pydantic": "import eventsourcing_pydantic",
    "eventsourcing_attrs": "import eventsourcing_attrs",
    "asyncpg alone": "import asyncpg",
    "eventsourcing_postgres": "import eventsourcing_postgres",
    "eventsourcing, PostgreSQL": "import eventsourcing.application, eventsourcing.postgres",
    "eventsource-py, PostgreSQL": "import eventsource.adapters.postgresql.store",
    "umadb": "import umadb",
}


def measure(run: Run) -> None:
    """Start Python for each, by turns, after one round that writes the bytecode."""
    run.step(f"imports: {len(MODULES)} modules, {run.plan.imports} times")
    for number in range(run.plan.imports + 1):
        for name, statement in MODULES.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)  # noqa: S603 - from above
            milliseconds = 1000 * (time.perf_counter() - begin)
            if number:
                run.results.add("import", name, {"ms": milliseconds})
