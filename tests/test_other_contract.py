"""A contract of other shape goes through the same notebooks, to the dashboard's pages."""

import json

import pytest
import yaml
from given import OTHER, REGIONS, other_results

from browser import WIDTHS, tab
from building import QUARTER, build, charts, charts_of_pages, rows, scratch
from exams import published
from serving import PAGES, drawn_on_each_page, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    places = scratch(tmp_path_factory.mktemp("other"), yaml.safe_dump(OTHER))
    other_results().to_csv(places.delivery(QUARTER) / "all.csv", index=False)
    code, lines = build(places)
    assert code == 0, lines
    return places


def test_another_contract_gets_its_figures(other):
    frame = other_results()
    found = {
        (r["dimension"], r["level"], r["score"]): r
        for r in published.read(other.published, "mean_by_group", QUARTER)
    }
    for score in ("theory", "practice"):
        assert found["all", "all", score]["mean"] == pytest.approx(frame[score].mean(), rel=1e-9)
        joiners = frame.loc[frame["trade"] == "joiner", score]
        assert found["trade", "joiner", score]["sd"] == pytest.approx(joiners.std(), rel=1e-9)
    assert found["trade", "not stated", "theory"]["n"] == (frame["trade"] == "").sum()


def test_another_contract_hides_its_small_region_and_one_more(other):
    means = published.read(other.published, "mean_by_group", QUARTER)
    hidden = {(r["dimension"], r["level"]) for r in means if r["suppressed"]}
    assert len(hidden) == 2
    assert ("region", "region 01") in hidden
    assert all(r["mean"] is r["n"] is None for r in means if r["suppressed"])


def test_another_contract_gets_its_charts_in_its_words(other):
    made = charts(other)
    assert {"levels", "means", "gaps", "at_risk", "tiers", "trend", "reconciliation"} <= set(made)
    text = json.dumps(made)
    assert "Region of the chamber" in text and "Practice mark" in text
    assert "NaN" not in text
    for name, spec in made.items():
        assert spec["title"]["text"] and len(spec["description"]) > 20, name
    assert "hidden" in json.dumps(made["means"])


def test_another_contract_is_described_in_its_words(other):
    described = dict(
        rows(
            other.warehouse,
            'SELECT "column", description FROM data_dictionary WHERE "table" = \'results\'',
        )
    )
    assert described["region"] == "Where the exam was sat."
    assert described["theory"] == "Points of the written paper."
    assert described["practice"] == "Practice mark. Null: no value."


def test_a_quarter_of_seven_students_is_built_and_shows_nothing_of_them(tmp_path):
    places = scratch(tmp_path, yaml.safe_dump(OTHER))
    other_results().iloc[-7:].to_csv(places.delivery(QUARTER) / "all.csv", index=False)
    code, lines = build(places)
    assert code == 0, lines
    assert all(r["suppressed"] for r in published.read(places.published, "mean_by_group", QUARTER))
    made = charts(places)
    assert made["means"]["title"]["text"] == ["Too few students to show"]
    assert made["flow"]["title"]["text"] == ["7 of 7 records are loaded"]


@pytest.fixture(scope="module")
def server(other):
    with served(other) as address:
        yield address


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_the_dashboard_draws_the_charts_of_another_contract(server, other, browser, width):
    with tab(browser, server, width) as opened:
        drawn = drawn_on_each_page(opened.page, server, QUARTER)
        assert drawn == charts_of_pages(other, PAGES)
        assert drawn["home"] >= 3 and drawn["ml"] >= 2
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
def test_the_dashboard_speaks_in_the_words_of_another_contract(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page=home")
        opened.page.wait_for_selector("main[data-drawn]")
        text = opened.page.locator("main").inner_text()
        assert "Contract: Trade examinations, version 7." in text
        assert "Theory paper" in text
        assert "Practice mark, mean" in text  # no overall score: the last, as in the charts
        opened.page.get_by_text("All groups as tables").click()
        assert opened.page.get_by_role("heading", name="Region of the chamber").is_visible()
        trades = opened.page.get_by_role("table", name="Trade", exact=True)
        assert trades.get_by_role("rowheader", name="<b>baker</b>").is_visible()
        regions = opened.page.get_by_role("table", name="Region of the chamber")
        small = regions.get_by_role("row").filter(has_text="region 01")
        assert small.get_by_text("hidden").count() == small.get_by_role("cell").count()
        axis = opened.page.locator("[data-chart=at_risk] svg text", has_text="<b>baker</b>")
        assert axis.count() == 1
        assert opened.page.locator("main b").count() == 0


def test_a_paper_that_nobody_sat_and_a_dimension_of_one_level_are_built(tmp_path):
    region, _, theory, practice = OTHER["fields"]
    one = {**region, "constraints": {"required": True, "enum": [REGIONS[0]]}}
    places = scratch(tmp_path, yaml.safe_dump({**OTHER, "fields": [one, theory, practice]}))
    frame = other_results().assign(Region=REGIONS[0], practice="")
    frame.to_csv(places.delivery(QUARTER) / "all.csv", index=False)
    code, lines = build(places)
    assert code == 0, lines
    means = published.read(places.published, "mean_by_group", QUARTER)
    assert [r["n"] for r in means] == [900, 0, 900, 0]
    assert "gaps" not in charts(places)
