"""Which server a URL names: what may stand in it, and what of it may be shown.

A password that holds a character with a meaning in URLs puts a part of itself where a host, a port
or a path is expected. So these are refused, unseen, before the driver complains of them by name.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import quote, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PARAMETERS = (
    "host",
    "port",
    "user",
    "password",
    "passfile",
    "dbname",
    "database",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "target_session_attrs",
    "gsslib",
    "krbsrvname",
)
"""The parameters of libpq that the driver reads in a URL.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""
SETTINGS = (
    "client_connection_check_interval",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "jit",
    "lock_timeout",
    "options",
    "plan_cache_mode",
    "role",
    "search_path",
    "statement_timeout",
    "synchronous_commit",
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_user_timeout",
    "timezone",
    "transaction_timeout",
    "work_mem",
)
"""Settings of a session that the server takes when a connection begins; any with a dot, too."""
_WITHOUT = ("channel_binding", "gssencmode")
"""Protections that libpq has and the driver has not: what only prefers them is passed over."""
_LARGEST_PORT = 65535


class Server(NamedTuple):
    """A server, and how to connect to it."""

    dsn: str
    """The URL for the driver."""
    shown: str
    """Host and port, for messages."""


def server_of(url: str, parameters: Mapping[str, str], options: Collection[str]) -> Server:
    """Read a URL without its query, and the parameters that were in it or beside it.

    Args:
        url: ``postgresql://user:password@host:port/database``.
        parameters: Those of libpq, and settings of the server.
        options: The names of the backend's own options, for the message.

    Raises:
        ValueError: The URL is none, or a parameter is not known.
    """
    hosts = _hosts_in(url)  # first: where a password ends the URL too soon, a part of it is a name
    if any("@" in name for name in parameters):
        _refuse("a user or password holds a ?")
    for name, value in parameters.items():
        _check(name, value, options)
    _check_ports(parameters.get("port", ""))
    given = {name: value for name, value in parameters.items() if name not in _WITHOUT}
    dsn = f"{url}?{urlencode(given, quote_via=quote)}" if given else url
    beside = [parameters[name] for name in ("host", "port") if parameters.get(name)]
    return Server(dsn, unquote(hosts) or ":".join(beside) or "the default address")


def _check(name: str, value: str, options: Collection[str]) -> None:
    if name in _WITHOUT:
        if value == "require":
            message = f"{name}=require cannot be met: the driver, asyncpg, has no {name}"
            raise ValueError(message)
    elif name not in PARAMETERS and name not in SETTINGS and "." not in name:
        nearest = get_close_matches(name, [*options, *PARAMETERS, *SETTINGS], n=1)
        message = (
            f"the backend 'postgresql' has no option {name!r}"
            f"{f' (did you mean {nearest[0]!r}?)' if nearest else ''}; its options are: "
            f"{', '.join(sorted(options))}; and those of libpq and settings of the session that "
            "docs/reference/postgresql.md lists"
        )
        raise ValueError(message)


def _hosts_in(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        _refuse("it cannot be read")
    credentials, _, hosts = parts.netloc.rpartition("@")
    if "@" in credentials or "@" in f"{parts.path}{parts.fragment}":
        _refuse("a user or password holds a character that means something else there")
    for host in hosts.split(","):
        _, closed, after = host.rpartition("]")  # the end of an IPv6 address
        _check_ports((after if closed else host).partition(":")[2])
    return hosts


def _check_ports(ports: str) -> None:
    for port in ports.split(","):
        if port and not (port.isdecimal() and 0 < int(port) <= _LARGEST_PORT):
            _refuse("the port is not a number from 1 to 65535")


def _refuse(reason: str) -> NoReturn:
    message = (
        f"not the URL of a PostgreSQL server: {reason}; write "
        "postgresql://user:password@host:port/database, and in it @ as %40, : as %3A, / as %2F, "
        "? as %3F, # as %23, % as %25"
    )
    raise ValueError(message)
