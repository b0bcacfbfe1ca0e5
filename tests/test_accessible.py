"""For everyone: in the eyes of axe-core, by keyboard, at any size, and still for who wants it."""

import json
from collections.abc import Iterator

import nbconvert
import pandas as pd
import pytest

import example
import executed
from axe import violations
from browser import OVERFLOW, WIDTHS, tab
from exams.places import Places
from exams.site import write_index
from exams.stages import card
from serving import PAGES, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SCHEMES = ("light", "dark")
TABLE = pd.DataFrame({"group": ["north", "south"], "mean": [68.25, None]})
CARD = "# Model card\n\n## Metrics\n\n| model | gain |\n| --- | ---: |\n| linear | 0.25 |\n"
OTHER_COLOURS = """(dark) => {
  const drawn = document.querySelector("[data-drawn]");
  if (!drawn || matchMedia("(prefers-color-scheme: dark)").matches === dark) return false;
  delete drawn.dataset.drawn;
  return true;
}"""
UNFOLD = "document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })"
# Where the Tab key should stop: whatever a mouse can use, and what scrolls.
STOPS = """() => {
  const all = document.querySelectorAll(
    'a[href], button, select, input, summary, [tabindex="0"]');
  const inSight = (e) => !e.disabled && e.checkVisibility({visibilityProperty: true});
  window.stops = [...all].filter(inSight);
  return stops.map((e) => `${e.tagName} ${e.textContent.trim().slice(0, 30)}`);
}"""
# The stop that has the focus: its number, whether a ring shows it, whether it is in sight.
STOP = """() => {
  const element = document.activeElement;
  const {outlineStyle, outlineWidth} = getComputedStyle(element);
  const {left, top, width, height} = element.getBoundingClientRect();
  const at = document.elementFromPoint(
    Math.max(left, 0) + Math.min(width, 8) / 2, Math.max(top, 0) + Math.min(height, 8) / 2);
  return {
    number: stops.indexOf(element),
    ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    inSight: Boolean(at) && (element.contains(at) || at.contains(element)),
  };
}"""


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    return example.make(tmp_path_factory.mktemp("everyone"))


@pytest.fixture(scope="module")
def opened(places, browser) -> Iterator[object]:
    """One page of the dashboard for all tests: to open one takes longer than to look at it."""
    with served(places) as address, tab(browser, address) as found:
        found.page.goto(address)
        found.page.wait_for_selector("main[data-drawn]")
        yield found.page
        assert (found.outside, found.errors) == ([], [])


@pytest.fixture
def page(opened) -> Iterator[object]:
    """The dashboard as it opens, on a desk."""
    show(opened, 1280, "light")
    turn(opened, "home")
    opened.get_by_label("Quarter").select_option(example.INCOMPLETE)
    opened.wait_for_selector(f'main[data-drawn="{example.INCOMPLETE} home"]')
    return opened


def show(page, width, scheme):
    """Show the page at a width and in its light or dark colours, in which it draws itself anew."""
    page.set_viewport_size({"width": width, "height": 900})
    again = page.evaluate(OTHER_COLOURS, scheme == "dark")
    page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")
    if again:
        page.wait_for_selector("[data-drawn]")


def turn(page, name):
    """Turn to a page, which draws it anew."""
    page.evaluate("delete document.querySelector('main').dataset.drawn")
    page.get_by_role("link", name=PAGES[name], exact=True).click()
    page.wait_for_selector(f'main[data-drawn$=" {name}"]')


def found_at_every_size(page) -> dict[str, list[str]]:
    """Return what axe finds, by width and colours; nothing where it finds nothing."""
    found = {}
    for width in WIDTHS:
        for scheme in SCHEMES:
            show(page, width, scheme)
            page.evaluate(UNFOLD)
            found[f"{width} {scheme}"] = violations(page)
    return {name: lines for name, lines in found.items() if lines}


# In the eyes of axe-core


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_a_page_of_the_dashboard(page, name):
    turn(page, name)
    assert found_at_every_size(page) == {}


def test_axe_finds_nothing_on_the_rows_of_a_table(page):
    turn(page, "data")
    page.get_by_role("link", name="Levels", exact=True).click()
    page.wait_for_selector("table.data")
    assert found_at_every_size(page) == {}
    page.get_by_role("link", name="← All tables").click()  # as the next test expects it
    page.get_by_role("heading", name="Published tables").wait_for()


@pytest.mark.parametrize("name", ["report", "card", "list"])
def test_axe_finds_nothing_in_what_stands_on_its_own(places, browser, tmp_path, name):
    if name == "report":
        charts = [json.loads(path.read_text()) for path in places.charts("2026Q3").iterdir()]
        notebook = executed.notebook(charts, TABLE)
        page = nbconvert.export(nbconvert.get_exporter("exams"), notebook)[0]
    else:
        page = write_index(places).read_text() if name == "list" else card.page("A card", CARD)
    path = tmp_path / "page.html"
    path.write_text(page)
    with tab(browser, path.as_uri()) as opened:
        opened.page.goto(path.as_uri())
        if name == "report":
            opened.page.wait_for_selector("body[data-drawn]")
        assert found_at_every_size(opened.page) == {}


PLANTED = {
    "color-contrast": '<p style="color: #aaa">grey on grey</p>',
    "image-alt": '<img src="data:,">',
    "label": "<input>",
    "empty-heading": "<h2></h2>",  # best practice
    "heading-order": "<h5>too deep</h5>",  # best practice
    "nested-interactive": '<div role="img" aria-label="x"><a href="#">inside</a></div>',
    "label-content-name-mismatch": '<button aria-label="Open">Close</button>',  # experimental
}


def test_a_violation_of_each_kind_is_found(page):
    planted = "".join(PLANTED.values())
    page.locator("main").evaluate("(e, html) => e.insertAdjacentHTML('beforeend', html)", planted)
    rules = {line.partition(" ")[0] for line in violations(page)}
    assert set(PLANTED) - rules == set()


# By keyboard


def walk(page) -> tuple[list[str], list[dict]]:
    """Press Tab from the top to the bottom; return all stops, and what was stopped at."""
    everything = page.evaluate(STOPS)
    page.evaluate("stops[1].focus()")
    page.keyboard.press("Shift+Tab")
    seen = [page.evaluate(STOP)]
    for _ in everything[1:]:
        page.keyboard.press("Tab")
        seen.append(page.evaluate(STOP))
    return everything, seen


def faults(everything, seen):
    """Return what a walk did wrong: stops missed or out of order, not shown, out of sight."""
    order = [stop["number"] for stop in seen]
    missed = [name for i, name in enumerate(everything) if i not in order]
    unseen = [everything[stop["number"]] for stop in seen if not (stop["ring"] and stop["inSight"])]
    return {"missed": missed, "unseen": unseen, "in order": order == sorted(order)}


RIGHT = {"missed": [], "unseen": [], "in order": True}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width, scheme", [(1280, "light"), (390, "dark")])
def test_tab_key_stops_at_everything_in_order_and_in_sight(page, name, width, scheme):
    show(page, width, scheme)
    turn(page, name)
    everything, seen = walk(page)
    assert len(everything) >= 7
    assert faults(everything, seen) == RIGHT


def test_stop_that_is_missed_or_not_shown_is_found(page):
    page.evaluate(
        """() => {
            const [one, two] = document.querySelectorAll("nav a");
            one.tabIndex = -1;
            two.style.outline = "none";
        }"""
    )
    found = faults(*walk(page))
    assert [name.split()[1] for name in found["missed"]] == ["Home"]
    assert "A Process status" in found["unseen"]
    page.evaluate(
        "document.querySelectorAll('nav a').forEach((a) => a.removeAttribute('tabindex'))"
    )
    page.evaluate("document.querySelectorAll('nav a').forEach((a) => a.removeAttribute('style'))")


def test_first_stop_leads_past_the_header(page):
    page.reload()
    page.wait_for_selector("main[data-drawn]")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the figures")
    assert skip.evaluate("e => e === document.activeElement")
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


def test_page_and_quarter_are_chosen_by_keys_and_the_focus_stays(page):
    page.get_by_role("link", name="ETL results").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector('main[data-drawn="2026Q1 etl"]')
    assert page.evaluate("document.activeElement.textContent") == "ETL results"
    page.get_by_label("Quarter").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_selector('main[data-drawn="2025Q4 etl"]')
    assert page.evaluate("document.activeElement.id") == "quarter"


def test_fold_opens_and_a_chart_is_saved_by_keys(page):
    fold = page.locator("details.fold > summary")
    fold.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("table", name="Region").is_visible()
    page.locator("[data-chart=groups] .save button").first.focus()
    with page.expect_download() as saved:
        page.keyboard.press("Space")
    assert saved.value.suggested_filename == f"groups-{example.INCOMPLETE}.csv"


def test_table_scrolls_with_the_arrow_keys(page):
    page.set_viewport_size({"width": 320, "height": 700})
    turn(page, "trends")
    box = page.get_by_role("region", name="Key figures by quarter")
    box.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


# What a chart says to those who do not see it


@pytest.mark.parametrize("name", ["home", "etl", "ml", "trends"])
def test_each_chart_states_its_finding_and_has_a_table(page, name):
    turn(page, name)
    figures = page.locator("figure[data-chart]").all()
    assert figures
    for figure in figures:
        title = figure.locator("figcaption strong").inner_text()
        assert figure.get_by_role("img").get_attribute("aria-label").startswith(title)
        figure.get_by_text("Figures of this chart").click()
        assert figure.get_by_role("region", name=title).get_by_role("row").count() == 4


# Sizes and movement


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_when_zoomed(page, name):
    """To 200 % and 400 % of a window of 1280 (WCAG 1.4.4 and 1.4.10), and text alone to 200 %."""
    turn(page, name)
    overflow = {}
    for zoom in (2, 4):
        page.set_viewport_size({"width": 1280 // zoom, "height": 900})
        overflow[f"{zoom}00 %"] = page.evaluate(OVERFLOW)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    overflow["text"] = page.evaluate(OVERFLOW)
    page.evaluate("document.documentElement.removeAttribute('style')")
    assert {zoom: by for zoom, by in overflow.items() if by > 0} == {}


MOVING = """() => {
  document.querySelector("main").setAttribute("aria-busy", "true"); // as between quarters
  return [...document.querySelectorAll("*")].filter((element) => {
    const {transitionDuration, animationName} = getComputedStyle(element);
    const takes = transitionDuration.split(", ").some((duration) => parseFloat(duration) > 0);
    return animationName !== "none" || takes;
  }).length;
}"""


def test_nothing_moves_where_less_motion_is_asked_for(page):
    assert page.evaluate(MOVING) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == 0
