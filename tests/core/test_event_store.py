"""The checks of arguments that all stores share."""

from __future__ import annotations

from typing import Any

import pytest

from eventsourcing_core.stores._checks import check_read, check_read_all, check_wait, path_in

READ: dict[str, Any] = {"from_version": 1, "to_version": None, "limit": None}
READ_ALL: dict[str, Any] = {
    "after_position": 0,
    "limit": None,
    "event_types": None,
    "stream_prefix": None,
}


@pytest.mark.parametrize("name", ["from_version", "to_version", "limit"])
@pytest.mark.parametrize("value", [1.5, True, "1"])
def test_a_bound_of_a_stream_is_an_int(name: str, value: Any) -> None:
    check_read("s", **READ)
    with pytest.raises(TypeError, match=f"{name} must be an int, got {value!r}"):
        check_read("s", **READ | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after_position", 1.5),
        ("limit", False),
        ("event_types", "Opened"),
        ("event_types", 5),
        ("event_types", iter(["Opened"])),
        ("event_types", ["Opened", 5]),
        ("stream_prefix", b"doc-"),
    ],
)
def test_an_argument_of_read_all_has_its_type(name: str, value: Any) -> None:
    check_read_all(**READ_ALL)
    with pytest.raises(TypeError, match=name):
        check_read_all(**READ_ALL | {name: value})


@pytest.mark.parametrize("timeout", [-0.1, float("nan")])
def test_a_timeout_is_a_number_of_seconds(timeout: float) -> None:
    check_wait(after_position=0, timeout=0.0)
    with pytest.raises(ValueError, match="timeout must be a number of seconds"):
        check_wait(after_position=0, timeout=timeout)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("mine:///a%20b+c.db", "a b+c.db"),
        ("mine:////folder/a%2520b", "/folder/a%20b"),
        ("mine:///%C3%A9%23%3F", "é#?"),
        ("mine:///", ""),
    ],
)
def test_the_path_in_a_url_is_decoded_once(url: str, path: str) -> None:
    assert path_in(url) == path


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("mine:file.db", "write mine:///file.db"),
        ("mine://file.db", "write mine:///file.db"),
        ("mine://user:secret@host/file.db", "a file has no user and no host"),
        ("mine:///no#1", "%23"),
        ("mine:///%FF", "UTF-8"),
    ],
)
def test_a_url_that_names_no_path_is_refused_with_the_cure(url: str, cure: str) -> None:
    with pytest.raises(ValueError, match=cure) as caught:
        path_in(url)
    assert "secret" not in str(caught.value)
