"""How an append meets streams that others hold, and what else it says to the server."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Early(Protocol):
    """Calls the function ``append``, and does something else in the same round trip."""

    async def append(self, *arguments: Any) -> list[Any]:
        """Give the rows of the function, for the arguments of ``append_inline.sql``."""
        ...


class Terms(NamedTuple):
    """How an append meets a stream that another transaction holds, and what else it says."""

    limit: str | None
    """For how long it waits; None: as the caller's transaction says."""
    skips_held: bool
    """Whether what goes to such a stream is left out, and the rest of the batch written."""
    applies: str | None = None
    """What the transaction applies to inline projections, as their trigger asks; None: nothing."""
    is_trusted: bool = False
    """Whether an import is written without a look first, as if all of it were new."""
    early: Early | None = None
    """What to call the function by, if it is not called alone."""


PATIENT = Terms("100ms", skips_held=False)
IMPATIENT = Terms("2ms", skips_held=True)
"""For a batch that is known to meet such a stream."""
INSIDE = Terms(None, skips_held=False)
"""In a caller's transaction."""
