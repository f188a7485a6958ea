"""``eventsourcing projections parked``, ``retry`` and ``skip``: keys whose events failed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from eventsourcing_cli._arguments import AsJson, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._escape import escaped, on_one_line
from eventsourcing_cli._events import write_columns
from eventsourcing_cli._projections.arguments import Name, On, Version, done

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.stores import ParkedKey


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    begin, store = "eventsourcing projections", "sqlite:///bank.db"
    app.command(
        epilog=examples(
            f"{begin} parked {store} balances",
            f"{begin} parked {store} balances --json | jq -r .key",
        )
    )(parked)
    app.command(
        epilog=examples(
            f"{begin} retry {store} balances --key BankAccount-42",
            f"{begin} retry {store} balances --all",
        )
    )(retry)
    app.command(epilog=examples(f"{begin} skip {store} balances --key BankAccount-42"))(skip)


def parked(
    url: Url, name: Name, *, version: Version = None, on: On = None, as_json: AsJson = False
) -> None:
    """List the keys that wait since an event of theirs failed.

    In a pipe each key is a line of columns with tabs between them: key, position of the event that
    failed, how many events wait, how often it was tried, what becomes of it, and the error.
    """
    found = done(url, on, lambda projections: projections.parked(name, version=version))
    if not found:
        message = f"no keys of {name} are parked"
        raise NothingFoundError(message)
    for each in found:
        if as_json:
            sys.stdout.write(escaped(json.dumps(_facts(each), ensure_ascii=False)) + "\n")
        elif sys.stdout.isatty():
            _show(each)
        else:
            write_columns(
                each.key,
                each.positions[0],
                each.waiting,
                each.attempts,
                _fate(each),
                on_one_line(each.error),
            )


def retry(  # noqa: PLR0913 - the options of the command
    url: Url,
    name: Name,
    *,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key; its events are tried in order.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All keys that are parked.")] = False,
    version: Version = None,
    on: On = None,
) -> None:
    """Let parked keys be tried again by the processes that run it."""
    if (key is None) != every:
        message = "give either --key KEY or --all"
        raise typer.BadParameter(message, param_hint="--key")
    count = done(url, on, lambda projections: projections.retry(name, key, version=version))
    typer.echo(f"{name}: {count:,} parked {'key is' if count == 1 else 'keys are'} tried again")


def skip(
    url: Url,
    name: Name,
    *,
    key: Annotated[str, typer.Option(metavar="KEY", show_default=False, help="The key.")],
    version: Version = None,
    on: On = None,
) -> None:
    """Leave the first event of a parked key out, and try its others.

    It is left out for good: only a new version of the projection is given it again.
    """
    done(url, on, lambda projections: projections.skip(name, key, version=version))
    typer.echo(escaped(f"{name}: the first event of {key} is left out, and the others are tried"))


def _facts(each: ParkedKey) -> Mapping[str, object]:
    """Give a parked key as JSON has it."""
    facts = each._asdict()
    del facts["hash"]
    return facts | {"wish": each.wish and each.wish.value}


def _fate(each: ParkedKey) -> str:
    """Say what becomes of a key."""
    if each.wish is not None:
        return each.wish.value
    return "given up" if each.is_given_up else "tried again"


def _show(each: ParkedKey) -> None:
    console = Console(highlight=False)
    tried = "once" if each.attempts == 1 else f"{each.attempts} times"
    console.print(
        Text.assemble(
            (escaped(each.key), "bold cyan"),
            f"  position {each.positions[0]:,}, ",
            f"tried {tried}, ",
            (_fate(each), "bold yellow" if _fate(each) == "given up" else ""),
            f"; {each.waiting:,} {'event waits' if each.waiting == 1 else 'events wait'}",
        )
    )
    console.print(Text(f"  {on_one_line(each.error)}", "red"))
