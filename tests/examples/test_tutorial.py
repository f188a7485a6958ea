"""The service of the tutorial, on a server: what its page shows, and cannot run by itself."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.eventsourcing_postgres._server import free_port
from tests.pages._page import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pages._page import Page, Pages

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "7-service.md"


@pytest.fixture
def page(pages: Pages) -> Page:
    """Give the page, with what its reader has in the folder at its end."""
    page = pages.page(PAGE)
    page.finish()
    return page


@pytest.fixture
def folder(page: Page, tmp_path: Path) -> Path:
    """Give a copy of the page's folder: the next page begins with what is in that."""
    return shutil.copytree(page.folder, tmp_path / "concerts")


@pytest.fixture
def service(folder: Path) -> Iterator[str]:
    """Give the URL of the service, which runs by the page's own command, on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "app:app", f"--port={port}"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=folder, env=environment()) as process:  # noqa: S603 - what the page says
        try:
            wait_for(url, process)
            yield url
        finally:
            process.terminate()
    assert process.returncode == -signal.SIGTERM  # it closes its store first


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the service answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/health").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the service does not answer; its exit status is {process.poll()}")


def test_the_service_answers_as_the_page_shows(page: Page, folder: Path, service: str) -> None:
    assert any(block.text == "python -m uvicorn app:app\n" for block in page.blocks)
    answers = subprocess.run(  # noqa: S603 - a program of the page
        [sys.executable, "ask.py", service],
        cwd=folder,
        env=environment(),
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    assert answers == page.blocks[-1].text
