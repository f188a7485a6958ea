"""``eventsourcing projections switch``, ``pause``, ``resume``, ``make-async``, ``drop``, …."""

from __future__ import annotations

from typing import Annotated

import typer

from eventsourcing_cli._arguments import Url, examples
from eventsourcing_cli._confirmation import Yes, confirm
from eventsourcing_cli._projections.arguments import Name, On, Version, done


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    begin, store = "eventsourcing projections", "sqlite:///bank.db"
    app.command(epilog=examples(f"{begin} switch {store} balances"))(switch)
    app.command(epilog=examples(f"{begin} pause {store} balances"))(pause)
    app.command(epilog=examples(f"{begin} resume {store} balances"))(resume)
    app.command(epilog=examples(f"{begin} make-async {store} balances"))(make_async)
    app.command(epilog=examples(f"{begin} drop {store} balances --version 1"))(drop)
    app.command(epilog=examples(f"{begin} segments {store} balances 16"))(segments)


def switch(
    url: Url,
    name: Name,
    *,
    version: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="The version; the newest, unless given."),
    ] = None,
    on: On = None,
) -> None:
    """Let readers see another version, which must be ready.

    The old version is kept, and follows the store on where it is run: the way back is the same.
    """
    build = done(url, on, lambda projections: projections.switch(name, version=version))
    typer.echo(f"{name}: version {build.version} is live now")


def pause(url: Url, name: Name, *, version: Version = None, on: On = None) -> None:
    """Let nobody work on a projection until it is resumed."""
    done(url, on, lambda projections: projections.pause(name, version=version))
    typer.echo(f"{name}: paused")


def resume(url: Url, name: Name, *, version: Version = None, on: On = None) -> None:
    """Let the processes of a paused projection go on."""
    done(url, on, lambda projections: projections.resume(name, version=version))
    typer.echo(f"{name}: resumed")


def make_async(url: Url, name: Name, *, on: On = None) -> None:
    """Let an inline projection follow the store, from the next event on.

    Nobody pauses. Its processes append without it from now on: run it beside them.
    """
    build = done(url, on, lambda projections: projections.make_async(name))
    typer.echo(f"{name}: version {build.version} follows now")


def drop(
    url: Url,
    name: Name,
    *,
    version: Annotated[
        int,
        typer.Option(metavar="NUMBER", min=1, show_default=False, help="The version to drop."),
    ],
    yes: Yes = False,
    on: On = None,
) -> None:
    """Forget a version of a projection, and drop what it has made.

    The live one is only dropped if there is no other. In a pipe it takes --yes.
    """
    if not yes:
        what = f"version {version} of {name} and what it has made"
        confirm(f"Drop {what}?", what_it_does=f"drop deletes {what}")
    done(url, on, lambda projections: projections.drop(name, version))
    typer.echo(f"{name}: version {version} was dropped")


def segments(
    url: Url,
    name: Name,
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", min=1, show_default=False, help="How many: 1 to 1,024."),
    ],
    *,
    version: Version = None,
    on: On = None,
) -> None:
    """Say how many parts a projection has, for as many processes.

    Those that run it split and join its parts while they work.
    """
    done(url, on, lambda projections: projections.set_segments(name, number, version=version))
    typer.echo(f"{name}: is to have {number} segments")
