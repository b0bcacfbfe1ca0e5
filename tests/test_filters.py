"""Filters of subject and dimension, in the browser alone: on the static site, from files."""

import json

import pytest

import example
from browser import tab
from exams.static_site import write_site

pytestmark = pytest.mark.browser

# Gaps of two scores in two dimensions, as a chart that shows one score at a time.
ROWS = [
    {"row": "Region|", "dimension": "Region"},  # a heading
    {"row": "Region|north", "dimension": "Region", "score": "Algebra", "gap": 1.5},
    {"row": "Region|north", "dimension": "Region", "score": "Essay", "gap": 2.5},
    {"row": "Course|", "dimension": "Preparation course"},
    {"row": "Course|none", "dimension": "Preparation course", "score": "Algebra", "gap": -3.5},
    {"row": "Course|none", "dimension": "Preparation course", "score": "Essay", "suppressed": 1},
    {"row": "all|All students", "dimension": "all", "score": "Algebra", "gap": 0},
]
FINDINGS = {
    "Algebra": "Algebra: none is 3.5 below",
    "Algebra · Preparation course": "Algebra, Preparation course: none is below",
    "Essay": "Essay: north is 2.5 above",
    "Essay · Region": "Essay, Region: north is above",
}


def told(rows=ROWS):
    """Return the chart's table as it is published: of every score."""
    cells = [
        [row["row"], "hidden" if row.get("suppressed") else f"{row['gap']:.1f}"]
        for row in rows
        if "score" in row
    ]
    titles = [("Group", False), ("Gap", True)]
    return {"columns": [{"title": t, "number": n} for t, n in titles], "rows": cells}


def one_score_of_several():
    places = [row["row"] for row in ROWS]
    tips = [{"field": "row", "type": "nominal"}, {"field": "gap", "type": "quantitative"}]
    return {
        "params": [{"name": "score", "value": "Algebra"}],
        "data": {"name": "gaps"},
        "datasets": {"gaps": ROWS},
        "transform": [{"filter": "datum.score == score"}],
        "mark": "bar",
        "encoding": {
            "x": {"field": "gap", "type": "quantitative"},
            "y": {
                "field": "row",
                "type": "nominal",
                "scale": {"domain": list(dict.fromkeys(places))},
            },
            "tooltip": tips,
        },
        "width": "container",
        "title": {"text": [FINDINGS["Algebra"]], "subtitle": ["Gaps of 1,000 students"]},
        "description": "Algebra: none is 3.5 below. Gaps of 1,000 students. Bars.",
        "usermeta": {"page": ["ml"], "order": 2, "findings": FINDINGS, "kind": "Bars"}
        | {"table": told()},
    }


def hidden_in_a_dimension():
    """Return a chart of bars, lines and words on cells; in one dimension all of it is hidden."""
    hidden, seen = {"share": None, "low": None, "suppressed": 1}, {"share": 0.5, "low": 0.4}
    rows = [
        {"level": level, "dimension": dimension, **(seen if level == "none" else hidden)}
        for level, dimension in [("north", "Region"), ("none", "Preparation course")]
    ]
    y = {"field": "level", "type": "nominal"}
    share = {"field": "share", "type": "quantitative"}
    low = {"field": "low", "type": "quantitative"}
    tips = {"tooltip": [y, share]}
    return {
        "datasets": {"shares": rows},
        "data": {"name": "shares"},
        "height": {"step": 20},
        "layer": [
            {"mark": "rule", "encoding": {"x": low, "x2": {"field": "share"}, "y": y}},
            {"mark": "circle", "encoding": {"x": share, "y": y, **tips}},
            {"mark": "rect", "encoding": {"color": share, "y": y}},
        ],
        "width": "container",
        "title": {"text": "Shares", "subtitle": "All students"},
        "usermeta": {"page": ["ml"], "order": 3},
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    places = example.make(tmp_path_factory.mktemp("filters"))
    charts = places.charts(example.NEWEST)
    (charts / "gaps.vl.json").write_text(json.dumps(one_score_of_several()))
    (charts / "shares.vl.json").write_text(json.dumps(hidden_in_a_dimension()))
    plain = json.loads((charts / "tiers.vl.json").read_text())
    plain["encoding"]["y"]["field"] = "name"
    plain["data"]["values"] = [{"name": "A tier", "share": 20}]
    (charts / "tiers.vl.json").write_text(json.dumps(plain))
    write_site(places)
    return (places.site / "index.html").as_uri()


@pytest.fixture
def opened(site, browser):
    """Return a function that opens a page of the dashboard and waits until it is drawn."""
    with tab(browser, site.removesuffix("index.html"), offline=True) as found:

        def turn_to(page, more=""):
            found.page.goto(f"{site}?page={page}{more}")
            found.page.wait_for_selector(f'main[data-drawn="2026Q3 {page}"]')
            return found.page

        yield turn_to
        assert (found.outside, found.errors, found.warnings) == ([], [], [])


def choose(page, label, option):
    page.get_by_role("combobox", name=label).select_option(label=option)
    page.wait_for_selector("main[data-drawn]")


def captions(page):
    """Return title and notes of each chart, by its name."""
    figures = page.locator("figure[data-chart]").all()
    return {
        f.get_attribute("data-chart"): f.locator("figcaption").inner_text().split("\n")
        for f in figures
    }


def options(page, label):
    return page.get_by_role("combobox", name=label).locator("option").all_inner_texts()


def test_chart_with_several_subjects_is_narrowed_and_says_no_more_what_it_found(opened):
    page = opened("ml")
    assert captions(page)["levels"] == ["What levels shows", "All students"]
    choose(page, "Subject", "Grammar")
    assert captions(page)["levels"] == ["Grammar", "All students"]
    assert page.get_by_role("img", name="Grammar. All students.").count() == 1
    drawn = page.locator("[data-chart=levels] svg.marks").text_content()
    assert "Grammar" in drawn and "Algebra" not in drawn


def test_chart_of_one_subject_shows_another_with_its_own_finding_and_figures(opened):
    page = opened("ml")
    page.locator("[data-chart=gaps] summary").click()
    rows = page.locator("[data-chart=gaps] tbody tr")
    assert rows.all_inner_texts() == [
        "Region|north\t1.5",
        "Course|none\t-3.5",
        "all|All students\t0.0",
    ]
    choose(page, "Subject", "Essay")
    assert captions(page)["gaps"] == [FINDINGS["Essay"], "Gaps of 1,000 students"]
    page.locator("[data-chart=gaps] summary").click()
    assert rows.all_inner_texts() == ["Region|north\t2.5", "Course|none\thidden"]
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as CSV: {FINDINGS['Essay']}").click()
    assert download.value.suggested_filename == "gaps-Essay-2026Q3.csv"
    saved = download.value.path().read_text()
    assert saved.splitlines() == ["\ufeffrow,gap", "Region|north,2.5", "Course|none,hidden"]


def test_dimension_leaves_its_groups_and_all_students(opened):
    page = opened("ml")
    choose(page, "Dimension", "Region")
    assert captions(page)["gaps"] == ["Region", "Gaps of 1,000 students"]
    labels = page.locator("[data-chart=gaps] .role-axis-label text").all_text_contents()
    assert [text for text in labels if "|" in text] == [
        "Region|",
        "Region|north",
        "all|All students",
    ]
    choose(page, "Subject", "Essay")
    assert captions(page)["gaps"][0] == FINDINGS["Essay · Region"]


def test_a_chart_that_begins_with_a_subject_tells_its_finding_in_the_chosen_dimension(opened):
    page = opened("ml", "&dimension=course")
    assert captions(page)["gaps"][0] == FINDINGS["Algebra · Preparation course"]
    assert captions(page)["shares"][0] == "Preparation course"  # without a finding, what it shows


def test_a_chart_whose_figures_are_all_hidden_says_so_and_nothing_in_the_console(opened):
    page = opened("ml", "&dimension=region")
    chart = page.locator("[data-chart=shares]")
    assert "No figure can be shown here" in chart.inner_text()
    assert chart.locator("svg.marks").count() == 0
    assert chart.get_by_role("group", name="Save: Region").locator("button").all_inner_texts() == [
        "CSV"
    ]
    choose(page, "Dimension", "Preparation course")
    assert chart.locator("svg.marks").count() == 1
    assert "No figure" not in chart.inner_text()


def test_chart_that_a_filter_cannot_narrow_stays_and_says_so(opened):
    page = opened("ml")
    choose(page, "Subject", "Essay")
    choose(page, "Dimension", "Region")
    found = captions(page)
    assert found["tiers"] == ["What tiers shows", "All students", "Not filtered by Essay, Region."]
    assert found["levels"][-1] == "Not filtered by Region."
    choose(page, "Subject", "All of them")
    choose(page, "Dimension", "All of them")
    assert captions(page)["tiers"] == ["What tiers shows", "All students"]
    assert captions(page)["gaps"][0] == FINDINGS["Algebra"]


def test_tables_below_the_charts_are_narrowed_and_stay_open(opened):
    page = opened("ml")
    page.get_by_text("Score levels as a table").click()
    table = page.get_by_role("region", name="Share of students by score level")
    heads = table.get_by_role("rowheader")
    assert heads.all_inner_texts() == ["Algebra", "Grammar", "Essay", "Overall"]
    choose(page, "Subject", "Grammar")
    assert heads.all_inner_texts() == ["Grammar"]
    assert table.is_visible()


def test_choice_is_in_the_address_and_a_link_to_it_shows_the_same(opened):
    page = opened("ml")
    choose(page, "Subject", "Algebra")
    choose(page, "Dimension", "Region")
    address = page.url
    assert address.endswith("?page=ml&score=algebra&dimension=region")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("main[data-drawn]")
    assert captions(page)["gaps"][0] == "Algebra · Region"
    page.get_by_role("link", name="Trends").click()
    page.wait_for_selector('main[data-drawn="2026Q3 trends"]')
    assert captions(page)["trend"][0] == "Algebra"
    assert "score=algebra&dimension=region" in page.url


def test_what_the_data_lack_is_ignored(opened):
    page = opened("ml", "&score=alchemy&dimension=<b>x</b>")
    assert page.get_by_role("combobox", name="Subject").input_value() == ""
    assert captions(page)["gaps"] == [FINDINGS["Algebra"], "Gaps of 1,000 students"]


def test_filter_that_no_chart_of_the_page_can_follow_is_not_offered(opened):
    page = opened("ml")
    assert options(page, "Subject") == ["All of them", "Algebra", "Grammar", "Essay"]
    assert options(page, "Dimension") == ["All of them", "Region", "Preparation course"]
    page = opened("trends")
    assert options(page, "Subject") == ["All of them", "Algebra", "Grammar", "Essay"]
    assert page.get_by_role("combobox", name="Dimension").count() == 0
    page = opened("status")
    assert page.get_by_role("group", name="Filter").count() == 0
