"""A store is transformed while four processes write, and who transforms it is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_backend
from tests.every_store._accounts import store_old
from tests.every_store.transforming._moved import faults_of, history
from tests.every_store.transforming.writer import STREAMS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).parents[3]
DEADLINE = 100.0  # seconds after which whatever hangs is ended
EVENTS = 10_704
APPEND = 223  # events; 48 of these are all
WRITERS = 4
KILLED_AFTER = (1, 4_000)
"""At which positions of the target the process is killed."""


@pytest.fixture
def urls(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Give the URLs of two empty stores that several processes can open."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}", f"sqlite:///{tmp_path / 'new.db'}"
    make: Callable[[], str] = request.getfixturevalue("make_database")
    return make(), make()


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.every_store.transforming.{module}", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line_of(stream: asyncio.StreamReader | None, wanted: str) -> str:
    """Give the first line that has a text; all, if it ends before."""
    assert stream is not None
    said = ""
    while line := (await stream.readline()).decode():
        said += line
        if wanted in line:
            return line
    return said


async def transformed_under_load(urls: tuple[str, str], twin: str) -> tuple[int, list[str]]:
    """Give the exit code, and what is wrong in the target."""
    source_url, target_url = urls
    options = ("--events", "tests.every_store._accounts:types", "--serializer", "msgpack")
    arguments = (twin, "transform", *urls, *options, "--follow", "--json")
    for number in range(EVENTS // APPEND):
        await store_old(source_url, f"account-{number % STREAMS}", *history(number, APPEND))

    async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
        writers = [
            await stack.enter_async_context(started("writer", source_url, str(number)))
            for number in range(WRITERS)
        ]
        for writer in writers:
            assert "ready" in await line_of(writer.stdout, "ready")

        target = (await stack.enter_async_context(open_backend(target_url))).event_store
        for position in KILLED_AFTER:
            async with started("program", *arguments) as process:
                ended = asyncio.create_task(process.wait())
                while not ended.done() and (at := await target.last_position()) < position:
                    await target.wait(after_position=at, timeout=0.1)
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGKILL)
                assert await ended == -signal.SIGKILL or twin != "right"

        async with started("program", *arguments) as process:
            said = await line_of(process.stderr, "to switch, stop what writes")
            written = 0
            for writer in writers:
                written += int((await writer.communicate(b""))[0])
            if "to switch" in said:
                process.send_signal(signal.SIGTERM)
            out, _ = await process.communicate()
    assert written >= WRITERS
    faults = await faults_of(*urls)
    if process.returncode == 0 and twin == "right":
        report = json.loads(out)
        assert (report["lag"], report["source_events"]) == (0, EVENTS + written)
    return process.returncode or 0, faults


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_all_that_was_and_all_that_comes_is_there_once(urls: tuple[str, str]) -> None:
    code, faults = await transformed_under_load(urls, "right")
    assert (code, faults[:3]) == (0, [])


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_one_that_forgets_its_place_is_found(urls: tuple[str, str]) -> None:
    code, faults = await transformed_under_load(urls, "forgets")
    assert code == 1 or faults != []
