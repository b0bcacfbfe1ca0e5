"""Open pages follow what is published and what happens, and come back after a breakdown."""

import contextlib

import pytest

import example
from browser import tab
from exams import status
from exams.places import Places
from exams.published import publish
from serving import free_port, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MINUTE = 60_000  # milliseconds
QUARTER = "2026Q2"


class Dashboard:
    """A dashboard that a test may stop and start again at the same address."""

    def __init__(self, places: Places):
        self.places, self.port, self.running = places, free_port(), contextlib.ExitStack()
        self.start()

    def start(self) -> None:
        """Serve."""
        self.address = self.running.enter_context(served(self.places, port=self.port))

    def stop(self) -> None:
        """End the server and its kernels."""
        self.running.close()


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    found = Dashboard(example.make(tmp_path_factory.mktemp("live")))
    yield found
    found.stop()


def students(page):
    return page.locator(".tile").filter(has_text="Students").first


def correct(places: Places, quarter: str, number: int) -> None:
    """Publish a quarter anew, with so many students."""
    tables = example.tables_of(quarter, example.students(quarter, number))
    publish(places.published, quarter, tables, ("State exams", "1.0"))


def set_up(page) -> dict:
    """Open what is folded, scroll down, and take the choice of quarters into focus."""
    page.get_by_text("All groups as tables").click()
    page.locator("#quarter").focus()
    page.evaluate("scrollTo(0, 300)")
    return as_it_is(page)


def as_it_is(page) -> dict:
    return page.evaluate(
        """() => ({
            address: location.search, down: Math.round(scrollY), focus: document.activeElement.id,
            open: Array.from(document.querySelectorAll("details[open] > summary"),
                (summary) => summary.textContent),
        })"""
    )


def test_two_viewers_follow_a_publication_and_the_status_each_at_its_own_place(dashboard, browser):
    places, address = dashboard.places, dashboard.address
    with tab(browser, address) as one, tab(browser, address) as two:
        one.page.goto(f"{address}?page=home&quarter={QUARTER}")
        one.page.wait_for_selector(f'main[data-drawn="{QUARTER} home"]')
        two.page.goto(f"{address}?page=status")
        two.page.get_by_text("the column Essay is missing").wait_for()
        before = set_up(one.page)
        assert before["down"] == 300 and before["open"] == ["All groups as tables"]

        correct(places, QUARTER, 800)
        status.start(places.status, "2026Q4", "transform")
        status.reach(places.status, "2026Q4", "transform", 7, 23)
        status.beat(places.status, "2026Q4")

        students(one.page).get_by_text("800").wait_for(timeout=MINUTE)
        one.page.wait_for_selector(f'main[data-drawn="{QUARTER} home"]')
        assert as_it_is(one.page) == before
        two.page.get_by_text("Cell 7 of 23 · for").wait_for(timeout=MINUTE)
        assert two.page.get_by_text("the column Essay is missing").count() == 0
        two.page.get_by_label("Quarter").select_option(QUARTER)
        two.page.get_by_role("link", name="Home", exact=True).click()
        students(two.page).get_by_text("800").wait_for(timeout=MINUTE)
        assert one.errors == two.errors == []


def test_an_explanation_that_is_open_stays_open_while_the_status_changes(dashboard, browser):
    places = dashboard.places
    reason = {"reason_code": "E104", "reason": "No file was delivered."}
    status.start(places.status, "2026Q4", "extract")
    status.end(places.status, "2026Q4", "extract", "failed", **reason)
    with tab(browser, dashboard.address) as opened:
        page = opened.page
        page.goto(f"{dashboard.address}?page=status")
        page.locator("summary").get_by_text("What E104 means, and what to do").click()
        assert page.get_by_text("Put it into data/deliveries/").is_visible()
        status.start(places.status, "2027Q1", "load")
        page.locator(".problems").get_by_text("2027Q1 Load").wait_for(timeout=MINUTE)
        assert page.get_by_text("Put it into data/deliveries/").is_visible()
        status.end(places.status, "2027Q1", "load", "done")


def test_a_page_says_that_the_line_is_lost_and_comes_back_by_itself(dashboard, browser):
    with tab(browser, dashboard.address) as opened:
        page = opened.page
        page.goto(f"{dashboard.address}?page=home&quarter={QUARTER}")
        page.wait_for_selector(f'main[data-drawn="{QUARTER} home"]')
        before = set_up(page)
        dashboard.stop()
        page.get_by_text("connection lost; it comes back by itself").wait_for(timeout=MINUTE)
        assert students(page).is_visible()
        dashboard.start()
        page.get_by_text("connection lost").wait_for(state="detached", timeout=MINUTE)
        page.wait_for_selector(f'main[data-drawn="{QUARTER} home"]')
        assert as_it_is(page) == before
        correct(dashboard.places, QUARTER, 700)
        students(page).get_by_text("700").wait_for(timeout=MINUTE)


END = """async () => {
    const {kernel, base} = JSON.parse(document.getElementById("exams-data").textContent);
    document.cookie = "_xsrf=x; path=/";
    const form = new FormData();
    form.append("_xsrf", "x");
    await fetch(`${base}voila/api/shutdown/${kernel}`, {method: "POST", body: form});
    return kernel;
}"""


def test_a_page_whose_kernel_has_ended_gets_another(dashboard, browser):
    with tab(browser, dashboard.address) as opened:
        page = opened.page
        page.goto(f"{dashboard.address}?page=etl&quarter=2026Q1")
        page.wait_for_selector('main[data-drawn="2026Q1 etl"]')
        ended = page.evaluate(END)
        page.wait_for_function(
            """(ended) => {
                const given = document.getElementById("exams-data");
                return given && JSON.parse(given.textContent).kernel !== ended;
            }""",
            arg=ended,
            timeout=MINUTE,
        )
        page.wait_for_selector('main[data-drawn="2026Q1 etl"]')
        assert page.url.endswith("?page=etl&quarter=2026Q1")
