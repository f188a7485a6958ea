"""``eventsourcing projections rebuild``: new versions, until they are as far as the live ones."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from eventsourcing_cli._arguments import Url, examples
from eventsourcing_cli._errors import interruption_says
from eventsourcing_cli._progress import growing_progress
from eventsourcing_cli._projections.arguments import (
    Code,
    Lease,
    MaxSegments,
    On,
    Segments,
    Sharing,
    both,
)
from eventsourcing_cli._projections.loading import CodeError, Follower, followers_of
from eventsourcing_core import ProjectionError, Reactor
from eventsourcing_core.stores import OutageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventsourcing_core import Projections, ProjectionStatus, Projector

_LOOK = 0.25  # seconds between two looks at how far it is
_READY_LAG = 1.0  # seconds, as the library has it
logger = logging.getLogger(__name__)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing projections rebuild sqlite:///bank.db bank.reading:PROJECTIONS --switch"
        )
    )(rebuild)


def rebuild(  # noqa: PLR0913 - the options of the command
    url: Url,
    code: Code,
    *,
    switch: Annotated[
        bool, typer.Option("--switch", help="Let readers see the new versions then.")
    ] = False,
    on: On = None,
    lease: Lease = 15.0,
    segments: Segments = 8,
    max_segments: MaxSegments = None,
) -> None:
    """Build the new versions of projections, until they are ready.

    Readers see the old ones meanwhile. Other processes that run the new versions share the work.
    After an interruption the same command goes on.
    """
    followers = followers_of(code)
    with interruption_says("what was built is kept; the same command goes on after it"):
        sharing = Sharing(lease, segments, max_segments)
        asyncio.run(_rebuilt(url, on, followers, sharing, switch=switch))


async def _rebuilt(
    url: str, on: str | None, followers: Sequence[Follower], sharing: Sharing, *, switch: bool
) -> None:
    async with both(url, on) as (backend, other):
        new = await _new(backend.projections.on(other), followers)
        async with backend.projector(new, on=other, **sharing._asdict()) as projector:
            await _until_ready(projector, new)
            for status in await _statuses(projector, new):
                await _finish(projector, status, switch=switch)


async def _new(projections: Projections, followers: Sequence[Follower]) -> list[Follower]:
    """Give those of which the version is still to be built; say so of the others.

    Raises:
        CodeError: There are none.
    """
    states = {tuple(each.build): each.state for each in await projections.status()}
    new: list[Follower] = []
    said: list[str] = []
    for each in followers:
        state = states.get((each.name, each.version), "building")
        if state in {"live", "retired"}:
            was = "is live already" if state == "live" else "was live before"
            said.append(f"version {each.version} of {each.name} {was}")
        else:
            new.append(each)
    if not new:
        message = f"{'; '.join(said)}: raise the version in the code to build a new one"
        raise CodeError(message)
    for line in said:
        typer.echo(f"{line}, and is left as it is", err=True)
    return new


async def _until_ready(projector: Projector, new: Sequence[Follower]) -> None:
    """Wait until all are ready, and show how far they are.

    Raises:
        ProjectionError: One is paused.
    """
    built = [each for each in new if not isinstance(each, Reactor)]  # which has nothing to build
    with growing_progress("building") as tell:
        while built and not await _have_caught_up(projector, built, tell):  # noqa: ASYNC110 - other processes work on them, too
            await asyncio.sleep(_LOOK)


async def _have_caught_up(
    projector: Projector, built: Sequence[Follower], tell: Callable[[int, int], None]
) -> bool:
    """Tell whether all are ready, and say how far they are; an outage is waited out."""
    try:
        statuses = await _statuses(projector, built)
    except OutageError as error:
        logger.warning("how far it is, is not known: %s", error)
        return False
    for status in statuses:
        if status.is_paused:
            message = f"{status.build} is paused: eventsourcing projections resume goes on"
            raise ProjectionError(message)
    tell(sum(each.position for each in statuses), sum(each.head for each in statuses))
    return all(_is_ready(each) for each in statuses)


async def _statuses(projector: Projector, some: Sequence[Follower]) -> list[ProjectionStatus]:
    builds = {(each.name, each.version) for each in some}
    return [each for each in await projector.status() if each.build in builds]


def _is_ready(status: ProjectionStatus) -> bool:
    """Tell whether it has caught up: the first version of a name is live before it has."""
    return status.state == "ready" or (status.state == "live" and status.lag_seconds < _READY_LAG)


async def _finish(projector: Projector, status: ProjectionStatus, *, switch: bool) -> None:
    """Switch to a version, or say how."""
    name, version = status.build
    if status.parked:
        logger.warning("%d keys of %s are parked", status.parked, status.build)
    if status.state == "live":
        typer.echo(f"{name}: version {version} is live")
    elif switch:
        await projector.switch(name, version=version)
        typer.echo(f"{name}: version {version} is live now")
    else:
        typer.echo(f"{name}: version {version} is ready; run it, and switch to it")
