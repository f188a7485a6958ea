"""Says where a test hung that pytest-timeout has ended: where each task waits.

The traceback of such a test ends in the event loop, which waits for nobody in particular.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the tasks to the report of a test that took too long."""
    report = yield
    if call.excinfo is not None and "from pytest-timeout" in str(call.excinfo.value):
        report.sections.append(("Tasks", "\n".join(_waiting(call.excinfo))))
    return report


def _waiting(excinfo: pytest.ExceptionInfo[BaseException]) -> Iterator[str]:
    values = [value for entry in excinfo.traceback for value in entry.frame.f_locals.values()]
    loops = {value for value in values if isinstance(value, asyncio.AbstractEventLoop)}
    for loop in loops:
        for task in asyncio.all_tasks(loop):
            yield f"{task.get_name()}:"
            yield from _frames(task.get_coro())


def _frames(awaited: Any) -> Iterator[str]:
    """Give the places of a coroutine, and of what it awaits: a task itself tells the first only."""
    while awaited is not None:
        for prefix in ("cr", "ag", "gi"):
            frame = getattr(awaited, f"{prefix}_frame", None)
            if frame is not None:
                code = frame.f_code
                yield f"  {code.co_filename}:{frame.f_lineno} in {code.co_qualname}"
        names = ("cr_await", "ag_await", "gi_yieldfrom")
        awaited = next((getattr(awaited, name) for name in names if hasattr(awaited, name)), None)
