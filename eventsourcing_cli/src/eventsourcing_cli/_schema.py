"""``eventsourcing migrate``, ``rollback`` and ``status``: the schema of a store."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from eventsourcing_cli._arguments import OneObject, Url, examples
from eventsourcing_cli._confirmation import Yes, confirm
from eventsourcing_core import open_migrator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core.stores import MigrationStatus, Migrator

_BEHIND = 1


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    database = "postgresql://user@host/bank"
    app.command(epilog=examples(f"eventsourcing migrate {database}"))(migrate)
    app.command(epilog=examples(f"eventsourcing rollback {database} --to 2"))(rollback)
    app.command(epilog=examples(f"eventsourcing status '{database}?schema=bank'"))(status)


def migrate(url: Url, *, as_json: OneObject = False) -> None:
    """Bring the schema of a store up to date, or make it.

    Migrations that are missing are applied in one transaction; where none is, nothing happens.
    """
    _write(_done(url, lambda migrator: migrator.migrate()), as_json=as_json)


def rollback(
    url: Url,
    *,
    to: Annotated[
        int,
        typer.Option(metavar="NUMBER", min=0, show_default=False, help="The last one that stays."),
    ],
    yes: Yes = False,
    as_json: OneObject = False,
) -> None:
    """Take migrations back; with --to 0 every event is deleted.

    What they brought is dropped, with the data in it. In a pipe it takes --yes.
    """
    if not yes:
        lost = "every event and snapshot" if to == 0 else "what these migrations brought"
        confirm(f"Drop {lost}?", what_it_does="rollback drops what the migrations brought")
    _write(_done(url, lambda migrator: migrator.rollback(to=to)), as_json=as_json)


def status(url: Url, *, as_json: OneObject = False) -> int:
    """Tell how far the schema of a store is.

    The exit code is 1 if it is not there, or not up to date.
    """
    found = _done(url, lambda migrator: migrator.status())
    _write(found, as_json=as_json)
    if found.applied == found.latest:
        return 0
    if not as_json:
        typer.echo(_cure(found), err=True)
    return _BEHIND


def _cure(found: MigrationStatus) -> str:
    if found.applied == 0:
        return "there is no schema yet: eventsourcing migrate URL makes it"
    if found.applied < found.latest:
        return "not up to date: run eventsourcing migrate URL"
    return "newer than what is installed here: upgrade what offers this store"


def _done(url: str, act: Callable[[Migrator], Awaitable[MigrationStatus]]) -> MigrationStatus:
    async def done() -> MigrationStatus:
        async with open_migrator(url) as migrator:
            return await act(migrator)

    return asyncio.run(done())


def _write(found: MigrationStatus, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found._asdict()))
    else:
        typer.echo(f"migration {found.applied} of {found.latest}")
