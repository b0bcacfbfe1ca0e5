"""What pages look like, small and blurred: where each part stands and how bright it is where.

looks.json holds the looks of every page of the static site of the example office, at both widths.
A part's look is its place (left and width, in parts of the window), its height (in pixels) and the
mean brightness of each field of a grid over it. So a chart that is blank, of another kind or in
another place is found. The pages are set in the font that Pillow brings along, so that those of
the machine make no difference: other fonts for the signs that it lacks have moved no field by more
than 4 of 255. Another release of Chromium may draw otherwise: looks.json tells of which it is, and
is compared with no other. `make screenshots` writes it.
"""

import base64
import io
import json
import re
import sys
import tempfile
from itertools import combinations
from pathlib import Path

from PIL import Image, ImageFont

import example
from browser import WIDTHS, chromium, tab
from exams.quarters import Timing
from exams.static_site import write_site
from serving import PAGES

FILE = Path(__file__).with_name("looks.json")
GRID = (12, 8)
ASIDE = 0.02  # of the window: how far a part may stand or reach elsewhere
TALLER = 1.1  # times: the font lacks some signs, and lines may break elsewhere
BRIGHTER = 16  # of 255, in one field
AS_OF = re.compile(r'"as_of":"[^"]*"')
SET_IN = """
@font-face {{ font-family: Steady; src: url(data:font/ttf;base64,{font}) }}
:root {{ --font: Steady, {others} !important; --mono: Steady, {others} !important }}
"""
# Parts in the order of the page, and texts that are cut off.
PARTS = """() => [...document.querySelectorAll("header, .tile, .card, .callout, footer")]
  .filter((e) => e.checkVisibility()).map((e) => {
    const {left, top, width, height} = e.getBoundingClientRect();
    const name = e.dataset.chart ?? `${e.tagName.toLowerCase()} ${e.className}`.trim();
    return {name, left: left + scrollX, top: top + scrollY, width, height};
  })"""
CUT = """() => [...document.querySelectorAll("body *")].filter((e) => {
  const style = getComputedStyle(e);
  const wider = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
  return style.overflow === "hidden" && wider && !e.closest(".unseen, .skip, svg");
}).map((e) => e.textContent)"""


def parts(page) -> list[dict]:
    """Return name, left, top, width and height of each part of a page (pixels)."""
    found = page.evaluate(PARTS)
    for i, part in enumerate(found):
        part["name"] = f"{i} {part['name']}"
    return found


def look(page) -> dict[str, dict]:
    """Return the look of each part by its name: at (left, width), tall, grey (rows of a grid)."""
    window = page.viewport_size["width"]
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled")))
    return {
        part["name"]: {
            "at": [round(part["left"] / window, 3), round(part["width"] / window, 3)],
            "tall": round(part["height"]),
            "grey": grey(picture.crop(box(part))),
        }
        for part in parts(page)
    }


def box(part: dict) -> tuple[int, ...]:
    left, top = part["left"], part["top"]
    return tuple(round(x) for x in (left, top, left + part["width"], top + part["height"]))


def grey(picture: Image.Image) -> list[str]:
    """Return the mean brightness of each field, two hexadecimal digits each, a text a row."""
    small = picture.convert("L").resize(GRID, Image.Resampling.BOX).tobytes()
    return [small[i : i + GRID[0]].hex() for i in range(0, len(small), GRID[0])]


def differences(was: dict[str, dict], now: dict[str, dict]) -> list[str]:
    """Return what looks otherwise than it did, in words; nothing if all is near enough."""
    if list(was) != list(now):
        return [f"parts: {', '.join(now)}; they were: {', '.join(was)}"]
    return [f"{name}: {said}" for name in was for said in _otherwise(was[name], now[name])]


def _otherwise(was: dict, now: dict):
    if any(abs(a - b) > ASIDE for a, b in zip(was["at"], now["at"], strict=True)):
        yield f"stands at {now['at']}, stood at {was['at']}"
    if not 1 / TALLER < now["tall"] / was["tall"] < TALLER:
        yield f"is {now['tall']} pixels high, was {was['tall']}"
    before, after = (bytes.fromhex("".join(of["grey"])) for of in (was, now))
    most = max(abs(a - b) for a, b in zip(before, after, strict=True))
    if most > BRIGHTER:
        yield f"is brighter or darker by {most} of 255 in places"


def disorder(page) -> list[str]:
    """Return what is out of place whatever the font: overlaps, beyond the edge, cut off."""
    window = page.viewport_size["width"]
    found = parts(page)
    beyond = [
        f"{part['name']} reaches beyond the edge"
        for part in found
        if part["left"] < -1 or part["left"] + part["width"] > window + 1
    ]
    over = [f"{a['name']} lies over {b['name']}" for a, b in combinations(found, 2) if _over(a, b)]
    return [*beyond, *over, *(f"cut off: {text}" for text in page.evaluate(CUT))]


def _over(a: dict, b: dict) -> bool:
    """Do two parts overlap, other than one within the other?"""
    (left, top, right, bottom), other = box(a), box(b)
    wide = min(right, other[2]) - max(left, other[0])
    high = min(bottom, other[3]) - max(top, other[1])
    inside = left <= other[0] and top <= other[1] and right >= other[2] and bottom >= other[3]
    return wide > 1 and high > 1 and not inside


def pages(site: Path, browser):
    """Open every page at every width; yield its name and the tab."""
    for width in WIDTHS:
        with tab(browser, site.as_uri(), width) as opened:
            for name in PAGES:
                opened.page.goto(f"{site.as_uri()}/index.html?page={name}&quarter=2026Q2")
                draw_again(opened.page, name)
                yield f"{name} {width}", opened


def release(browser) -> str:
    """Return the major release of the browser."""
    return browser.version.partition(".")[0]


def draw_again(page, name: str) -> None:
    """Turn to the same page: the font is there now, and letters are measured in it."""
    page.wait_for_selector("main[data-drawn]")
    page.evaluate("document.fonts.load('16px Steady')")
    page.evaluate("delete document.querySelector('main').dataset.drawn")
    page.get_by_role("link", name=PAGES[name], exact=True).click()
    page.wait_for_selector("main[data-drawn]")


def made(folder: Path, others: str = "sans-serif") -> Path:
    """Return the static site of the example office, made in `folder`; its font is Pillow's, and
    `others` for the signs that this one lacks."""
    places = example.make(folder)
    write_site(places, timing=Timing(grace_days=10_000))  # nothing becomes late as years go by
    standing = places.site / "data" / "now.js"
    standing.write_text(AS_OF.sub('"as_of":"2026-11-29T12:00:00+00:00"', standing.read_text()))
    font = base64.b64encode(ImageFont.load_default(12).font_bytes).decode()
    with (places.site / "style.css").open("a") as style:
        style.write(SET_IN.format(font=font, others=others))
    return places.site


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        looks = {name: look(opened.page) for name, opened in pages(made(Path(folder)), browser)}
        content = {"chromium": release(browser), "pages": looks}
    FILE.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{FILE.name}: {len(looks)} pages", file=sys.stderr)
