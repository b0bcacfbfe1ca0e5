"""Every page in the eyes of axe-core: at both widths, light and dark."""

import json

import nbconvert
import pandas as pd
import pytest

import example
import executed
from axe import violations
from browser import WIDTHS, tab
from exams.places import Places
from exams.site import write_index
from exams.stages import card
from serving import PAGES, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SCHEMES = ("light", "dark")
TABLE = pd.DataFrame({"group": ["north", "south"], "mean": [68.25, None]})
CARD = "# Model card\n\n## Metrics\n\n| model | gain |\n| --- | ---: |\n| linear | 0.25 |\n"


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    return example.make(tmp_path_factory.mktemp("accessible"))


@pytest.fixture(scope="module")
def server(places):
    with served(places) as address:
        yield address


def found_at_every_size(page) -> dict[str, list[str]]:
    """Return what axe finds, by width and colours; nothing where it finds nothing."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("!document.querySelector('main[aria-busy]')")
            found[f"{width} {scheme}"] = violations(page)
    return {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_a_page_of_the_dashboard(server, browser, name):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page={name}&quarter={example.INCOMPLETE}")
        opened.page.wait_for_selector("main[data-drawn]")
        for fold in opened.page.locator("details.card:not([open]) > summary").all():
            fold.click()
        assert found_at_every_size(opened.page) == {}


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


def test_a_violation_of_each_kind_is_found(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        opened.page.wait_for_selector("main[data-drawn]")
        opened.page.evaluate(
            "(html) => { document.querySelector('main').innerHTML += html; }",
            "".join(PLANTED.values()),
        )
        rules = {line.partition(" ")[0] for line in violations(opened.page)}
    assert set(PLANTED) - rules == set()
