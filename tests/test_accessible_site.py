"""For everyone, too: the static site, and a dashboard with nothing to show yet."""

import pytest

import example
from axe import violations
from browser import OVERFLOW, tab
from exams.places import Places
from exams.static_site import write_site
from serving import PAGES, served
from test_accessible import RIGHT, UNFOLD, faults, walk

pytestmark = [pytest.mark.slow, pytest.mark.browser]
LOOKS = [(1280, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the static site."""
    places = example.make(tmp_path_factory.mktemp("site"))
    write_site(places)
    return (places.site / "index.html").as_uri()


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The address of a dashboard for which nothing is published and nothing has run."""
    folder = tmp_path_factory.mktemp("empty")
    places = Places.of(folder / "data", folder / "reports")
    places.data.mkdir()
    with served(places) as address:
        yield address


@pytest.mark.parametrize("width, scheme", LOOKS)
def test_every_page_of_the_static_site_is_for_everyone(site, browser, width, scheme):
    found = {}
    with tab(browser, site.removesuffix("index.html"), width, color_scheme=scheme) as opened:
        page = opened.page
        for name in [*PAGES, "data&table=gaps"]:
            page.goto(f"{site}?page={name}")
            page.wait_for_selector("main[data-drawn]")
            keys = faults(*walk(page))
            page.evaluate(UNFOLD)
            found[name] = (violations(page), keys)
    assert {name: said for name, said in found.items() if said != ([], RIGHT)} == {}


@pytest.mark.parametrize("width, scheme", LOOKS)
def test_dashboard_with_nothing_to_show_is_for_everyone(empty, browser, width, scheme):
    with tab(browser, empty, width, color_scheme=scheme) as opened:
        page = opened.page
        page.goto(empty)
        page.get_by_text("Nothing is published yet.").wait_for()
        found = {"home": (violations(page), faults(*walk(page)))}
        page.get_by_role("link", name="Process status").click()
        page.get_by_text("No stage has run yet.").wait_for()
        found["status"] = (violations(page), faults(*walk(page)))
        assert {name: said for name, said in found.items() if said != ([], RIGHT)} == {}
        assert page.evaluate(OVERFLOW) <= 0
        assert (opened.outside, opened.errors) == ([], [])
