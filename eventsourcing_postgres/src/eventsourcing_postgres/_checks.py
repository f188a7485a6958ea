"""What callers may give: refused at once, with a message that says what is wrong."""

from __future__ import annotations


def check_pool(pool: object) -> None:
    """Refuse what is not a pool, above all a URL.

    Raises:
        TypeError: It is none; its text is not shown, since there may be a password in it.
    """
    if not hasattr(pool, "acquire"):
        message = (
            f"give a pool, as asyncpg.create_pool(url) makes it, got {type(pool).__name__}; "
            "open_backend takes a URL"
        )
        raise TypeError(message)


def check_connection(connection: object) -> None:
    """Refuse what is not a connection, above all the pool that it comes from.

    Raises:
        TypeError: It is none.
    """
    if not hasattr(connection, "is_in_transaction"):
        message = (
            "connection= takes the connection on which your transaction is open, got "
            f"{type(connection).__name__}: async with pool.acquire() as connection, "
            "connection.transaction()"
        )
        raise TypeError(message)


def check_seconds(name: str, seconds: object, *, may_be_zero: bool = False) -> None:
    """Refuse what is not a time to wait.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative, not a number, or zero where it may not be.
    """
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        message = f"{name} is a number of seconds, got {seconds!r}"
        raise TypeError(message)
    if not (seconds > 0 or (may_be_zero and seconds == 0)):
        bound = "0 or more" if may_be_zero else "above 0"
        message = f"{name} is a number of seconds {bound}, got {seconds}"
        raise ValueError(message)


def check_sizes(min_size: int, max_size: int) -> None:
    """Refuse sizes that no pool can have.

    Raises:
        ValueError: Says which.
    """
    if min_size < 0:
        message = f"min_size must be 0 or more, got {min_size}"
        raise ValueError(message)
    if max_size < max(min_size, 1):
        message = f"max_size must be 1 or more, and not below min_size ({min_size}): {max_size}"
        raise ValueError(message)
