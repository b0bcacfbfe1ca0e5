"""Pages look as they did, at both widths: see looks.py."""

import json

import pytest

from browser import WIDTHS, tab
from looks import FILE, differences, disorder, draw_again, look, made, pages, release

pytestmark = [pytest.mark.slow, pytest.mark.browser]
RECORD = json.loads(FILE.read_text())
LOOKS = RECORD["pages"]
AGAIN = "Look at them, and if they are right: make screenshots"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return made(tmp_path_factory.mktemp("looks"))


@pytest.fixture(scope="module")
def seen(site, browser):
    """What is seen of every page: its look, what is out of place, and requests to other hosts."""
    return {
        name: (look(opened.page), disorder(opened.page), [*opened.outside, *opened.errors])
        for name, opened in pages(site, browser)
    }


@pytest.fixture
def comparable(browser):
    if release(browser) != RECORD["chromium"]:
        pytest.skip(f"Chromium is {release(browser)}, the looks are of {RECORD['chromium']}")


@pytest.mark.usefixtures("comparable")
def test_every_page_looks_as_it_did(seen):
    assert sorted(seen) == sorted(LOOKS), AGAIN
    found = {name: differences(LOOKS[name], now) for name, (now, *_) in seen.items()}
    assert {name: said for name, said in found.items() if said} == {}, AGAIN


def test_nothing_overlaps_reaches_beyond_the_edge_or_is_cut_off(seen):
    assert {name: said for name, (_, said, _) in seen.items() if said} == {}


def test_no_page_asks_another_host_for_anything(seen):
    assert {name: said for name, (*_, said) in seen.items() if said} == {}


@pytest.fixture(scope="module", params=WIDTHS)
def home(site, browser, request):
    """The first page, and its look on record; what a test changes in it, it takes back."""
    with tab(browser, site.as_uri(), request.param) as opened:
        opened.page.goto(f"{site.as_uri()}/index.html?page=home&quarter=2026Q2")
        yield opened.page, LOOKS[f"home {request.param}"]


NO_MARK = "chart.append(Object.assign(document.createElement('style'), {{textContent: '{}'}}))"
MARKS = "[data-chart=risk] .role-mark {}{{display: none}}"
CHANGES = {  # in a chart, and what is said of it
    NO_MARK.format(MARKS.format("")): "is brighter or darker by",  # blank
    NO_MARK.format(
        MARKS.format("path[aria-label*=Grammar]")
    ): "is brighter or darker by",  # a bar less
    "chart.style.transform = 'translateX(40px)'": "stands at",
    "chart.style.minHeight = '600px'": "pixels high, was",
    "chart.remove()": "they were",
    "chart.style.visibility = 'hidden'": "is brighter or darker by",
}


@pytest.mark.usefixtures("comparable")
@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_changed_chart_is_seen(home, change):
    page, was = home
    draw_again(page, "home")
    assert differences(was, look(page)) == []
    page.locator("[data-chart=risk]").evaluate(f"(chart) => {{ {change}; }}")
    said = differences(was, look(page))
    assert any(CHANGES[change] in line for line in said), said


FAULTS = {
    "chart.style.marginTop = '-240px'": "lies over",
    "chart.style.width = '1400px'": "reaches beyond the edge",
    "chart.querySelector('strong').style = 'overflow: hidden; height: 8px'": "cut off",
}


@pytest.mark.parametrize("change", FAULTS, ids=FAULTS.values())
def test_fault_of_layout_is_seen(home, change):
    page, _ = home
    draw_again(page, "home")
    page.locator("[data-chart=risk]").evaluate(f"(chart) => {{ {change}; }}")
    assert any(FAULTS[change] in line for line in disorder(page)), disorder(page)
