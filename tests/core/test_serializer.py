from __future__ import annotations

import pytest

from eventsourcing_core import JsonSerializer

JSON = JsonSerializer()


@pytest.mark.parametrize(
    ("tree", "data"),
    [
        ({"a": "Zoë"}, '{"a":"Zoë"}'),
        ({"a": b"\x00"}, '{"a":{"$bytes":"AA=="}}'),
        ({"$uuid": "x"}, '{"$$uuid":"x"}'),
        ({"$$uuid": "x"}, '{"$$$uuid":"x"}'),
        ({"$a": 1, "b": 2}, '{"$a":1,"b":2}'),
        ([{"$": None}], '[{"$$":null}]'),
    ],
)
def test_what_is_written_is_plain_json(tree: object, data: str) -> None:
    assert JSON.serialize(tree).decode() == data
    assert JSON.deserialize(data.encode()) == tree


@pytest.mark.parametrize(
    "data",
    [
        b'{"$timedelta":"99999999999999999999999"}',
        b'{"$uuid":5}',
        b'{"$bytes":5}',
        b'{"$date":null}',
        b'{"$odd":"x"}',
        b"[" * 100_000,
    ],
    ids=lambda data: data[:20].decode(),
)
def test_damaged_tags_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a|holds no|unknown tag|nested"):
        JSON.deserialize(data)


@pytest.mark.parametrize("tree", [{1: 2}, {1: 2, "a": b""}, {"a": {None: 1}}])
def test_a_key_that_is_no_text_is_refused(tree: object) -> None:
    with pytest.raises(TypeError, match="JSON has no form for a key that is"):
        JSON.serialize(tree)
