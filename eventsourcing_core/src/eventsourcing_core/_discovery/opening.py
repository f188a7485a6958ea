"""What all that is opened by URL shares: its scheme, and a word for a forgotten ``async with``."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")


def scheme_of(url: str) -> str:
    """Give the scheme of a URL, in lower case.

    Raises:
        ValueError: The text is no URL.
        TypeError: It is no text.
    """
    if not isinstance(url, str):
        message = f"a backend URL is a str, got {type(url).__name__}"
        raise TypeError(message)
    scheme, separator, _ = url.partition(":")
    if not separator or not scheme:
        shown = url.partition("@")[0] if "@" not in url else "…"
        message = f"not a backend URL: {shown!r}; it begins with a scheme, as sqlite:///file.db"
        raise ValueError(message)
    return scheme.lower()


class Opening(AbstractAsyncContextManager[T]):
    """What is not open yet: entering it opens it.

    Args:
        opening: What opens it.
        what: Its name, ``backend`` or ``migrator``: ``open_…`` is the function that users call.
    """

    def __init__(self, opening: AbstractAsyncContextManager[T], what: str) -> None:
        self._opening = opening
        self._what = what
        self._is_entered = False

    async def __aenter__(self) -> T:
        """Open it.

        Raises:
            RuntimeError: It was opened before.
        """
        if self._is_entered:
            message = f"this {self._what} was opened before: call open_{self._what}(…) once more"
            raise RuntimeError(message)
        self._is_entered = True
        return await self._opening.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._opening.__aexit__(kind, error, traceback)

    def __getattr__(self, name: str) -> NoReturn:
        message = (
            f"the {self._what} is not open, so it has no {name!r} yet: "
            f"write async with open_{self._what}(…) as {self._what}:"
        )
        raise AttributeError(message)
