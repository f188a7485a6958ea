"""Lets pytest run in Pyodide: an event loop that needs no operating system, and what is skipped.

Pyodide's own event loop is JavaScript's, and cannot be run until something is done. The program
beside this runs on it.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from typing import Any

import pytest

NO_PROCESSES, NO_THREADS = "no processes can be started", "no threads can be started"
NOT_INSTALLED = "only some of the plugins are installed"
SKIPPED = {
    "test_a_load_from_another_event_loop_only_fails": NO_THREADS,
    "test_a_name_that_is_in_use_in_another_event_loop_is_refused": NO_THREADS,
    "test_an_unknown_scheme_lists_what_is_installed": NOT_INSTALLED,
    "test_another_event_loop_is_refused": NO_THREADS,
    "test_damaged_tags_are_a_value_error[[[": "the program ends where the stack does",
    "test_the_ids_of_a_command_are_the_same_in_another_process": NO_PROCESSES,
    "test_the_plugins_of_this_workspace_are_found": NOT_INSTALLED,
    "test_the_version_is_the_same_in_every_process": NO_PROCESSES,
}
"""Why tests are skipped, by how their names begin."""


class _NoSelector:
    """There are no sockets: the loop waits for time only."""

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            message = "nothing that the loop waits for will ever happen"
            raise RuntimeError(message)
        time.sleep(timeout)
        return []


class _Loop(asyncio.BaseEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoSelector()

    def _process_events(self, event_list: list[Any]) -> None:
        """Do nothing: there are none."""

    def _write_to_self(self) -> None:
        """Do nothing: no other thread wakes the loop."""


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pytest-asyncio asks for the policy

    class _Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            return _Loop()

    asyncio.set_event_loop_policy(_Policy())
asyncio._set_running_loop(None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the settings of pytest-timeout, which needs signals or threads, and is not here."""
    for name in ("timeout", "timeout_method"):
        parser.addini(name, "not used here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot be there."""
    for item in items:
        for beginning, reason in SKIPPED.items():
            if item.name.startswith(beginning):
                item.add_marker(pytest.mark.skip(reason=reason))
