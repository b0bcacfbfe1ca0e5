"""The dashboard's pages in a browser, on a small office made by hand."""

import itertools

import nbconvert
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

import example
import executed
from browser import DRAWN, WIDTHS, tab
from exams.intake.judging.drift import CHANGES
from exams.intake.judging.judge import REASONS, REPAIRS
from exams.places import Places
from exams.published import publish
from serving import ROOT, drawn_on_each_page, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]
CHARTS = {"home": 2, "status": 0, "etl": 1, "ml": 3, "trends": 1, "data": 0}


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Places:
    """Places that a test may change while the server shows them."""
    return example.make(tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="module")
def server(live):
    with served(live) as address:
        yield address


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_draw_their_charts_with_the_network_off(server, browser, width):
    with tab(browser, server, width) as opened:
        assert drawn_on_each_page(opened.page, server, "2026Q2") == CHARTS
        assert (opened.outside, opened.errors) == ([], [])


def test_category_that_looks_like_a_script_stays_text(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        opened.page.get_by_text("All groups as tables").click()
        assert opened.page.get_by_role("rowheader", name=example.SCRIPT).is_visible()
        assert opened.page.title() == "Exam results"
        row = opened.page.get_by_role("row").filter(has_text=example.SCRIPT)
        assert row.get_by_text("hidden").count() >= 1


def test_choice_of_quarter_and_page_is_kept_in_the_address(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        opened.page.get_by_label("Quarter").select_option("2026Q1")
        opened.page.get_by_role("link", name="ETL results").click()
        opened.page.wait_for_selector('main[data-drawn="2026Q1 etl"]')
        assert opened.page.url.endswith("?page=etl&quarter=2026Q1")


def test_quarter_of_which_a_file_was_refused_is_marked_on_every_page(server, browser):
    with tab(browser, server) as opened:
        for page in CHARTS:
            opened.page.goto(f"{server}?page={page}&quarter={example.INCOMPLETE}")
            opened.page.wait_for_selector("main[data-drawn]")
            assert opened.page.locator("header .state").inner_text() == "Incomplete", page
        opened.page.get_by_role("link", name="Home").click()
        told = opened.page.get_by_role("note").inner_text()
        assert told.startswith("Incomplete. 1 file of this quarter was refused and left out")


def test_whole_quarter_is_not_marked_but_the_one_it_is_compared_with_is(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?quarter=2026Q2")
        opened.page.wait_for_selector('main[data-drawn="2026Q2 home"]')
        header = opened.page.get_by_role("banner")
        assert header.locator(".state").count() == opened.page.get_by_role("note").count() == 0
        assert header.get_by_role("option", name="2026Q1 (incomplete)").count() == 1
        assert opened.page.get_by_text("since 2026Q1 (incomplete)").count() >= 1
        opened.page.get_by_role("link", name="Trends").click()
        heads = opened.page.get_by_role("rowheader").all_inner_texts()
        assert heads == ["2026Q3", "2026Q2", "2026Q1 (incomplete)", "2025Q4"]


def test_records_corrected_repaired_and_refused_are_explained(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page=etl&quarter={example.INCOMPLETE}")
        opened.page.wait_for_selector("main[data-drawn]")
        row = opened.page.get_by_role("row").filter(has_text="region-north.csv")
        cells = row.get_by_role("cell").all_inner_texts()
        assert cells[:5] == ["607", "597", "7", "3", "✓ Yes"]
        for code, words in [("Above maximum", REASONS["above_maximum"]),
                            ("Case", REPAIRS["case"]),
                            ("Column added", CHANGES["column_added"])]:  # fmt: skip
            row = opened.page.get_by_role("row").filter(has_text=words)
            assert row.count() == 1 and code in row.inner_text()


def test_status_names_state_duration_rows_and_reason(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page=status")
        row = opened.page.get_by_role("row").filter(has_text="2026Q3")
        load = row.get_by_role("cell").nth(2).inner_text()
        assert load.split("\n") == ["✓", "Done", "10 s · 1,000 rows", "4 Oct 2026, 09:02"]
        assert opened.page.get_by_text("E104", exact=True).is_visible()
        assert opened.page.get_by_text("the column Essay is missing").is_visible()


def test_open_page_follows_a_correction(server, browser, live):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?quarter=2025Q4&score=algebra")
        students = opened.page.locator(".tile").filter(has_text="Students")
        students.get_by_text("1,000").wait_for()
        corrected = example.tables_of("2025Q4", example.students("2025Q4", 800))
        publish(live.published, "2025Q4", corrected, ("State exams", "1.0"))
        students.get_by_text("800").wait_for(timeout=10_000)
        assert opened.page.get_by_text(", version 2, provisional. Contract").is_visible()
        opened.page.wait_for_selector("main[data-drawn]")
        assert opened.page.get_by_label("Subject").input_value() == "algebra"
        assert opened.page.locator("figcaption strong").all_inner_texts() == ["Algebra"] * 2


def test_report_opens_in_its_own_tab_without_links_that_lead_nowhere(server, browser, live):
    html = nbconvert.export(nbconvert.get_exporter("exams"), executed.notebook([]))[0]
    (live.report("2026Q3") / "visualize.html").write_text(html)
    with tab(browser, server) as opened:
        opened.page.goto(server)
        with opened.page.expect_popup() as popup:
            opened.page.get_by_role("button", name="Open the report").click()
        assert popup.value.get_by_role("heading", name="Results of the quarter").is_visible()
        assert popup.value.get_by_role("link", name="All quarters").count() == 0
        assert popup.value.get_by_text("reports are in reports/2026Q3/").is_visible()
        assert opened.errors == []


def test_best_model_of_each_target_is_told_with_what_it_leaves_and_whether_it_is_sure(
    server, browser
):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page=ml&quarter=2026Q2")
        opened.page.wait_for_selector("main[data-drawn]")
        table = opened.page.get_by_role("region", name="What background tells of scores")
        rows = [row.inner_text().split("\t") for row in table.get_by_role("row").all()[1:]]
        assert [[cell.strip() for cell in row] for row in rows] == [
            ["Algebra", "ridge", "25.0\u00a0%", "15.0\u00a0% to 35.0\u00a0%", "75.0\u00a0%", "Yes"],
            [
                "At risk",
                "logistic",
                "5.0\u00a0%",
                "−7.0\u00a0% to 17.0\u00a0%",
                "95.0\u00a0%",
                "No",
            ],
        ]
        opened.page.locator("summary").get_by_text("Calibration as a table").click()
        row = opened.page.get_by_role("row").filter(has_text="13.0")
        assert row.get_by_role("cell").all_inner_texts()[:3] == ["500", "60", "12.0\u00a0%"]


def test_model_card_opens_in_its_place_and_runs_no_script(server, browser, live):
    script = "<script>parent.document.title = 'broken'</script>"
    html = f"<title>Card</title><h1>Intended use</h1><img src=x onerror=alert(1)>{script}"
    (live.report("2026Q3") / "model_card.html").write_text(html)
    with tab(browser, server) as opened:
        page = opened.page
        page.on("dialog", lambda dialog: pytest.fail("a script of the card ran"))
        page.goto(f"{server}?page=ml&quarter=2026Q3")
        page.locator("summary").get_by_text("Model card of 2026Q3").click()
        page.frame_locator("iframe").get_by_role("heading", name="Intended use").wait_for()
        assert page.title() == "Exam results"
        assert page.locator("iframe").get_attribute("sandbox") == "allow-same-origin"


def test_rows_of_a_table_come_from_the_kernel_and_lead_to_their_sources(server, browser, live):
    html = nbconvert.export(nbconvert.get_exporter("exams"), executed.notebook([]))[0]
    (live.report("2026Q1") / "visualize.html").write_text(html)
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page=data&quarter=2026Q1&table=levels&search=essay")
        cells = opened.page.locator("table.data tbody tr")
        cells.first.wait_for()
        assert [row.split("\t")[:4] for row in cells.all_inner_texts()] == [
            ["2026Q1", "essay", "1", "Basic"],
            ["2026Q1", "essay", "2", "Advanced"],
        ]
        opened.page.get_by_role("heading", name="Where these figures come from").click()
        with opened.page.expect_popup() as popup:
            opened.page.get_by_role("button", name="Open the report at its sources").click()
        popup.value.wait_for_load_state()
        assert popup.value.url.endswith("#lineage")
        assert opened.errors == []


@pytest.mark.parametrize("width, grown", [(1280, True), (390, False)])
def test_two_columns_of_charts_end_level_and_one_column_keeps_their_order(
    server, browser, width, grown
):
    with tab(browser, server, width) as opened:
        opened.page.goto(f"{server}?page=ml")
        opened.page.wait_for_selector("main[data-drawn]")
        boxes = {
            name: opened.page.locator(f"[data-chart={name}]").bounding_box()
            for name in ("levels", "tiers", "gaps")
        }
        lefts = {box["x"] for box in boxes.values()}
        ends = sorted(box["y"] + box["height"] for box in boxes.values())
        assert len(lefts) == (2 if grown else 1)
        if grown:
            assert ends[-1] == pytest.approx(ends[-2], abs=1)
        assert boxes["levels"]["y"] <= boxes["tiers"]["y"] < boxes["gaps"]["y"]


MODULES = "/voila/templates/exams/static"


def test_durations_are_said_in_whole_minutes_and_seconds(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        said = opened.page.evaluate(
            f"""async () => {{
                const {{duration}} = await import("{MODULES}/format.js");
                return [0.84, 6, 9.96, 59.7, 119.6, 3599.7, 7530].map((s) => duration(0, 1000 * s));
            }}"""
        )
    assert said == ["0.8 s", "6.0 s", "10 s", "1 min 0 s", "2 min 0 s", "1 h 0 min", "2 h 5 min"]


def test_long_table_shows_its_first_rows_until_asked_for_the_others(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        opened.page.wait_for_selector("main[data-drawn]")
        opened.page.evaluate(
            f"""async () => {{
                const {{longTable}} = await import("{MODULES}/dom.js");
                const rows = (n) => Array.from({{length: n}}, (_, i) => [`Column ${{i}}`]);
                const table = (n) => longTable(`${{n}} rows`, [{{title: "Name"}}], rows(n));
                document.querySelector("main").replaceChildren(table(15), table(50));
            }}"""
        )
        short, long = (
            opened.page.get_by_role("region", name=f"{n} rows").get_by_role("rowheader")
            for n in (15, 50)
        )
        assert short.count() == 15
        assert long.all_inner_texts() == [f"Column {i}" for i in range(12)]
        opened.page.get_by_role("button", name="Show all 50").click()
        assert long.count() == 50


def test_report_asked_for_while_the_line_is_down_is_asked_for_when_it_is_up(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        sent = opened.page.evaluate(
            f"""async () => {{
                const sent = [];
                let line;
                window.WebSocket = class {{
                    static OPEN = 1;
                    constructor() {{ line = this; this.readyState = 0; }}
                    send(text) {{ sent.push(JSON.parse(text).content.data); }}
                }};
                const {{connect}} = await import("{MODULES}/link.js?again");
                const ask = connect({{base: "/", kernel: "k", comm: "c"}}, () => {{}}, () => {{}});
                ask({{quarter: "2026Q1"}});
                ask({{report: "2026Q1"}});
                ask({{quarter: "2026Q2"}});
                line.readyState = 1;
                line.onopen();
                return sent;
            }}"""
        )
    assert sent == [{"report": "2026Q1"}, {"quarter": "2026Q2"}]


LONG = ["Elementary algebra and arithmetic", "Grammar of every language spoken here"]


@pytest.mark.parametrize(
    "names, lines",
    [
        (["Algebra", "Grammar", "Essay"], 1),
        (["Elementary algebra", "Grammar", "Advanced arithmetic"], 2),
        ([*LONG, *LONG], None),  # aslant
    ],
)
def test_names_on_an_axis_stand_clear_of_each_other(server, browser, names, lines):
    names = [f"{name}{' ' * i}" for i, name in enumerate(names)]  # all different
    spec = {
        "data": {"values": [{"name": name, "mean": 5} for name in names]},
        "mark": "bar",
        "encoding": {
            "x": {"field": "name", "type": "nominal", "sort": None, "axis": {"labelAngle": 0}},
            "y": {"field": "mean", "type": "quantitative"},
        },
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
    }
    with tab(browser, server, 390) as opened:
        opened.page.goto(server)
        opened.page.wait_for_selector("main[data-drawn]")
        labels = opened.page.evaluate(
            f"""async (spec) => {{
                const {{drawChart}} = await import("{MODULES}/charts.js");
                const figure = document.querySelector("figure");
                figure.replaceChildren();
                await drawChart(figure, spec);
                const axis = figure.querySelector(".role-axis-label"); // the x axis comes first
                return [...axis.querySelectorAll("text")].map((text) => {{
                    const words = [...text.querySelectorAll("tspan")].find((t) => t.textContent);
                    const {{left, right, top}} = (words ?? text).getBoundingClientRect();
                    const transform = text.getAttribute("transform");
                    return {{left, right, top: Math.round(top), transform}};
                }});
            }}""",
            spec,
        )
    assert len(labels) == len(names)
    assert all(("rotate" in label["transform"]) == (lines is None) for label in labels)
    if lines:
        rows = [[b for b in labels if b["top"] == top] for top in {b["top"] for b in labels}]
        assert len(rows) == lines
        assert all(a["right"] <= b["left"] for row in rows for a, b in itertools.pairwise(row))


def test_cells_of_an_analyst_are_shown_below(live, browser, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks/dashboard.ipynb", as_version=4)
    notebook.cells += [
        new_markdown_cell("## A look of my own", id="own"),
        new_code_cell("from IPython.display import HTML", id="import"),
        new_code_cell("HTML('<b>from a cell</b>')", id="output"),
    ]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pipeline.yaml").touch()
    nbformat.write(notebook, tmp_path / "notebooks/dashboard.ipynb")
    with served(live, tmp_path) as address, tab(browser, address) as opened:
        opened.page.goto(address)
        opened.page.get_by_role("heading", name="A look of my own").wait_for()
        opened.page.get_by_text("from a cell").wait_for()
        assert opened.page.evaluate(DRAWN) == CHARTS["home"]
        assert opened.outside == []
