"""Take the pictures of the dashboard in docs/images/, of what is published now.

Needs Chromium, and a built quarter. Call it as `make screenshots`.
"""

from pathlib import Path

from browser import chromium, tab
from exams import project
from serving import served

IMAGES = Path(__file__).parent / "images"
ROOT = IMAGES.parents[1]


def take(browser, server: str, name: str, width: int, last: str) -> None:
    """Write images/<name>: the first page from its top to the end of the chart `last`."""
    with tab(browser, server, width) as opened:
        opened.page.goto(server)
        opened.page.wait_for_selector("main[data-drawn]")
        box = opened.page.locator(f"[data-chart={last}]").bounding_box()
        clip = {"x": 0, "y": 0, "width": width, "height": box["y"] + box["height"] + 12}
        opened.page.screenshot(path=IMAGES / name, full_page=True, clip=clip)


if __name__ == "__main__":
    with served(project.places(ROOT), ROOT) as server, chromium() as browser:
        take(browser, server, "dashboard.png", 1280, "trend")
        take(browser, server, "dashboard-phone.png", 390, "levels")
