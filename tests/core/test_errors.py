from __future__ import annotations

import inspect
import pickle
from uuid import UUID

import pytest

import eventsourcing_core
from eventsourcing_core import (
    AggregateNotFoundError,
    ConcurrencyError,
    DuplicateEventError,
    DuplicatePluginError,
    EventSourcingError,
    ExpectedVersion,
    HistoryChangedError,
    InvalidStreamIdError,
    SerializationError,
    StoreBusyError,
    UnknownEventTypeError,
    UnknownPluginError,
    _errors,
    stores,
)

ERRORS = [
    error
    for _, error in inspect.getmembers(_errors, inspect.isclass)
    if issubclass(error, EventSourcingError)
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_public_of_one_root_and_in_the_tree(error: type[Exception]) -> None:
    is_between_storage_and_front = error in {stores.OutageError, stores.StreamHeldError}
    door = stores if is_between_storage_and_front else eventsourcing_core
    assert error.__name__ in door.__all__
    assert error.__name__ in str(_errors.__doc__)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (AggregateNotFoundError, LookupError),
        (InvalidStreamIdError, ValueError),
        (SerializationError, ValueError),
        (UnknownEventTypeError, LookupError),
        (UnknownPluginError, LookupError),
    ],
)
def test_errors_are_caught_as_the_builtin_they_are(
    error: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(error, builtin)


@pytest.mark.parametrize(
    "error",
    [
        ConcurrencyError("s", 1, 2),
        ConcurrencyError("s", ExpectedVersion.NO_STREAM, 2),
        ConcurrencyError("s", 1, 2, "import"),
        AggregateNotFoundError("s"),
        DuplicateEventError(UUID(int=1), "s", 2),
        HistoryChangedError(3, UUID(int=1), UUID(int=2), 4),
        HistoryChangedError(3, UUID(int=1), None, 2),
        InvalidStreamIdError("", "it is empty"),
        UnknownPluginError("backend", "x", ["a"], "cure"),
        DuplicatePluginError("backend", "x", ["a", "b"]),
        StoreBusyError(100_000),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_with_facts_can_be_pickled(error: Exception) -> None:
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (str(back), vars(back)) == (str(error), vars(error))


def test_a_conflict_says_what_happened_and_what_to_do() -> None:
    assert str(ConcurrencyError("s", ExpectedVersion.NO_STREAM, 2)) == (
        "stream 's' is at version 2, the append expected NO_STREAM: "
        "somebody else wrote first, or an earlier try of yours did; load again and repeat the "
        "command"
    )
    assert "expected version 1" in str(ConcurrencyError("s", 1, 2))


@pytest.mark.parametrize(
    ("expected", "cause"), [(1, "it has other events here"), (3, "events before it are missing")]
)
def test_a_conflict_of_an_import_says_what_is_wrong_with_it(expected: int, cause: str) -> None:
    said = str(ConcurrencyError("s", expected, 2, "import"))
    assert f"the import expected version {expected}: {cause}" in said


def test_a_long_stream_id_is_shortened_in_the_message() -> None:
    assert len(str(InvalidStreamIdError("x" * 10_000, "too long"))) < 150


def test_a_version_that_never_was_is_not_blamed_on_somebody_else() -> None:
    said = str(ConcurrencyError("s", 3, 2))
    assert "that version is not there" in said
    assert "do not count pending events" in said
    assert "pass the transaction to every load and save" in said


def test_a_stream_that_should_exist_is_said_to_be_missing() -> None:
    said = str(ConcurrencyError("s", ExpectedVersion.STREAM_EXISTS, 0))
    assert said.endswith("there is no such stream; correct its id, or begin it with NO_STREAM")


@pytest.mark.parametrize(
    ("found", "there"),
    [(UUID(int=2), f"event {UUID(int=2)} is there now"), (None, "no event is there now")],
)
def test_a_history_that_changed_says_what_is_known(found: UUID | None, there: str) -> None:
    said = str(HistoryChangedError(3, UUID(int=1), found, 4))
    assert f"saw event {UUID(int=1)} at position 3, but {there} (the store ends at 4)" in said


def test_an_unknown_aggregate_names_its_stream_and_the_cure() -> None:
    said = str(AggregateNotFoundError("order-7"))
    assert said.startswith("there is no aggregate 'order-7': correct its id, or use load()")


def test_a_full_queue_says_how_full_it_is_and_that_nothing_was_written() -> None:
    said = str(StoreBusyError(100_000))
    assert "nothing was written: 100,000 appends are waiting already" in said
