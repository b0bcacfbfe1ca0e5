"""A headless Chromium for tests; every request to another host is refused and remembered."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")  # as in .ci/run
WIDTHS = (1280, 390)
# Number of charts whose drawing holds at least one mark with an extent.
DRAWN = """() => [...document.querySelectorAll("svg.marks")].filter((svg) =>
  [...svg.querySelectorAll(".mark-rect path, .mark-line path, .mark-symbol path, .mark-rule line")]
    .some((mark) => mark.getBoundingClientRect().width > 1)).length"""
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


@dataclass
class Tab:
    """A page, what it asked of other hosts, and what went wrong in it, or is warned of."""

    page: object
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[object]:
    """Start the browser; without one the test is skipped, in continuous integration it fails."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        reason = f"none of {', '.join(NAMES)} is on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        print(f"skipped: {reason}")
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser, own: str, width: int = 1280, **options) -> Iterator[Tab]:
    """Open a page that may load from `own` only (an address, or file://)."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    found = Tab(context.new_page())

    def route(request_route):
        address = request_route.request.url
        if address.startswith((own, "data:", "blob:")):
            request_route.continue_()
        else:
            found.outside.append(address)
            request_route.abort()

    context.route("**/*", route)
    told = {"error": found.errors, "warning": found.warnings}
    found.page.on("console", lambda m: told.get(m.type, []).append(m.text))
    found.page.on("pageerror", lambda error: found.errors.append(str(error)))
    try:
        yield found
    finally:
        context.close()
