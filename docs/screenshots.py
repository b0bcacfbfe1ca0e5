"""Take the pictures of the dashboard in docs/images/, of what is published now.

Every page at both widths, light and dark, into pages/; and for the README its first page from the
top to the end of a chart. Needs Chromium, and a built quarter. Call it as `make screenshots`.
"""

import io
import sys
from pathlib import Path

from PIL import Image

from browser import WIDTHS, chromium, tab
from exams import project
from exams.places import Places
from serving import PAGES, served

IMAGES = Path(__file__).parent / "images"
ROOT = IMAGES.parents[1]
README = {1280: ("dashboard.png", "trend"), 390: ("dashboard-phone.png", "levels")}


def take(page, width: int, scheme: str) -> None:
    """Write the pictures of every page."""
    for name, title in PAGES.items():
        page.get_by_role("link", name=title, exact=True).click()
        page.wait_for_selector(f'main[data-drawn$=" {name}"]')
        picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        picture.save(IMAGES / "pages" / f"{name}-{width}-{scheme}.webp", quality=60, method=6)
        if name == "home" and scheme == "light":
            file, last = README[width]
            box = page.locator(f"[data-chart={last}]").bounding_box()
            end = round(box["y"] + box["height"] + 12)
            picture.crop((0, 0, width, end)).save(IMAGES / file, optimize=True)


def main(places: Places) -> None:
    """Write every picture of what is published in `places`."""
    (IMAGES / "pages").mkdir(exist_ok=True)
    with served(places, ROOT) as server, chromium() as browser:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                with tab(browser, server, width, color_scheme=scheme) as opened:
                    opened.page.goto(server)
                    opened.page.wait_for_selector("main[data-drawn]")
                    take(opened.page, width, scheme)


if __name__ == "__main__":
    main(Places.of(*sys.argv[1:]) if len(sys.argv) > 1 else project.places(ROOT))
