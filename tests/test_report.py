"""The HTML report of a stage, and the list of quarters."""

import json
import re
import subprocess
import sys

import altair as alt
import nbconvert
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_output

import example
import executed
from browser import DRAWN, OVERFLOW, WIDTHS, tab
from exams.places import Places
from exams.published import publish
from exams.report import sentence, tidied
from exams.site import write_index
from exams.stages.gallery import Gallery
from exams.stages.notice import incomplete

TABLE = pd.DataFrame({"group": ["north", "<script>x</script>"], "mean": [68.25, None]})


@pytest.fixture(scope="session")
def places(tmp_path_factory) -> Places:
    return example.make(tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def charts(places) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(places.charts("2026Q3").iterdir())]


def export(notebook) -> str:
    return nbconvert.export(nbconvert.get_exporter("exams"), notebook)[0]


def test_same_notebook_gives_the_same_report(charts):
    assert export(executed.notebook(charts, TABLE)) == export(executed.notebook(charts, TABLE))


def test_report_holds_no_path_of_the_machine_and_no_address(charts):
    html = export(executed.notebook([]))
    assert executed.FOLDER not in html
    assert "http" not in html
    assert executed.FOLDER not in export(executed.notebook(charts))


def test_report_names_quarter_and_stage_and_leads_to_the_others():
    html = export(executed.notebook([]))
    assert "<title>Results of the quarter · 2026Q3</title>" in html
    assert '<a aria-current="page" href="visualize.html">Visualize</a>' in html
    assert '<a href="load.html">Load</a>' in html
    assert 'href="../index.html"' in html
    assert 'href="#What-the-charts-show"' in html


def test_first_finding_of_each_section_of_results_stands_before_them_and_leads_there(tmp_path):
    gallery = Gallery(tmp_path)
    bar = alt.Chart(TABLE).mark_bar().encode(x="mean:Q")
    pages = {"files": "etl", "means": "home ml", "more": "ml", "trend": "trends", "runs": "report"}
    for name, page in pages.items():
        gallery.show(name, page, bar, f"Finding <{name}>", "of 20 students", "Bars")
    whole = executed.notebook([json.loads(path.read_text()) for path in gallery.paths()])
    whole.cells.insert(-2, new_markdown_cell("## Quarter by quarter", id="quarters"))
    page = BeautifulSoup(export(whole), "html.parser")
    found = page.select("nav.short li")
    assert [(line.span.get_text(), line.a.get_text()) for line in found] == [
        ("What the charts show", "Finding <means>"),
        ("Quarter by quarter", "Finding <trend>"),
    ]
    figures = [page.select_one(line.a["href"]) for line in found]
    assert [json.loads(f.script.string)["usermeta"]["order"] for f in figures] == [2, 4]
    first = page.select_one("nav.short").find_next("section")
    assert "Every group" in first.get_text()


def test_one_finding_needs_no_list(tmp_path):
    gallery = Gallery(tmp_path)
    bar = alt.Chart(TABLE).mark_bar().encode(x="mean:Q")
    gallery.show("means", "home", bar, "Finding", "of 20 students", "Bars")
    alone = executed.notebook([json.loads(path.read_text()) for path in gallery.paths()])
    assert not BeautifulSoup(export(alone), "html.parser").select("nav.short")


def test_chart_script_is_there_once_and_only_with_charts(charts):
    with_charts, without = (export(executed.notebook(c)) for c in (charts, []))
    packed = '<script id="vega" type="application/gzip">'
    assert with_charts.count(packed) == 1
    assert len(with_charts) < 800_000
    assert packed not in without
    assert len(without) < 50_000


def test_numbers_of_a_table_stand_right_and_words_left():
    html = tidied(TABLE.to_html())
    assert '<td class="number">68.25</td>' in html
    assert '<th class="number">mean</th>' in html
    assert "<td>north</td>" in html


def test_name_of_the_index_stands_in_the_row_of_headings():
    html = tidied(TABLE.set_index("group").to_html())
    assert "<thead><tr><th>group</th>" in "".join(html.split("\n")).replace("  ", "")
    assert html.count("<tr") == 3


def test_text_as_the_value_of_a_cell_is_words_and_nothing_else_is():
    assert sentence(repr("Nobody's mean has changed.")) == "Nobody's mean has changed."
    assert [sentence(text) for text in ("970", "<chart>", "[1]", "")] == [None] * 4


def test_numbers_below_a_label_of_several_rows_stand_right_too():
    table = pd.DataFrame({"level": ["female", "male"], "n": [518, 482], "gap": [5, -5]})
    html = tidied(table.assign(dimension="gender").set_index(["dimension", "level"]).to_html())
    assert html.count('class="number"') == 2 * 3
    assert '<th>male</th>\n<td class="number">482</td>' in html


def test_html_that_is_no_table_is_left_alone():
    assert tidied("<b>7</b>") == "<b>7</b>"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_report_draws_its_charts_from_a_file(tmp_path, browser, charts, width, scheme):
    path = tmp_path / "visualize.html"
    path.write_text(export(executed.notebook(charts, TABLE)))
    with tab(browser, path.as_uri(), width, color_scheme=scheme, offline=True) as opened:
        opened.page.goto(path.as_uri())
        opened.page.wait_for_selector(f'body[data-drawn="{len(charts)}"]')
        assert opened.page.evaluate(DRAWN) == len(charts)
        assert opened.page.evaluate(OVERFLOW) <= 0
        figures = opened.page.get_by_role("img", name="What gaps shows.")
        assert figures.count() == 1
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_has_dark_words_charts_and_tables_but_no_controls(tmp_path, browser, charts, scheme):
    path = tmp_path / "visualize.html"
    path.write_text(export(executed.notebook(charts, TABLE)))
    with tab(browser, path.as_uri(), 700, color_scheme=scheme) as opened:
        page = opened.page
        page.goto(path.as_uri())
        page.wait_for_selector(f'body[data-drawn="{len(charts)}"]')
        controls = page.locator("header, aside, summary, input").filter(visible=True)
        assert controls.count() > 0
        page.emulate_media(media="print")
        assert controls.count() == 0
        dark = "e => getComputedStyle(e).{}.match(/\\d+/g).every((part) => part < 140)"
        assert page.locator("body").evaluate(dark.format("color"))
        assert page.locator(".canvas svg text").first.evaluate(dark.format("fill"))
        assert page.evaluate(DRAWN) == len(charts)
        assert page.evaluate(OVERFLOW) <= 0
        assert page.get_by_role("cell", name="68.25").is_visible()


@pytest.mark.browser
def test_code_is_shown_only_when_asked_for(tmp_path, browser):
    path = tmp_path / "load.html"
    path.write_text(export(executed.notebook([], TABLE)))
    with tab(browser, path.as_uri()) as opened:
        opened.page.goto(path.as_uri())
        code = opened.page.get_by_text("read(quarter)")
        assert not code.is_visible()
        opened.page.get_by_label("Show the code").check()
        assert code.is_visible()


def test_list_shows_key_figures_newest_first(places):
    html = write_index(places).read_text()
    assert html.index("2026Q3/visualize.html") < html.index("2026Q2/visualize.html")
    assert "<dt>Students</dt><dd>1,000</dd>" in html
    frame = example.students("2026Q3")
    assert f"<dt>Algebra, mean</dt><dd>{frame['algebra'].mean():.1f}</dd>" in html


def test_list_marks_the_quarter_of_which_a_file_was_refused(places):
    html = write_index(places).read_text()
    parts = html.split("<article")[1:]
    marked = [">Incomplete<" in part for part in parts]
    assert marked == [quarter == example.INCOMPLETE for quarter in reversed(example.QUARTERS)]
    words = " ".join(html.split())
    assert "1 file was refused and left out: the figures lack its records." in words


def test_report_gives_a_notice_before_its_figures():
    mimes = incomplete(2)._repr_mimebundle_()
    shown = executed.notebook([])
    shown.cells[4].outputs = [new_output("execute_result", data=mimes, execution_count=1)]
    html = export(shown)
    assert '<p class="callout bad"><strong>Incomplete.</strong> 2 files' in html
    assert incomplete(0) is None


def test_long_text_of_a_table_gets_a_broad_column():
    html = tidied(pd.DataFrame({"why": ["a" * 41, "b" * 40]}).to_html())
    assert f'<td class="long">{"a" * 41}</td>' in html
    assert f"<td>{'b' * 40}</td>" in html


def test_list_leads_only_to_reports_that_exist(places):
    (places.report("2026Q1") / "load.html").touch()
    html = write_index(places).read_text()
    assert 'href="2026Q1/load.html"' in html
    assert 'href="2026Q2/load.html"' not in html


@pytest.fixture
def listed(tmp_path):
    """Return a function that publishes tables as 2026Q1 and returns the list's key figures."""
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    places.reports.mkdir()

    def figures(tables):
        publish(places.published, "2026Q1", tables, ("State exams", "1.0"))
        html = write_index(places).read_text()
        return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html))

    return figures


def test_list_counts_students_where_only_those_at_risk_are_hidden(listed):
    tables = example.tables_of("2026Q1", example.students("2026Q1", 60))
    hidden = dict.fromkeys(("n", "at_risk", "share", "ci_low", "ci_high")) | {"suppressed": 1}
    tables["at_risk_by_group"] = [row | hidden for row in tables["at_risk_by_group"]]
    found = listed(tables)
    assert (found["Students"], found["At risk"]) == ("60", "hidden")


def test_list_does_not_say_hidden_where_there_is_nobody(listed):
    tables = example.tables_of("2026Q1", example.students("2026Q1", 60))
    nobody = {"n": 0, "ci_low": None, "ci_high": None, "suppressed": 0}
    risk, mean = {"at_risk": 0, "share": None}, {"mean": None, "sd": None}
    tables["at_risk_by_group"] = [row | nobody | risk for row in tables["at_risk_by_group"]]
    tables["mean_by_group"] = [row | nobody | mean for row in tables["mean_by_group"]]
    found = listed(tables)
    assert (found["Students"], found["At risk"], found["Algebra, mean"]) == ("0", "–", "–")


def test_list_says_hidden_and_keeps_names_as_text(listed):
    tables = example.tables_of("2026Q1", example.students("2026Q1", 6))
    tables["field"][2]["title"] = "<b>Algebra</b>"
    found = listed(tables)
    assert found["Students"] == "hidden"
    assert found["&lt;b&gt;Algebra&lt;/b&gt;, mean"] == "hidden"


def test_list_needs_neither_nbconvert_nor_pandas():
    code = "import exams.site, sys; print([m for m in ('nbconvert', 'pandas') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
