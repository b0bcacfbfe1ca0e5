"""The dashboard as `exams dashboard` serves it, for tests that look at it from outside."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from browser import DRAWN, OVERFLOW
from exams.places import Places

ROOT = Path(__file__).parents[1]
PAGES = {
    "home": "Home",
    "status": "Process status",
    "etl": "ETL results",
    "ml": "Machine learning",
    "trends": "Trends",
    "data": "Data",
}


@contextmanager
def served(
    places: Places,
    project: Path = ROOT,
    token: str = "",
    port: int | None = None,
    base_url: str = "/",
    names: Sequence[str] = (),
    **environment: str,
) -> Iterator[str]:
    """Serve the notebook of `project`; give the address, which does not hold the token."""
    port = port or free_port()
    call = (
        "from exams.dashboard.serve import serve;"
        f"serve({str(places.data)!r}, {str(places.reports)!r}, '127.0.0.1', {port},"
        f" {base_url!r}, {names!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", call],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"JUPYTER_TOKEN": token} | environment,
    )
    try:
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline().decode()
        wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the dashboard did not start")


def get(server: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """Ask for exactly `path`, which a client that tidies addresses would change."""
    connection = http.client.HTTPConnection(server.removeprefix("http://").rstrip("/"), timeout=30)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def drawn_on_each_page(page, server: str, quarter: str) -> dict[str, int]:
    """Turn to every page; return the number of charts drawn on each; none may overflow."""
    page.goto(f"{server}?page=home&quarter={quarter}")
    drawn = {}
    for name, title in PAGES.items():
        page.get_by_role("link", name=title).click()
        page.wait_for_selector(f'main[data-drawn="{quarter} {name}"]')
        drawn[name] = page.evaluate(DRAWN)
        assert page.evaluate(OVERFLOW) <= 0, name
    return drawn
