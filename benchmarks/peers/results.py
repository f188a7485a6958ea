"""All raw figures of one run, with what they were taken on; written as one JSON file."""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "asyncpg",
    "eventsource-py",
    "eventsourcing",
    "eventsourcing-core",
    "eventsourcing-postgres",
    "msgpack",
    "orjson",
    "psycopg",
    "pydantic",
    "SQLAlchemy",
    "umadb",
)
FORMAT = 1
"""Of the file; it changes when the names in it do."""


@dataclass
class Results:
    """What was measured.

    A figure has the name of its measure and of its side, parameters, and one dict of values per
    round.
    """

    plan: dict[str, Any]
    machine: dict[str, Any]
    figures: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def add(self, measure: str, side: str, values: dict[str, Any], **parameters: Any) -> None:
        """Add the values of one round."""
        figure = self.find(measure, side, **parameters)
        if figure is None:
            figure = dict[str, Any](measure=measure, side=side, parameters=parameters, rounds=[])
            self.figures.append(figure)
        figure["rounds"].append(values)

    def find(self, measure: str, side: str, **parameters: Any) -> dict[str, Any] | None:
        """Give a figure, if it is there."""
        for figure in self.figures:
            key = (figure["measure"], figure["side"], figure["parameters"])
            if key == (measure, side, parameters):
                return figure
        return None

    def values(self, measure: str, side: str, name: str, **parameters: Any) -> list[float]:
        """Give one value of each round; none where it was not measured."""
        figure = self.find(measure, side, **parameters)
        return [values[name] for values in figure["rounds"]] if figure else []

    def median(self, measure: str, side: str, name: str, **parameters: Any) -> float | None:
        """Give the median over the rounds."""
        values = self.values(measure, side, name, **parameters)
        return statistics.median(values) if values else None

    def parameters(self, measure: str, name: str) -> list[Any]:
        """Give the values that a parameter has in a measure, in the order of the run."""
        found = (f["parameters"][name] for f in self.figures if f["measure"] == measure)
        return list(dict.fromkeys(found))

    def sides(self, measure: str) -> list[str]:
        """Give the sides of a measure, in their order."""
        return list(dict.fromkeys(f["side"] for f in self.figures if f["measure"] == measure))

    def write(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tree = {
            "format": FORMAT,
            "plan": self.plan,
            "machine": self.machine,
            "figures": self.figures,
        }
        path.write_text(json.dumps(tree, indent=1) + "\n", "utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read such a file."""
        tree = json.loads(path.read_text("utf-8"))
        if tree.get("format") != FORMAT:
            message = f"{path} is of format {tree.get('format')}, this reads {FORMAT}"
            raise ValueError(message)
        return cls(tree["plan"], tree["machine"], tree["figures"])


def machine(settings: dict[str, str]) -> dict[str, Any]:
    """Describe what the figures are taken on, without names of hosts, users or folders."""
    return {
        "processor": _line("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(_line("/proc/meminfo", "MemTotal").split()[0]) / 1024**2),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "fdatasync_ms": _fdatasync(),
        "load_before": os.getloadavg()[0],
        "postgresql": settings,
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def _line(path: str, name: str) -> str:
    for line in Path(path).read_text("utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "0 unknown"


def _fdatasync(times: int = 200) -> float:
    """Give the median milliseconds to write a page to the disk, where the servers' files are."""
    seconds: list[float] = []
    with tempfile.TemporaryFile(dir="/tmp") as file:
        for _ in range(times):
            os.pwrite(file.fileno(), os.urandom(8192), 0)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)
