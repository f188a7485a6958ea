"""What several of the commands about projections take, and opening what it names."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from eventsourcing_cli._store import looked_into
from eventsourcing_core import open_backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from eventsourcing_core import Backend, Projections

T = TypeVar("T")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", show_default=False, help="Its name, as customer-orders."),
]
Code = Annotated[
    str,
    typer.Argument(
        metavar="CODE",
        show_default=False,
        help="What to run, as bank.reading:PROJECTIONS: a module, and in it a list, a function "
        "that gives one, a class or an object.",
    ),
]
On = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="URL", help="The store that the read models are in, if another one."
    ),
]
Version = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=1, help="The version; the live one, unless given."),
]
Lease = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0.1, help="How long others wait for it after it was killed."
    ),
]
Segments = Annotated[
    int,
    typer.Option(
        metavar="NUMBER", min=1, help="How many parts a new one has, for as many processes."
    ),
]
MaxSegments = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER", min=1, help="How many parts this process takes; its share, unless given."
    ),
]


class Sharing(NamedTuple):
    """How a process shares the work with others: options of ``Backend.projector``."""

    lease: float
    segments: int
    max_segments: int | None


def done(url: str, on: str | None, act: Callable[[Projections], Awaitable[T]]) -> T:
    """Open the projections of a store, do something with them, and give what came of it."""

    async def acted() -> T:
        async with _projections_of(url, on) as projections:
            return await act(projections)

    return asyncio.run(acted())


@asynccontextmanager
async def both(url: str, on: str | None) -> AsyncIterator[tuple[Backend, Backend]]:
    """Open a backend as the application does, and the one that its read models are in.

    Raises:
        EventSourcingError: As ``open_backend``.
        ValueError: As ``open_backend``.
    """
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(open_backend(url))
        other = backend if on is None else await stack.enter_async_context(open_backend(on))
        yield backend, other


@asynccontextmanager
async def _projections_of(url: str, on: str | None) -> AsyncIterator[Projections]:
    """Open the projections that follow a store, in it or in another one.

    Raises:
        EventSourcingError: As ``open_backend``; or it keeps no projections.
        ValueError: As ``open_backend``.
    """
    async with looked_into(url) as backend:
        if on is None:
            yield backend.projections
        else:
            async with looked_into(on) as other:
                yield backend.projections.on(other)
