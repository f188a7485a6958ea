"""``eventsourcing projections run``: a process that runs views, projections and reactors."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from eventsourcing_cli._arguments import Url, examples
from eventsourcing_cli._projections.arguments import (
    Code,
    Lease,
    MaxSegments,
    On,
    Segments,
    Sharing,
    both,
)
from eventsourcing_cli._projections.loading import Follower, followers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing_core import Projector


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing projections run sqlite:///bank.db bank.reading:PROJECTIONS",
            "eventsourcing projections run postgresql://user@host/bank bank.mails:Mailer",
        )
    )(run)


def run(  # noqa: PLR0913 - the options of the command
    url: Url,
    code: Code,
    *,
    on: On = None,
    lease: Lease = 15.0,
    segments: Segments = 8,
    max_segments: MaxSegments = None,
) -> None:
    """Run views, projections and reactors, until Ctrl-C or SIGTERM.

    Any number of processes run the same and share the work. The first signal ends it after the
    batches that are under way, and others go on at once; a second one ends it where it stands. What
    is logged goes to the standard error stream.
    """
    followers = followers_of(code)
    asyncio.run(_run(url, on, followers, Sharing(lease, segments, max_segments)))


async def _run(url: str, on: str | None, followers: Sequence[Follower], sharing: Sharing) -> None:
    with ended_by_signal() as ended:
        async with (
            both(url, on) as (backend, other),
            backend.projector(followers, on=other, **sharing._asdict()) as projector,
        ):
            await _tell(projector, followers)
            await ended.wait()
            typer.echo("ending after the batches that are under way", err=True)


async def _tell(projector: Projector, followers: Sequence[Follower]) -> None:
    """Say what is run, and as what."""
    run = {(each.name, each.version) for each in followers}
    for status in await projector.status():
        name, version = status.build
        if (name, version) in run:
            paused = ", paused" if status.is_paused else ""
            typer.echo(
                f"runs {name}, version {version}: {status.kind.value}, {status.state}{paused}"
            )


@contextmanager
def ended_by_signal() -> Iterator[asyncio.Event]:
    """Give what Ctrl-C and SIGTERM set in the block; a second one does what it does elsewhere."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def end(*_: object) -> None:
        restore()
        loop.call_soon_threadsafe(ended.set)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        restore()
