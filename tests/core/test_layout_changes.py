"""Any history of changes: an event of any time is read as what it is today, by every serializer."""

from __future__ import annotations

from dataclasses import field, make_dataclass
from typing import Annotated, Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from eventsourcing_core import Event, EventCodec, EventTypes, WasNamed, event, upcaster
from eventsourcing_core.stores import Row
from tests.core.test_upcasters import SERIALIZERS

FIELDS = ("a", "b", "c")
any_upcaster: Any = upcaster


class Step(NamedTuple):
    """A change: what is done, to which of the fields that are there."""

    kind: str
    which: int


class Time(NamedTuple):
    """The layout at one time."""

    version: int
    """How many upcasters lead away from events of the beginning."""
    fields: dict[str, tuple[str, ...]]
    """The fields, with what they were called before."""
    added: frozenset[str]
    """Those that have a default."""


steps = st.builds(
    Step, st.sampled_from(["add", "drop", "rename", "double", "split"]), st.integers(0, 9)
)


def name_of(version: int) -> str:
    return f"thing.v{version}"


def with_todays_names(time: Time, data: dict[str, Any]) -> dict[str, Any]:
    """Do by hand what a class does."""
    names = {old: name for name, olds in time.fields.items() for old in olds}
    return {names.get(key, key): value for key, value in data.items()}


def changed(time: Time, step: Step, number: int, types: EventTypes) -> Time:
    """Give the layout after a change; one that needs an upcaster is registered."""
    version, fields, added = time
    names = [*fields]
    if step.kind == "add" or not names:
        return Time(version, fields | {f"new{number}": ()}, added | {f"new{number}"})
    chosen = names[step.which % len(names)]
    if step.kind == "drop":
        return Time(version, {key: fields[key] for key in names if key != chosen}, added)
    if step.kind == "rename":
        to = f"named{number}"
        renamed = {
            (to if key == chosen else key): ((key, *olds) if key == chosen else olds)
            for key, olds in fields.items()
        }
        return Time(version, renamed, added | ({to} if chosen in added else set()))

    def doubled(data: dict[str, Any]) -> dict[str, Any]:
        data = with_todays_names(time, data)
        return data | ({chosen: 2 * data[chosen]} if chosen in data else {})

    def twice(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        data = with_todays_names(time, data)
        return [(name_of(version + 1), {**data}) for _ in range(data.get(chosen, 0) % 3)]

    source, to = name_of(version), name_of(version + 1)
    if step.kind == "double":
        any_upcaster(source, to=to, event_types=types)(doubled)
    else:
        any_upcaster(source, to=(to,), event_types=types)(twice)
    return Time(version + 1, fields, added)


def expected(times: list[Time], history: list[Step], begin: int, data: dict[str, int]) -> Any:
    """Give what an event of a time is at the end: as often, and with these values."""
    found = [dict(data)]
    for time, step, after in zip(times[begin:], history[begin:], times[begin + 1 :], strict=False):
        names = [*time.fields]
        if step.kind == "add" or not names:
            continue  # the class gives the default, at the end; no upcaster sees it
        chosen = names[step.which % len(names)]
        match step.kind:
            case "drop":
                found = [{k: v for k, v in each.items() if k != chosen} for each in found]
            case "rename":
                (to,) = after.fields.keys() - time.fields.keys()
                found = [{(to if k == chosen else k): v for k, v in each.items()} for each in found]
            case "double":
                found = [
                    {k: 2 * v if k == chosen else v for k, v in each.items()} for each in found
                ]
            case _:
                found = [dict(each) for each in found for _ in range(each.get(chosen, 0) % 3)]
    return found


@settings(max_examples=150, deadline=None)
@given(history=st.lists(steps, max_size=7), data=st.data())
def test_an_event_of_any_time_is_read_as_it_is_today(
    history: list[Step], data: st.DataObject
) -> None:
    types = EventTypes()
    times = [Time(0, dict.fromkeys(FIELDS, ()), frozenset())]
    for number, step in enumerate(history):
        times.append(changed(times[-1], step, number, types))
    last = times[-1]
    cls: Any = make_dataclass(
        "Thing",
        [
            (name, Annotated[int, WasNamed(*olds)] if olds else int, field(default=7))
            if name in last.added
            else (name, Annotated[int, WasNamed(*olds)] if olds else int)
            for name, olds in sorted(last.fields.items(), key=lambda item: item[0] in last.added)
        ],
        frozen=True,
    )
    event(name_of(last.version), event_types=types)(cls)

    begin = data.draw(st.integers(0, len(history)))
    time = times[begin]
    values = {name: data.draw(st.integers(0, 5)) for name in time.fields}
    serializer = SERIALIZERS[data.draw(st.sampled_from([*SERIALIZERS]))]
    stored = EventCodec(serializer, event_types=EventTypes())
    row = Row("s-1", 3, 5, *stored.encode(Event(name_of(time.version), {**values})))
    found = [*EventCodec(serializer, event_types=types).decode([row, row])]
    wanted = [cls(**each) for each in expected(times, history, begin, values)]
    assert [each.data for each in found] == wanted * 2
    assert {(each.version, each.position) for each in found} <= {(3, 5)}
