"""The dashboard: what it says of each quarter, and the pages in a browser."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

import example
from browser import DRAWN, OVERFLOW, WIDTHS, chromium, tab
from exams.dashboard import serve as serving
from exams.dashboard.kernel import answer, find_places
from exams.dashboard.payload import payload
from exams.errors import ExamsError
from exams.places import Places
from exams.published import publish

ROOT = Path(__file__).parents[1]
PAGES = {
    "home": "Home",
    "status": "Process status",
    "etl": "ETL results",
    "ml": "Machine learning",
    "trends": "Trends",
}
CHARTS = {"home": 2, "status": 0, "etl": 1, "ml": 3, "trends": 1}


@pytest.fixture(scope="session")
def places(tmp_path_factory) -> Places:
    return example.make(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="session")
def live(tmp_path_factory) -> Places:
    """Places that a test may change while the server shows them."""
    return example.make(tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="session")
def server(live):
    with served(live, ROOT) as address:
        yield address


@contextmanager
def served(places: Places, project: Path):
    """Serve the notebook of `project`; give the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call = (
        "from exams.dashboard.serve import serve;"
        f"serve({str(places.data)!r}, {str(places.reports)!r}, port={port})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", call],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline().decode()
        wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the dashboard did not start")


def get(server: str, path: str, **headers) -> http.client.HTTPResponse:
    """Ask for exactly `path`, which a client that tidies addresses would change."""
    connection = http.client.HTTPConnection(server.removeprefix("http://").rstrip("/"), timeout=30)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


# What is shown


def test_newest_quarter_is_shown_until_another_is_asked_for(places):
    assert payload(places)["quarter"] == "2026Q3"
    assert payload(places, "2026Q1")["quarter"] == "2026Q1"
    assert payload(places)["quarters"] == ["2026Q3", "2026Q2", "2026Q1", "2025Q4"]


def test_unknown_quarter_or_path_gives_the_newest(places):
    assert payload(places, "../2026Q1")["quarter"] == "2026Q3"


def test_nothing_published_is_no_error(tmp_path):
    empty = payload(Places.of(tmp_path / "data", tmp_path / "reports"))
    assert (empty["quarter"], empty["quarters"], empty["charts"]) == (None, [], [])


def test_charts_come_with_page_in_order_and_without_nan(places):
    charts = payload(places, "2026Q3")["charts"]
    assert [(c["page"], c["name"]) for c in charts[:3]] == [
        ("home", "groups"),
        ("home", "risk"),
        ("etl", "quarantine"),
    ]
    assert "NaN" not in json.dumps(charts)


def test_page_that_has_everything_gets_nothing_new(places):
    stamp = payload(places)["stamp"]
    assert answer(places, {"quarter": None, "have": stamp}) == {"payload": None}
    assert answer(places, {"quarter": None, "have": "older"})["payload"]["stamp"] == stamp


def test_status_change_is_something_new(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    before = payload(places)["stamp"]
    example.write_status(places)
    assert payload(places)["stamp"] != before


def test_report_is_handed_out_for_published_quarters_only(places):
    (places.report("2026Q3") / "visualize.html").write_text("<h1>Report</h1>")
    outside = places.reports.parent / "visualize.html"
    outside.write_text("outside")
    assert answer(places, {"report": "2026Q3"}) == {"report": "<h1>Report</h1>"}
    assert answer(places, {"report": ".."}) == {
        "error": "E305 This quarter has no report. Build it again."
    }


def test_unreadable_database_gives_words_not_a_traceback(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    places.published.write_bytes(b"not a database, nor anything like one")
    found = answer(places, {"quarter": None, "have": None})
    assert found == {"error": "The figures cannot be read at the moment."}


def test_kernel_needs_no_pandas_or_altair():
    heavy = "('pandas', 'numpy', 'altair', 'yaml')"
    code = f"import exams.dashboard, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_folders_come_from_the_environment_or_the_project(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "dashboard.ipynb").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("EXAMS_DATA", raising=False)
    monkeypatch.delenv("EXAMS_REPORTS", raising=False)
    assert find_places().data == tmp_path / "data"
    monkeypatch.setenv("EXAMS_DATA", str(tmp_path / "other"))
    assert find_places() == Places(tmp_path / "other", tmp_path / "reports")


def test_taken_port_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ExamsError, match=f"E304 Port {port} of 127.0.0.1 cannot be used"):
            serving.serve(tmp_path, tmp_path, port=port)


def test_address_beyond_this_machine_asks_for_a_token(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    called = {}
    monkeypatch.setattr(
        os, "execve", lambda _, command, env: called.update(command=command, env=env)
    )
    serving.serve(tmp_path, tmp_path, host="0.0.0.0", port=0)
    assert "--Voila.auto_token=True" in called["command"]
    assert f"?token={called['env']['JUPYTER_TOKEN']}" in capsys.readouterr().out
    serving.serve(tmp_path, tmp_path, port=0)
    assert "--Voila.auto_token=True" not in called["command"]


# The server


@pytest.mark.slow
def test_server_gives_away_no_file_and_no_other_notebook(server):
    assert get(server, "/voila/files/dashboard.ipynb").status == 403
    assert get(server, "/voila/files/../data/contract.yaml").status == 403
    assert get(server, "/voila/templates/exams/static/../index.html.j2").status != 200
    assert get(server, "/voila/render/load.ipynb").status != 200
    assert get(server, "/voila/templates/exams/static/vega.js").status == 200


@pytest.mark.slow
def test_server_takes_no_theme_or_template_from_the_address(server):
    text = get(server, "/?theme=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&template=classic").read()
    assert b"alert(1)" not in text
    assert b'id="exams-data"' in text


@pytest.mark.slow
def test_server_forbids_other_hosts_and_frames(server):
    policy = get(server, "/").getheader("Content-Security-Policy")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert get(server, "/", Host="attacker.example").status == 403


# The pages


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_draw_their_charts_with_the_network_off(server, browser, width):
    with tab(browser, server, width) as opened:
        opened.page.goto(f"{server}?page=home&quarter=2026Q2")
        drawn = {}
        for name, title in PAGES.items():
            opened.page.get_by_role("link", name=title).click()
            opened.page.wait_for_selector(f'main[data-drawn="2026Q2 {name}"]')
            drawn[name] = opened.page.evaluate(DRAWN)
            assert opened.page.evaluate(OVERFLOW) <= 0
        assert drawn == CHARTS
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.slow
@pytest.mark.browser
def test_category_that_looks_like_a_script_stays_text(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        opened.page.get_by_text("All groups as tables").click()
        assert opened.page.get_by_role("rowheader", name=example.SCRIPT).is_visible()
        assert opened.page.title() == "Exam results"
        row = opened.page.get_by_role("row").filter(has_text=example.SCRIPT)
        assert row.get_by_text("hidden").count() >= 1


@pytest.mark.slow
@pytest.mark.browser
def test_choice_of_quarter_and_page_is_kept_in_the_address(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(server)
        opened.page.get_by_label("Quarter").select_option("2026Q1")
        opened.page.get_by_role("link", name="ETL results").click()
        opened.page.wait_for_selector('main[data-drawn="2026Q1 etl"]')
        assert opened.page.url.endswith("?page=etl&quarter=2026Q1")


@pytest.mark.slow
@pytest.mark.browser
def test_status_names_state_duration_rows_and_reason(server, browser):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?page=status")
        row = opened.page.get_by_role("row").filter(has_text="2026Q3")
        load = row.get_by_role("cell").nth(2).inner_text()
        assert load.split("\n") == ["✓", "Done", "10 s · 1,000 rows", "4 Oct 2026, 09:02 UTC"]
        assert opened.page.get_by_text("E104").is_visible()
        assert opened.page.get_by_text("the column Essay is missing").is_visible()


@pytest.mark.slow
@pytest.mark.browser
def test_open_page_follows_a_correction(server, browser, live):
    with tab(browser, server) as opened:
        opened.page.goto(f"{server}?quarter=2025Q4")
        students = opened.page.locator(".tile").filter(has_text="Students")
        students.get_by_text("1,000").wait_for()
        corrected = example.tables_of("2025Q4", example.students("2025Q4", 800))
        publish(live.published, "2025Q4", corrected, ("State exams", "1.0"))
        students.get_by_text("800").wait_for(timeout=10_000)
        assert opened.page.get_by_text("as version 2").is_visible()


@pytest.mark.slow
@pytest.mark.browser
def test_report_opens_in_its_own_tab(server, browser, live):
    (live.report("2026Q3") / "visualize.html").write_text("<h1>Report of 2026Q3</h1>")
    with tab(browser, server) as opened:
        opened.page.goto(server)
        with opened.page.expect_popup() as popup:
            opened.page.get_by_role("button", name="Open the report").click()
        assert popup.value.get_by_role("heading", name="Report of 2026Q3").is_visible()


@pytest.mark.slow
@pytest.mark.browser
def test_cells_of_an_analyst_are_shown_below(live, browser, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks/dashboard.ipynb", as_version=4)
    notebook.cells += [
        new_markdown_cell("## A look of my own", id="own"),
        new_code_cell("from IPython.display import HTML", id="import"),
        new_code_cell("HTML('<b>from a cell</b>')", id="output"),
    ]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks/dashboard.ipynb")
    with served(live, tmp_path) as address, tab(browser, address) as opened:
        opened.page.goto(address)
        opened.page.get_by_role("heading", name="A look of my own").wait_for()
        opened.page.get_by_text("from a cell").wait_for()
        assert opened.page.evaluate(DRAWN) == CHARTS["home"]
        assert opened.outside == []
