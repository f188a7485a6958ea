"""What every measure works with: the servers, the plan, the results, and a word on the progress."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.peers.sides import able

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peers.plan import Plan
    from benchmarks.peers.results import Results
    from benchmarks.peers.servers import Servers
    from benchmarks.peers.sides import Ability, Listed


@dataclass
class Run:
    """One run."""

    servers: Servers
    plan: Plan
    results: Results
    sides: Sequence[Listed]
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    def able(self, *abilities: Ability) -> list[Listed]:
        """Give the sides that can do all of these, in their order."""
        return able(self.sides, *abilities)

    def step(self, what: str) -> None:
        """Say what comes now, where errors go: the tables go to the output."""
        print(f"[{self.seconds:6.0f} s] {what}", file=sys.stderr, flush=True)
