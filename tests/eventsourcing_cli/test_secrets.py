"""No password is shown, whatever happens to a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli._secrets import masked, secrets_in

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Run

REFUSED = [
    pytest.param(["show", "{url}", "s-1"], id="nobody answers"),
    pytest.param(["tail", "{url}"], id="tail"),
    pytest.param(["tail", "{url}?pool=9"], id="an option that is not there"),
    pytest.param(["show", "{url}", "s-1", "more", "{url}"], id="an argument too many"),
    pytest.param(["{url}"], id="no command"),
    pytest.param(["projections", "{url}"], id="a command that is left out"),
    pytest.param(["projections", "memory://", "--on={url}"], id="read models"),
    pytest.param(["show", "--{url}"], id="no option"),
    pytest.param(["tail", "memory://", "--after", "{url}"], id="no number"),
    pytest.param(["demo", "{url}"], id="no file"),
]
PASSWORDS = ["sesame", "open/sesame", "open:sesame", "open@sesame", "p%40sesame", "ses#ame", "'ses"]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("arguments", REFUSED)
@pytest.mark.parametrize("more", [[], ["--traceback"]], ids=["", "traceback"])
def test_a_password_is_not_shown(
    run: Run, arguments: list[str], password: str, more: list[str]
) -> None:
    url = f"postgresql://me:{password}@127.0.0.1:1/bank"
    found = run(*[each.replace("{url}", url) for each in arguments], *more)
    shown = found.out + found.err
    assert found.code in {1, 2}
    assert "error: " in shown
    assert password not in shown
    assert "sesame" not in shown


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_a_password_among_the_options_of_a_url_is_not_shown(run: Run, name: str) -> None:
    found = run("show", f"postgresql://127.0.0.1:1/bank?{name}=sesame", "s-1", "--traceback", "x")
    assert found.code == 2
    assert "sesame" not in found.err


def test_what_is_no_password_is_shown(run: Run) -> None:
    found = run("show", "postgresql://me:sesame@127.0.0.1:1/bank", "s-1")
    assert "127.0.0.1:1" in found.err


def test_a_password_that_is_a_part_of_another_word_leaves_it_whole() -> None:
    secrets = secrets_in(["postgresql://postgres:postgres@localhost/bank"])
    text = "run: python -m eventsourcing_postgres migrate postgresql://localhost/bank"
    assert masked(text, secrets) == text
