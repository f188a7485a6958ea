"""Runs the contracts on broken stores and serializers, where a test that fails is what passes.

A class of tests here inherits a contract and lists ``faults``: broken classes, each of which names
the tests that catch it in ``caught_by``. Only these are run, each against the faults that name it;
``test_x[case`` names those cases of a test that begin so.
"""

# pytest leaves the type of a test's class open.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, cast

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

settings.register_profile("broken", phases=[Phase.explicit, Phase.generate], derandomize=True)


class Fault(Protocol):
    """A broken store or serializer."""

    __name__: str
    caught_by: ClassVar[tuple[str, ...]]


@pytest.fixture(autouse=True)
def without_shrinking() -> Iterator[None]:
    """Let Hypothesis stop at the first failure, since nobody reads it, and find the same always."""
    # The oldest Hypothesis that we allow cannot say which profile is loaded.
    before = getattr(settings, "get_current_profile_name", lambda: "default")()
    settings.load_profile("broken")
    yield
    settings.load_profile(before)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test against the faults that name it."""
    faults: tuple[Fault, ...] | None = getattr(metafunc.cls, "faults", None)
    if faults is None:
        return
    test = metafunc.function.__name__
    naming = [
        fault for fault in faults if test in {name.partition("[")[0] for name in fault.caught_by}
    ]
    metafunc.parametrize("fault", naming, ids=[fault.__name__ for fault in naming])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests, and the cases of tests, that no fault names."""
    unnamed = [item for item in items if not _is_named(item)]
    if unnamed:
        config.hook.pytest_deselected(items=unnamed)
        items[:] = [item for item in items if item not in set(unnamed)]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Turn round what a test says of a fault."""
    fault = _fault_of(pyfuncitem)
    if fault is None:
        return (yield)
    try:
        yield
    except (AttributeError, NameError, TypeError):
        raise  # a mistake in the fault itself
    except (Exception, BaseExceptionGroup, pytest.fail.Exception):  # noqa: BLE001 - any failure
        return True
    return pytest.fail(f"{pyfuncitem.originalname} does not catch {fault.__name__}", pytrace=False)


def _fault_of(item: pytest.Item) -> Fault | None:
    if not isinstance(item, pytest.Function) or not hasattr(item.cls, "faults"):
        return None
    return cast("Fault", item.callspec.params["fault"])  # put there above


def _is_named(item: pytest.Item) -> bool:
    fault = _fault_of(item)
    if fault is None or not isinstance(item, pytest.Function):
        return True
    if not hasattr(fault, "caught_by"):  # what pytest puts there when there are none
        return False
    case = item.callspec.id.removeprefix(fault.__name__).removeprefix("-")
    name = f"{item.originalname}[{case}]"
    return any(
        name.startswith(entry) if "[" in entry else entry == item.originalname
        for entry in fault.caught_by
    )
