"""The static site: the dashboard's pages from files alone."""

import json
import re
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

import example
from browser import tab
from exams import files, published, static_site, status
from exams.dashboard import payload as payloads
from exams.dashboard.now import now
from exams.dashboard.payload import payload
from exams.errors import ExamsError
from exams.moments import moment
from exams.places import Places
from exams.published import publish
from exams.quarters import Timing
from exams.site import write_index
from exams.static_site import write_site
from exams.ticks import Ticks, write_ticks
from exams.web.bundle import bundle
from serving import drawn_on_each_page

AS_OF = re.compile(rb'"as_of":"[^"]*"')


def ticks(**changes) -> Ticks:
    """Return what a schedule notes that is alive now: a sign of life is good for minutes."""
    beat = moment()
    found = Ticks("production", "0 2 1 1,4,7,10 *", "UTC", "host", 1, beat, next_tick=beat)
    return replace(found, **changes)


CHARTS = {"home": 2, "status": 0, "etl": 1, "ml": 3, "trends": 1, "data": 0}


@pytest.fixture
def places(tmp_path) -> Places:
    places = example.make(tmp_path)
    write_site(places)
    return places


def given(places, name):
    """Return what a file of data gives the page."""
    text = (places.site / "data" / f"{name}.js").read_text()
    assert text.startswith("exams.give(") and text.endswith(");\n")
    return json.loads(text[len("exams.give(") : -len(");\n")])


def written(places):
    files = [f for f in places.site.rglob("*.*") if f.parent.name != "tables"]
    return {f.name: f.stat().st_mtime_ns for f in files if f.suffix != ".json"}


def contents(places):
    """Return what is written, but for the time at which."""
    files = [file for file in places.site.rglob("*.*") if file.suffix != ".json"]
    return {file.name: AS_OF.sub(b"", file.read_bytes()) for file in files}


# What is written


def test_files_give_what_a_kernel_would_send(places):
    for quarter in example.QUARTERS:
        sent = payload(places, quarter)
        del sent["stamp"]
        assert {**given(places, "common"), **given(places, quarter)} == sent
    told, sent = given(places, "now"), now(places, Timing())
    assert told | {"as_of": ""} == sent | {"as_of": ""}


def test_nothing_is_written_again_unless_it_has_changed(places):
    before = written(places)
    write_site(places, example.NEWEST)
    assert written(places) == before
    tables = example.tables_of("2026Q1", example.students("2026Q1", 800))
    publish(places.published, "2026Q1", tables, ("State exams", "1.0"))
    write_site(places, "2026Q1")
    changed = {name for name, time in written(places).items() if time != before[name]}
    assert changed == {"2026Q1.js", "common.js", "version.js"}


def test_where_nothing_has_changed_nothing_is_read(places, monkeypatch):
    def read(*_):
        raise AssertionError("The site is made of what it was made of before.")

    monkeypatch.setattr("exams.static_site.payload.of_quarter", read)
    monkeypatch.setattr("exams.static_site.payload.common", read)
    write_site(places, example.NEWEST)


@pytest.mark.parametrize(
    "change",
    [
        lambda places: (places.site / "style.css").write_text("p {}"),
        lambda places: (places.site / "data" / "tables" / "levels.js").unlink(),
        lambda places: (places.charts("2026Q3") / "more.vl.json").write_text('{"mark": "bar"}'),
        lambda places: (places.reports / "2026Q3" / "visualize.html").write_text("Report"),
        lambda places: status.start(places.status, "2026Q3", "extract"),
        lambda places: write_ticks(places, ticks()),
        lambda places: (places.site / "data" / "now.js").unlink(),
    ],
    ids=["page", "table", "chart", "report", "status", "schedule", "standing"],
)
def test_whatever_has_changed_is_written(places, change):
    change(places)
    write_site(places, "2026Q3")
    found = contents(places)
    shutil.rmtree(places.site)
    write_site(places, "2026Q3")
    assert found == contents(places)


def test_what_changed_during_a_build_is_written_when_it_ends(places):
    """After each stage the site follows, but for the quarter that is in the making."""
    chart = places.charts("2026Q3") / "more.vl.json"
    chart.write_text('{"mark": "bar"}')
    write_site(places)
    assert "more" not in {chart["name"] for chart in given(places, "2026Q3")["charts"]}
    write_site(places, "2026Q1")  # another build ends meanwhile
    write_site(places, "2026Q3")
    assert "more" in {chart["name"] for chart in given(places, "2026Q3")["charts"]}


def test_version_names_every_quarter_and_changes_with_its_figures(places):
    before = given(places, "version")
    assert set(before["quarters"]) == set(example.QUARTERS)
    tables = example.tables_of("2026Q1", example.students("2026Q1", 800))
    publish(places.published, "2026Q1", tables, ("State exams", "1.0"))
    write_site(places, "2026Q1")
    now = given(places, "version")
    assert now["stamp"] != before["stamp"]
    assert {q for q in before["quarters"] if now["quarters"][q] != before["quarters"][q]} == {
        "2026Q1"
    }


def test_quarter_that_is_withdrawn_is_nowhere_in_the_site(places):
    published.withdraw(places.published, "2026Q1")
    write_site(places)
    assert not (places.site / "data" / "2026Q1.js").exists()
    assert "2026Q1" not in given(places, "version")["quarters"]
    assert "2026Q1" not in given(places, "common")["quarters"]
    assert all(entry["quarter"] != "2026Q1" for entry in given(places, "common")["history"])


def test_site_is_written_anew_when_a_tick_is_noted_and_not_for_a_sign_of_life(places):
    begun = ticks()
    write_ticks(places, begun)
    write_site(places)
    before = written(places)
    write_ticks(places, replace(begun, heartbeat=moment()))
    write_site(places)
    assert written(places) == before
    write_ticks(places, replace(begun, last_tick="2026-10-01T02:00:00+00:00"))
    write_site(places)
    changed = {name for name, time in written(places).items() if time != before[name]}
    assert changed == {"now.js", "version.js"}
    assert given(places, "now")["schedule"]["last_tick"] == "2026-10-01T02:00:00+00:00"


def test_quarters_to_come_are_told_with_the_day_by_which_they_are_due(places):
    write_site(places, timing=Timing(grace_days=45))
    coming = {entry["quarter"]: entry["due_by"] for entry in given(places, "now")["coming"]}
    assert coming == {"2027Q1": "2027-05-15", "2027Q2": "2027-08-14", "2027Q3": "2027-11-14"}


@pytest.mark.parametrize("damage", ["2026Q2.js is gone", "version.js is damaged"])
def test_file_that_is_gone_or_damaged_is_written_again(places, damage):
    before = contents(places)
    file = places.site / "data" / damage.split()[0]
    file.unlink() if "gone" in damage else file.write_text("exams.give([")
    write_site(places)
    assert contents(places) == before


def test_quarter_of_another_release_is_written_again(places, monkeypatch):
    file = places.site / "data" / "2026Q2.js"
    file.write_text("exams.give({});\n")
    write_site(places)
    assert given(places, "2026Q2") == {}  # it is not looked into
    (places.site / ".made.json").unlink()  # as another release writes another one
    monkeypatch.setattr("exams.static_site._write_page", lambda folder: "another release")
    write_site(places)
    assert given(places, "2026Q2")["quarter"] == "2026Q2"


def test_quarter_whose_charts_another_build_is_making_waits_for_that(places):
    (places.site / "data" / "2026Q2.js").unlink()
    chart = places.charts("2026Q2") / "risk.vl.json"
    whole = chart.read_text()
    chart.write_text("{")
    write_site(places, "2026Q3")
    assert "2026Q2" not in given(places, "common")["quarters"]
    with pytest.raises(ValueError):
        write_site(places, "2026Q2")
    chart.write_text(whole)
    write_site(places, "2026Q2")
    assert "2026Q2" in given(places, "common")["quarters"]


def test_quarter_that_another_build_publishes_while_the_site_is_written_is_no_error(
    places, monkeypatch
):
    look = payloads.stamps

    def looked(of):
        """Look, and find that a quarter was published right after."""
        return {name: stamp for name, stamp in look(of).items() if name != example.NEWEST}

    (places.charts(example.NEWEST) / "more.vl.json").write_text('{"mark": "bar"}')
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(payloads, "stamps", looked)
        write_site(places, example.NEWEST)
    found = contents(places)
    read = []
    monkeypatch.setattr(
        payloads, "common", lambda of, real=payloads.common: read.append(of) or real(of)
    )
    write_site(places, example.NEWEST)
    assert (len(read), contents(places)) == (1, found)  # what was noted is not trusted
    write_site(places, example.NEWEST)
    assert len(read) == 1


def test_a_site_that_another_build_is_writing_is_not_taken_away_under_it(places, monkeypatch):
    first = places.published.rename(places.published.with_name("first.db"))

    @contextmanager
    def waiting(path):
        """Hold the lock as soon as the build that publishes first gives it back."""
        first.rename(places.published)
        with files.locked(path):
            yield

    before = contents(places)
    monkeypatch.setattr(static_site, "locked", waiting)
    write_site(places)
    assert contents(places) == before


def test_without_a_publication_there_is_no_site(places):
    places.published.unlink()
    write_site(places)
    assert not places.site.exists()


def test_publication_that_cannot_be_read_leaves_the_site_as_it_is(places):
    before = written(places)
    places.published.write_bytes(b"not a database, nor anything like one")
    with pytest.raises(ExamsError, match="E303"):
        write_site(places)
    assert written(places) == before


def test_list_of_quarters_leads_to_the_site_once_there_is_one(tmp_path):
    places = example.make(tmp_path)
    assert "site/index.html" not in write_index(places).read_text()
    write_site(places)
    assert 'href="site/index.html?quarter=2026Q3"' in write_index(places).read_text()


# One script out of modules


@pytest.fixture
def script(tmp_path):
    """Return a function that writes modules and returns the script that the first becomes."""

    def bundled(**modules):
        for name, text in modules.items():
            (tmp_path / f"{name}.js").write_text(f"{text}\n")
        return bundle(tmp_path / f"{next(iter(modules))}.js")

    return bundled


def test_modules_become_one_script_each_after_those_it_imports(script):
    lines = script(
        a='import {b, one as first} from "./b.js";\nexport function a() {}',
        b='import {\n  c,\n} from "./c.js";\nexport const b = 1;\nexport async function one() {}',
        c="export const c = 1;",
        d="export const d = 1;",
    ).splitlines()
    assert [line.split(" = ")[0] for line in lines if line.startswith("modules[")] == [
        'modules["c.js"]',
        'modules["b.js"]',
        'modules["a.js"]',
    ]
    assert 'const {b, one: first} = modules["b.js"];' in lines
    assert "return {b, one};" in lines
    assert "async function one() {}" in lines


@pytest.mark.parametrize(
    "text",
    ["export default 1;", "export let a = 1;", 'import * as b from "./b.js";', 'import "x";'],
)
def test_way_to_import_or_export_that_is_not_understood_is_refused(script, text):
    with pytest.raises(ValueError, match=r"a\.js"):
        script(a=text)


# In a browser


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Places:
    """Places that a test may change while a page shows them."""
    places = example.make(tmp_path_factory.mktemp("live"))
    write_site(places)
    return places


@pytest.fixture(scope="module")
def server(live):
    """The address of the site on a plain web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=live.reports)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/site/index.html"
        server.shutdown()


@pytest.mark.browser
def test_every_page_is_drawn_from_a_file_with_the_network_off(live, browser):
    address = (live.site / "index.html").as_uri()
    with tab(browser, address.removesuffix("site/index.html"), offline=True) as opened:
        assert drawn_on_each_page(opened.page, address, "2026Q2") == CHARTS
        opened.page.get_by_role("combobox", name="Quarter").select_option("2026Q1")
        opened.page.wait_for_selector('main[data-drawn="2026Q1 data"]')
        assert opened.page.url.endswith("?page=data&quarter=2026Q1")
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
@pytest.mark.parametrize("quarter", ["common", "toString", "2019Q1"])
def test_quarter_that_is_not_published_gives_the_newest(server, browser, quarter):
    with tab(browser, server.removesuffix("site/index.html")) as opened:
        opened.page.goto(f"{server}?quarter={quarter}")
        opened.page.wait_for_selector('main[data-drawn="2026Q3 home"]')
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
def test_open_page_follows_a_correction_and_tells_when_the_line_is_lost(server, browser, live):
    with tab(browser, server.removesuffix("site/index.html")) as opened:
        page = opened.page
        page.clock.install()
        page.goto(f"{server}?quarter=2025Q4")
        students = page.locator(".tile").filter(has_text="Students")
        students.get_by_text("1,000").wait_for()
        corrected = example.tables_of("2025Q4", example.students("2025Q4", 800))
        publish(live.published, "2025Q4", corrected, ("State exams", "1.0"))
        write_site(live, "2025Q4")
        page.clock.run_for(15_000)
        students.get_by_text("800").wait_for()
        version = live.site / "data" / "version.js"
        aside = version.rename(version.with_suffix(".aside"))
        page.clock.run_for(15_000)
        page.get_by_text("connection lost").wait_for()
        aside.rename(version)
        page.clock.run_for(15_000)
        page.get_by_text("connection lost").wait_for(state="detached")
        assert students.get_by_text("800").is_visible()


@pytest.mark.browser
def test_status_tells_the_next_tick_and_by_the_readers_clock_what_is_late(places, browser):
    write_ticks(places, ticks(next_tick="2054-01-01T02:00:00+00:00"))
    write_site(places, timing=Timing(grace_days=10_000))  # due in 2054
    address = (places.site / "index.html").as_uri()
    tile = ".tile:has(dt:text('Next tick'))"
    with tab(browser, places.reports.as_uri()) as opened:
        page = opened.page
        page.clock.set_fixed_time("2053-11-20T12:00:00Z")
        page.goto(f"{address}?page=status")
        page.get_by_text("There was none yet").wait_for()
        assert "1 Jan 2054, 02:00" in page.locator(tile).inner_text()
        assert page.get_by_text("when these pages were last written").is_visible()
        assert page.get_by_role("link", name="is late").count() == 0
        page.clock.set_fixed_time("2054-09-01T12:00:00Z")
        page.goto(f"{address}?page=status")
        page.get_by_role("link", name="2 quarters are late").wait_for()
        assert "were not written since" in page.locator(tile).inner_text()
        late = page.get_by_role("region", name="Late or waiting").locator("tr:has(.late)")
        assert [row.inner_text().split()[0] for row in late.all()] == ["2027Q1", "2026Q4"]
        said = page.get_by_role("listitem").filter(has_text="2027Q1").inner_text()
        assert "It is not published. It was due by 16 Aug 2054." in said
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
def test_report_of_the_quarter_opens_beside_the_site(server, browser, live):
    (live.report("2026Q3") / "visualize.html").write_text("<title>Report</title>")
    write_site(live, "2026Q3")
    with tab(browser, server.removesuffix("site/index.html")) as opened:
        opened.page.goto(server)
        with opened.page.expect_popup() as popup:
            opened.page.get_by_role("button", name="Open the report").click()
        popup.value.wait_for_url("**/2026Q3/visualize.html")
        assert popup.value.title() == "Report"


def test_a_chart_grows_by_as_much_as_its_column_lacks_whatever_its_rows_hold(places, browser):
    """A row may hold several places side by side, each as high as the step says."""
    grow = """() => {
      const spec = {height: {step: 20}};
      modules["layout.js"].stretch(spec, {height: () => 320}, 80);
      return spec.height.step;
    }"""
    with tab(browser, "file://") as opened:
        opened.page.goto(f"file://{places.site}/index.html")
        opened.page.wait_for_selector("main[data-drawn]")
        assert opened.page.evaluate(grow) == 25


def test_of_many_quarters_the_past_ones_that_are_done_are_folded(places, browser):
    count = """(now) => {
      const stages = ["extract", "load"];
      const quarters = [...Array(40).keys()].map((i) => `${2060 - i}Q1`);
      const state = (i) => (i === 20 ? "failed" : "done");
      const runs = quarters.flatMap((quarter, i) =>
        stages.map((stage) => ({quarter, stage, state: state(i)})));
      const page = {stages, quarter: quarters[0], quarters, now: {...now, runs}};
      const main = document.createElement("main");
      main.append(...modules["status.js"].status(page).before.filter(Boolean));
      const rows = (box) => box.querySelectorAll("tbody tr").length;
      return [rows(main.querySelector("section.card:has(.grid)")),
        main.querySelector(".fold summary").textContent, rows(main.querySelector(".fold"))];
    }"""
    with tab(browser, "file://") as opened:
        opened.page.goto(f"file://{places.site}/index.html")
        opened.page.wait_for_selector("main[data-drawn]")
        found = opened.page.evaluate(count, given(places, "now"))
    assert found == [9, "31 earlier quarters, all stages done", 31]
