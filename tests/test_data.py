"""The page of data: what it may ask for, and what it shows of a published table."""

import json
import re

import pytest

import example
from browser import tab
from exams.dashboard.kernel import answer
from exams.dashboard.tables import catalog, table
from exams.errors import ExamsError
from exams.published import publish, withdraw
from exams.static_site import write_site

GIVEN = 10_000  # rows of the long table


def tables_of(quarter):
    """Return a quarter with many rows, hidden ones, and texts that are none of ours."""
    tables = example.tables_of(quarter, example.students(quarter, 60))
    row = {"quarter": quarter, "file": "=cmd", "reason": "above_maximum", "records": 1}
    row |= {"meaning": example.SCRIPT}
    tables["quarantine_count"] = [
        row | {"column": f"c{i}", "records": GIVEN - i} for i in range(GIVEN)
    ]
    return tables


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    places = example.make(tmp_path_factory.mktemp("data"))
    publish(places.published, "2026Q3", tables_of("2026Q3"), ("State exams", "1.0"))
    write_site(places)
    return places


# What the kernel answers


def test_catalogue_tells_rows_hidden_ones_quarters_and_sources(places):
    found = {entry["name"]: entry for entry in catalog(places)}
    assert "catalog" not in found
    entry = found["quarantine_count"]
    assert (entry["title"], entry["first_quarter"]) == ("Quarantine count", "2025Q4")
    assert entry["rows"] > GIVEN and entry["hidden"] == 0
    assert found["mean_by_group"]["hidden"] > 0
    assert found["gaps"]["sources"] == ["mean_by_group"]


def test_table_is_given_with_the_meaning_of_its_columns(places):
    found = answer(places, {"table": "levels", "of": "2026Q1"})["table"]
    names = [column["name"] for column in found["columns"]]
    first = dict(zip(names, found["rows"][0], strict=True))
    assert (first["quarter"], first["score"], first["level"]) == ("2026Q1", "algebra", "Basic")
    share = found["columns"][names.index("share")]
    assert (share["kind"], share["key"]) == ("number", False) and share["description"]
    assert len(answer(places, {"table": "levels", "of": None})["table"]["rows"]) > len(
        found["rows"]
    )


@pytest.mark.parametrize("name", ["sqlite_master", "catalog", "data_dictionary", "", None])
def test_table_that_is_not_in_the_catalogue_is_not_given(places, name):
    found = answer(places, {"table": name, "of": None})
    assert found == {"error": "E307 There is no published table of this name. Choose another."}


@pytest.mark.parametrize(
    "question",
    [
        {"table": "levels"},
        {"table": "levels", "of": "' OR 1"},
        {"table": "levels", "of": None, "have": "x"},
        {"table": ["levels"], "of": None},
        {"table": "l" * 65, "of": None},
    ],
)
def test_anything_else_is_no_question(places, question):
    assert answer(places, question) == {"error": "This was no question."}


def test_quarter_that_is_not_published_has_no_rows(places):
    assert table(places, "levels", "1999Q1")["rows"] == []


def test_site_has_a_file_for_each_table_that_follows_the_publication(tmp_path):
    places = example.make(tmp_path)
    write_site(places)
    folder = places.site / "data" / "tables"
    assert {f.stem for f in folder.iterdir()} == {entry["name"] for entry in catalog(places)}
    before = {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}
    write_site(places, "2026Q3")
    assert {f.name: f.stat().st_mtime_ns for f in folder.iterdir()} == before
    withdraw(places.published, "2026Q1")
    write_site(places)
    given = (folder / "levels.js").read_text()
    assert json.loads(given[len("exams.give(") : -len(");\n")]) == table(places, "levels")
    assert "2026Q1" not in given
    (folder / "levels.js").unlink()
    write_site(places)
    assert (folder / "levels.js").is_file()


def test_release_without_a_catalogue_has_an_empty_one(tmp_path):
    places = example.make(tmp_path)
    places.published.write_bytes(b"")
    with pytest.raises(ExamsError, match="E303"):
        catalog(places)


# What the browser shows


@pytest.fixture
def opened(places, browser):
    """Return a function that opens the page of data and waits for what it shows."""
    site = (places.site / "index.html").as_uri()
    with tab(browser, site.removesuffix("index.html"), offline=True) as found:

        def turn_to(more="", quarter="2026Q3"):
            found.page.goto(f"{site}?page=data&quarter={quarter}{more}")
            found.page.wait_for_selector(".card table")
            return found.page

        yield turn_to
        assert (found.outside, found.errors) == ([], [])


def rows(page):
    return page.locator("table.data tbody tr")


def in_sight(page):
    return page.locator(".pager [role=status]").inner_text()


def search(page, text):
    page.get_by_role("searchbox").fill(text)


@pytest.mark.browser
def test_tables_are_listed_searched_and_chosen(opened):
    page = opened()
    listed = page.get_by_role("region", name="Published tables").locator("tbody tr")
    assert listed.first.inner_text().startswith("Publication")
    search(page, "gap hidden")
    assert page.get_by_text(re.compile(r"^\d+ of \d+ tables$")).is_visible()
    search(page, "mean and spread crossing")
    names = [row.get_by_role("link").inner_text() for row in listed.all() if row.is_visible()]
    assert names == ["Mean by crossing"]
    search(page, "quarantine")
    page.get_by_role("link", name="Quarantine count").click()
    page.wait_for_selector("table.data")
    assert page.url.endswith("?page=data&quarter=2026Q3&table=quarantine_count")
    assert in_sight(page) == "Rows 1–50 of 10,000. The headings sort."
    page.get_by_role("link", name="← All tables").click()
    assert listed.count() > 20


@pytest.mark.browser
def test_rows_are_searched_sorted_and_turned_and_a_link_shows_the_same(opened):
    page = opened("&table=quarantine_count")
    assert rows(page).count() == 50
    search(page, "C99 ABOVE")
    assert in_sight(page) == "Rows 1–50 of 111. The headings sort."
    page.get_by_role("button", name="Next rows").click()
    page.get_by_role("button", name="Next rows").click()
    assert in_sight(page) == "Rows 101–111 of 111. The headings sort."
    assert page.get_by_role("button", name="Next rows").is_disabled()
    page.get_by_role("button", name="records (records)").focus()
    page.keyboard.press("Enter")
    heads = page.locator("table.data th[aria-sort=ascending]")
    assert heads.inner_text() == "records (records)"
    records = rows(page).locator("td:nth-child(5)")
    assert records.first.inner_text() == "1"
    page.keyboard.press("Enter")  # the heading keeps the focus
    assert records.first.inner_text() == "9,901"
    address = page.url
    assert address.endswith("&table=quarantine_count&search=C99+ABOVE&sort=-records")
    page.get_by_role("button", name="Next rows").click()
    page.get_by_role("button", name="Next rows").press("Enter")
    assert page.url == f"{address}&from=101"
    assert page.evaluate("document.activeElement.textContent") == "Former rows"  # the last rows
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("table.data")
    assert in_sight(page) == "Rows 101–111 of 111. The headings sort."
    assert page.locator("table.data th[aria-sort=descending]").inner_text() == "records (records)"
    assert records.first.inner_text() == "11"
    search(page, "nowhere")
    assert in_sight(page) == "No row is found."
    assert page.url.endswith("&search=nowhere&sort=-records")  # from the first row on


@pytest.mark.browser
@pytest.mark.parametrize(
    ("more", "said", "first"),
    [
        ("&sort=nowhere&from=x", "Rows 1–50 of 10,000", "10,000"),
        ("&sort=records&from=-7", "Rows 1–50 of 10,000", "1"),
        ("&sort=records&from=70", "Rows 51–100 of 10,000", "51"),
        ("&from=1e99", "Rows 9,951–10,000 of 10,000", "50"),
    ],
)
def test_order_and_place_that_the_rows_do_not_have_are_ignored(opened, more, said, first):
    page = opened(f"&table=quarantine_count{more}")
    page.wait_for_selector("table.data")
    assert in_sight(page) == f"{said}. The headings sort."
    assert rows(page).first.locator("td").nth(4).inner_text() == first


@pytest.mark.browser
def test_order_and_place_stay_when_something_new_is_published(tmp_path, browser):
    places = example.make(tmp_path)
    publish(places.published, "2026Q3", tables_of("2026Q3"), ("State exams", "1.0"))
    write_site(places)
    site = (places.site / "index.html").as_uri()
    with tab(browser, site.removesuffix("index.html"), offline=True) as opened:
        page = opened.page
        page.clock.install()
        page.goto(f"{site}?page=data&table=quarantine_count&sort=records&from=51")
        page.wait_for_selector("table.data")
        assert rows(page).first.locator("td").nth(4).inner_text() == "51"
        page.get_by_role("button", name="column").focus()
        page.locator(".scroll:has(.data)").evaluate("box => { box.scrollTop = 200; }")
        fewer = {name: rows[1:] for name, rows in tables_of("2026Q3").items()}
        fewer["quarantine_count"] = tables_of("2026Q3")["quarantine_count"][:-50]
        publish(places.published, "2026Q3", fewer, ("State exams", "1.0"))
        write_site(places, "2026Q3")
        page.clock.run_for(15_000)
        page.get_by_text("Rows 51–100 of 9,950").wait_for()
        assert rows(page).first.locator("td").nth(4).inner_text() == "101"
        page.wait_for_selector("main[data-drawn]")
        assert page.evaluate("document.activeElement.textContent") == "column"
        assert page.locator(".scroll:has(.data)").evaluate("box => box.scrollTop") == 200
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
def test_hidden_cells_say_so_and_come_last(opened):
    page = opened("&table=at_risk_by_group")
    n = page.locator("table.data th").all_inner_texts().index("n (students)")
    page.get_by_role("button", name="n (students)").click()
    cells = rows(page).locator(f"td:nth-child({n + 1})").all_inner_texts()
    assert cells[-1] == "hidden" and cells[0] != "hidden"
    page.get_by_role("button", name="n (students)").click()
    assert rows(page).locator(f"td:nth-child({n + 1})").all_inner_texts()[-1] == "hidden"


@pytest.mark.browser
def test_rows_in_sight_and_the_whole_table_are_saved(opened):
    page = opened("&table=quarantine_count")
    search(page, '"c17"')
    assert in_sight(page) == "No row is found."
    search(page, "c17")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save these rows (CSV)").click()
    assert download.value.suggested_filename == "quarantine_count-2026Q3.csv"
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 112
    assert lines[1].startswith("2026Q3,'=cmd,c17,above_maximum,")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the whole table (CSV)").click()
    assert download.value.suggested_filename == "quarantine_count-all.csv"
    assert sum(1 for _ in download.value.path().open()) > GIVEN + 1


@pytest.mark.browser
def test_meaning_and_origin_are_told_and_lead_to_the_sources(opened):
    page = opened("&table=gaps&span=all")
    page.get_by_role("heading", name="What the columns mean").click()
    meaning = page.get_by_role("region", name="What the columns mean")
    assert meaning.get_by_role("row", name="effect number standard deviations").count() == 1
    page.get_by_role("heading", name="Where these figures come from").click()
    command = "exams lineage published.gaps --quarter 2026Q3"
    assert page.get_by_text(command).is_visible()
    page.get_by_role("link", name="Mean by group").click()
    page.wait_for_selector("table.data")
    assert page.url.endswith("&table=mean_by_group")


@pytest.mark.browser
def test_table_that_the_address_names_and_nobody_published_is_ignored(opened):
    page = opened("&table=sqlite_master")
    assert page.get_by_role("heading", name="Published tables").is_visible()
