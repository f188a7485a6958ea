"""Two versions of a program side by side, each from a wheel of its own, in processes of their own.

The example is a stockroom. Its first version knows what was received. Newer ones know of losses,
too, and read what was received in an older form.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)

HEAD = """
import asyncio, json, sys
from typing import Any
from eventsourcing_core import Aggregate, Event, event, open_backend, upcaster
"""

OLD = """
@event("stock.received")
class Received:
    dozens: int

class Stock(Aggregate):
    category = "stock"
    count: int = 0

    def receive(self, dozens):
        self._record(Received(dozens))

    def apply(self, event: Event[Received]) -> None:
        match event.data:
            case Received(dozens):
                self.count += 12 * dozens
"""

KNOWS = (
    OLD.replace(
        "class Stock(",
        """@event("stock.lost")
class Lost:
    count: int

class Stock(""",
    ).replace("Event[Received]", "Event[Received | Lost]")
    + """
            case Lost(count):
                self.count -= count
"""
)

WRITES = (
    KNOWS
    + """
    def lose(self, count):
        self._record(Lost(count))
"""
)

RESHAPES = (
    WRITES.replace('"stock.received"', '"stock.received.v2"')
    .replace("dozens: int", "pieces: int")
    .replace("case Received(dozens)", "case Received(pieces)")
    .replace("12 * dozens", "pieces")
    .replace("Received(dozens))", "Received(12 * dozens))")
    + """

@upcaster("stock.received", to="stock.received.v2")
def pieces(data: dict[str, Any]) -> dict[str, Any]:
    return {"pieces": 12 * data["dozens"]}
"""
)

TAIL = """
async def main(url):
    async with open_backend(url) as backend:
        stocks = backend.repository(Stock, snapshot_frequency=3, keep_snapshots=9)
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            try:
                if name == "load":
                    found = await stocks.load("1")
                elif name == "verify":
                    report = await stocks.verify("1")
                    print(json.dumps([report.is_right, report.version]), flush=True)
                    continue
                else:
                    found = await stocks.update("1", lambda stock: getattr(stock, name)(*arguments))
                print(json.dumps([found.version, found.count]), flush=True)
            except Exception as error:
                print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
"""


def wheel_of(folder: Path, version: str, source: str) -> Path:
    """Build a wheel of the program."""
    info = f"stockroom-{version}.dist-info"
    path = folder / f"stockroom-{version}-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        wheel.writestr("stockroom/__init__.py", "")
        wheel.writestr("stockroom/__main__.py", HEAD + source + TAIL)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: stockroom\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


class Program:
    """One version of the program, running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *command: object) -> Any:
        """Let it do something; give what it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@contextmanager
def running(wheel: Path, url: str) -> Iterator[Program]:
    """Run a version of the program, until the block is left."""
    with subprocess.Popen(  # noqa: S603 - the program is the one above
        [sys.executable, "-m", "stockroom", url],
        env={**os.environ, "PYTHONPATH": str(wheel)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Program(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def side_by_side(stack: ExitStack, folder: Path, url: str, *sources: str) -> list[Program]:
    if url.startswith("postgresql"):
        url += "?migrate=true"
    return [
        stack.enter_context(running(wheel_of(folder, str(number), source), url))
        for number, source in enumerate(sources, 1)
    ]


def test_a_program_that_does_not_know_a_type_writes_nothing_wrong(
    store_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        old, new = side_by_side(stack, tmp_path, store_url, OLD, WRITES)
        assert old("receive", 1) == [1, 12]
        assert new("lose", 5) == [2, 7]
        for _ in range(2):
            said = old("receive", 1)  # would be the third event, and so a snapshot
            assert said.startswith("UnknownEventTypeError: 'stock-1' is not saved: version 2 is of")
            assert "ignores = ('stock.lost',)" in said
        assert new("load") == [2, 7]
        assert new("receive", 1) == [3, 19]
        assert new("verify") == [True, 3]
        # The snapshot of the newer program hides the event, so the older one does not use it.
        assert old("receive", 1).startswith("UnknownEventTypeError")
        assert new("lose", 1) == [4, 18]
        assert new("load") == [4, 18]
        assert new("verify") == [True, 3]


def test_a_type_that_is_known_before_it_is_written_stops_nobody(
    store_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        old, knows, writes = side_by_side(stack, tmp_path, store_url, OLD, KNOWS, WRITES)
        assert old("receive", 1) == [1, 12]
        assert knows("receive", 1) == [2, 24]  # the first step: all know it, nobody writes it
        assert old("receive", 1) == [3, 36]
        assert writes("lose", 6) == [4, 30]  # the second one, once the first is everywhere
        assert knows("receive", 1) == [5, 42]
        assert writes("receive", 1) == [6, 54]
        assert knows("verify") == [True, 6]
        assert knows("load") == writes("load") == [6, 54]


def test_an_event_in_a_new_form_is_read_from_both(store_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        before, after = side_by_side(stack, tmp_path, store_url, WRITES, RESHAPES)
        assert [before("receive", 1) for _ in range(3)][-1] == [3, 36]
        assert before("verify") == [True, 3]
        assert after("verify")[1] is None  # of a program without the upcaster: not used
        assert after("load") == [3, 36]
        assert after("receive", 1) == [4, 48]
        assert before("receive", 1).startswith("UnknownEventTypeError")
        assert [after("lose", 1) for _ in range(2)][-1] == [6, 46]
        assert after("verify") == [True, 6]
        assert after("load") == [6, 46]
