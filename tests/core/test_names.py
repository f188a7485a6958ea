from __future__ import annotations

import pytest

from eventsourcing_core import Event, InvalidStreamIdError, check_stream_id


@pytest.mark.parametrize(
    "stream_id", ["a", "x" * 255, "Büro-42", "名前", "a b", "a-😀", "a\u00a0b"]
)
def test_printable_names_of_up_to_255_characters_are_accepted(stream_id: str) -> None:
    check_stream_id(stream_id)
    assert Event(stream_id, {"a": 1}).event_type == stream_id


@pytest.mark.parametrize(
    ("stream_id", "reason"),
    [
        ("", "it is empty"),
        ("x" * 256, "it has 256 characters, at most 255"),
        ("a\x00b", "character 2 is the control character U+0000"),
        ("abc\n", "character 4 is the control character U+000A"),
        ("\x7f", "character 1 is the control character U+007F"),
        ("a\ud800", "character 2 is half of a surrogate pair, U+D800"),
    ],
)
def test_other_names_are_refused_with_the_character_that_is_wrong(
    stream_id: str, reason: str
) -> None:
    with pytest.raises(InvalidStreamIdError, match=reason.replace("+", r"\+")) as caught:
        check_stream_id(stream_id)
    assert caught.value.stream_id == stream_id
    with pytest.raises(ValueError, match=reason.replace("+", r"\+")):
        Event(stream_id, {"a": 1})


def test_a_stream_id_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="a stream id is a str, got int: 42"):
        check_stream_id(42)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake
