"""URLs and parameters, before any server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eventsourcing_core import open_backend
from eventsourcing_postgres._server import PARAMETERS, SETTINGS, server_of

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "postgresql.md"


def shown(url: str, **parameters: str) -> str:
    return server_of(url, parameters, ()).shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:secret@db.example:5433/x", "db.example:5433"),
        ("postgresql://u:secret@a:1,b:2/x", "a:1,b:2"),
        ("postgresql://u:secret@[::1]:5432/x", "[::1]:5432"),
        ("postgresql://u:secret@%2Frun%2Fpg/x", "/run/pg"),
        ("postgresql://localhost", "localhost"),
        ("postgresql:///x", "the default address"),
    ],
)
def test_host_and_port_are_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_a_host_beside_the_url_is_shown() -> None:
    assert shown("postgresql://u:@/x", host="/run/pg", port="5433") == "/run/pg:5433"


def test_parameters_go_to_the_driver_quoted() -> None:
    server = server_of("postgresql://u:@/x", {"host": "/a b", "my.own": "1&2"}, ())
    assert server.dsn == "postgresql://u:@/x?host=%2Fa%20b&my.own=1%262"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@secret@host/x",
        "postgresql://u:secret/secret@host/x",
        "postgresql://u:1/secret@host/x",
        "postgresql://u:1#secret@host/x",
        "postgresql://u:1?secret@host/x",
        "postgresql://u:p?secret=1@host/x",
        "postgresql://user:secret/x",
        "postgresql://u:secret@host:5432secret/x",
        "postgresql://u:[secret@host/x",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"as %3F|@ as %40") as caught:
        open_backend(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("misspelt", "right"), [("shema", "schema"), ("sslrootcrt", "sslrootcert"), ("jitt", "jit")]
)
def test_a_misspelt_option_is_answered_with_the_one_that_was_meant(
    misspelt: str, right: str
) -> None:
    with pytest.raises(ValueError, match=rf"option '{misspelt}' \(did you mean '{right}'\?\); its"):
        open_backend(f"postgresql://host/x?{misspelt}=x")


def test_what_the_driver_cannot_do_is_refused_only_where_it_is_required() -> None:
    open_backend("postgresql://host/x?channel_binding=prefer&gssencmode=disable")
    with pytest.raises(ValueError, match="asyncpg, has no channel_binding"):
        open_backend("postgresql://host/x?channel_binding=require")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"acquire_timeout": -1.0}, "acquire_timeout is a number of seconds above 0, got -1.0"),
        ({"acquire_timeout": float("nan")}, "acquire_timeout is .* above 0, got nan"),
        ({"connect_timeout": 0}, "connect_timeout is .* above 0, got 0"),
        ({"poll_interval": 0.0}, "poll_interval is .* above 0"),
        ({"max_wait": -0.1}, "max_wait is a number of seconds 0 or more, got -0.1"),
        ({"min_size": -1}, "min_size must be 0 or more, got -1"),
        ({"max_size": 0}, "max_size must be 1 or more"),
        ({"min_size": 3, "max_size": 2}, r"not below min_size \(3\): 2"),
        ({"schema": ""}, "not a name of a schema"),
    ],
)
def test_an_option_out_of_bounds_is_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_backend("postgresql://host/x", **option)


def test_options_are_of_their_types() -> None:
    wrong: list[dict[str, Any]] = [{"migrate": "false"}, {"max_size": "3"}, {"sslmode": 1}]
    for option in wrong:
        with pytest.raises(TypeError, match="takes"):
            open_backend("postgresql://host/x", **option)


@pytest.mark.parametrize("name", [*PARAMETERS, *SETTINGS])
def test_the_reference_lists_every_parameter_and_setting(name: str) -> None:
    assert f"`{name}`" in REFERENCE.read_text("utf-8")
