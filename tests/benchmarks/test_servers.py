from __future__ import annotations

import pytest

from benchmarks.peers.servers import Servers
from tests.eventsourcing_postgres._databases import execute, run_apart


def test_a_server_that_may_lose_commits_is_refused(url: str) -> None:
    name = url.rpartition("/")[2]
    run_apart(execute(url, f"alter database {name} set synchronous_commit = off"))
    with pytest.raises(RuntimeError, match="synchronous_commit"):
        Servers(url).settings()
