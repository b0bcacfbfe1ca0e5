"""From a delivered file to figures, charts and pages, as a user types it."""

import csv
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import frictionless
import pytest
import yaml
from given import OTHER, other_results

from browser import DRAWN, OVERFLOW, WIDTHS, tab
from building import QUARTER, ROOT, build, charts, charts_of_pages, rows, scratch
from exams import published
from exams.lineage import lineage
from exams.orchestrate.origin import sha256
from exams.orchestrate.reproduce import reproduce
from exams.places import STAGES
from exams.samples import write_quarter
from exams.status import stage_status
from serving import PAGES, drawn_on_each_page, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A sample quarter, built; and what the build printed."""
    contract = (ROOT / "data/contract.yaml").read_text()
    places = scratch(tmp_path_factory.mktemp("sample"), contract)
    constants = json.loads((ROOT / "data/sample.json").read_text())
    list(write_quarter(constants, QUARTER, places.delivery(QUARTER)))
    return places, *build(places)


def test_a_build_prints_one_line_per_stage(sample):
    _, code, lines = sample
    stages = [re.fullmatch(r"2019Q1  (\w+) +done +[\d.]+ s  [\d,]+ rows", line) for line in lines]
    assert code == 0
    assert [match[1] for match in stages if match] == list(STAGES)
    assert len(lines) <= len(STAGES) + 2, "\n".join(lines)


def test_every_stage_leaves_notebook_report_and_receipt(sample):
    places, *_ = sample
    for stage in STAGES:
        made = {f.name for f in places.report(QUARTER).glob(f"{stage}.*")}
        assert made == {f"{stage}.ipynb", f"{stage}.html", f"{stage}.receipt.json"}


def test_every_chart_is_in_the_receipt_so_that_a_lost_one_is_missed(sample):
    places, *_ = sample
    listed = json.loads((places.reports / QUARTER / "visualize.receipt.json").read_text())["files"]
    assert {f["in"] for f in listed} == {"reports"}
    made = {f"{QUARTER}/charts/{file.name}" for file in places.charts(QUARTER).iterdir()}
    assert {f["path"] for f in listed} == made


def test_status_is_done_with_rows(sample):
    places, *_ = sample
    runs = stage_status(places.status)
    assert [(r["stage"], r["state"]) for r in runs] == [(stage, "done") for stage in STAGES]
    received, loaded = runs[2]["rows_in"], runs[2]["rows_out"]
    assert received == loaded + 10  # the sample has ten dirty records


def test_received_is_loaded_and_quarantined(sample):
    places, *_ = sample
    files = rows(places.warehouse, "SELECT file, received, loaded, quarantined FROM delivery")
    for file, received, loaded, quarantined in files:
        lines = (places.delivery(QUARTER) / file).read_bytes().count(b"\n")
        assert (received, quarantined) == (lines - 1, 5)
        assert received == loaded + quarantined


def test_a_second_build_does_nothing(sample):
    places, *_ = sample
    before = {f: f.stat().st_mtime_ns for f in places.reports.rglob("*") if f.is_file()}
    code, lines = build(places)
    assert (code, lines[-1]) == (0, "2019Q1 is up to date.")
    assert before == {f: f.stat().st_mtime_ns for f in before}


def test_the_private_side_is_closed_to_others(sample):
    """Every file of it 0600 in folders 0700, though other programs would create them open."""
    places, *_ = sample
    roots = [places.warehouse.parent, places.deliveries]
    found = [*roots, *(path for root in roots for path in root.rglob("*"))]
    modes = {path.relative_to(places.data): path.stat().st_mode & 0o777 for path in found}
    assert len(modes) > 20
    closed = {path: 0o700 if (places.data / path).is_dir() else 0o600 for path in modes}
    assert modes == closed


def test_the_lineage_of_a_build_leads_to_its_files_and_notebooks(sample):
    places, *_ = sample
    told = lineage(places, QUARTER)
    assert [entry["stage"] for entry in told["stages"]] == list(STAGES)
    for entry in told["stages"]:
        notebook = places.report(QUARTER) / f"{entry['stage']}.ipynb"
        assert entry["notebook_sha256"] == sha256(notebook)
        assert entry["source_sha256"] == sha256(ROOT / "notebooks" / notebook.name)
        assert entry["contract_sha256"] == sha256(places.contract)
        assert entry["started"] < entry["ended"]
    found = {d["file"]: d["sha256"] for d in told["deliveries"]}
    assert found == {f.name: sha256(f) for f in places.delivery(QUARTER).iterdir()}
    page = (places.report(QUARTER) / "visualize.html").read_text()
    assert page.count('href="#lineage">Where') == len(charts(places)) + 1  # and in the contents


def test_the_data_package_of_a_build_is_valid(sample):
    places, *_ = sample
    assert frictionless.validate(str(places.package / "datapackage.json")).valid
    assert places.package_zip.is_file()


def test_no_report_or_chart_shows_a_rejected_value_or_a_path(sample):
    places, *_ = sample
    values = rows(places.warehouse, "SELECT value FROM quarantine WHERE length(value) > 4")
    assert values
    shown = [f for f in places.reports.rglob("*") if f.suffix in (".html", ".json", ".ipynb")]
    assert {f.name for f in shown} >= {"transform.ipynb", "transform.html", "reasons.vl.json"}
    for file in [*shown, places.published, places.status]:
        text = file.read_bytes()
        forms = {form.encode() for (v,) in values for form in (v, json.dumps(v)[1:-1])}
        assert not [form for form in forms if form in text], file.name
        if file.suffix == ".html":
            assert str(places.data).encode() not in text, file.name


def test_executing_the_notebooks_again_gives_the_same_outputs(sample, tmp_path):
    """nbval, in a copy of everything: the notebooks name their folders by absolute paths."""
    places, *_ = sample
    copy = tmp_path / "copy"
    shutil.copytree(places.data.parent, copy)
    notebooks = [copy / "reports" / QUARTER / f"{stage}.ipynb" for stage in STAGES]
    for notebook in notebooks:
        text = notebook.read_text().replace(str(places.data.parent), str(copy))
        notebook.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider",
         "-p", "no:xdist", "-q", *notebooks],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"([5-9]\d|\d{3}) passed", done.stdout), done.stdout[-300:]


def state_of(places):
    """Return bytes, time and mode of every file of a place."""
    files = [f for f in places.data.parent.rglob("*") if f.is_file()]
    return {f: (f.read_bytes(), f.stat().st_mtime_ns, f.stat().st_mode) for f in files}


def test_a_published_quarter_is_reproduced_and_nothing_changes(sample):
    places, *_ = sample
    before = state_of(places)
    (outcome,) = reproduce(ROOT, places, [QUARTER])
    assert (outcome.differences, outcome.changes) == ([], [])
    assert outcome.cells > 1000
    assert state_of(places) == before


def test_a_changed_contract_and_a_forged_figure_are_found_by_reproducing(sample):
    places, *_ = sample
    contract, forged = places.contract.read_text(), places.published.read_bytes()
    places.contract.write_text(contract.replace("at_risk_below: 50", "at_risk_below: 60"))
    with closing(sqlite3.connect(places.published)) as connection, connection:
        connection.execute("UPDATE tiers SET mean = mean + 1 WHERE tier = 1")
    try:
        (outcome,) = reproduce(ROOT, places, [QUARTER])
    finally:
        places.contract.write_text(contract)
        places.published.write_bytes(forged)
    assert outcome.changes == ["the contract"]
    named = {line.split()[0] for line in outcome.differences}
    assert {"model", "visualize", "at_risk_by_group", "tiers"} <= named
    assert "extract" not in named and "levels" not in named


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_the_dashboard_draws_the_charts_of_the_build(sample, browser, width):
    places, *_ = sample
    with served(places) as server, tab(browser, server, width) as opened:
        drawn = drawn_on_each_page(opened.page, server, QUARTER)
        assert drawn == charts_of_pages(places, PAGES)
        assert drawn["home"] >= 3 and drawn["etl"] >= 2 and drawn["ml"] >= 2
        assert (opened.outside, opened.errors) == ([], [])


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_draws_every_chart_from_a_file(sample, browser, width):
    places, *_ = sample
    address = (places.report(QUARTER) / "visualize.html").as_uri()
    number = len(charts(places))
    with tab(browser, address, width, offline=True) as opened:
        opened.page.goto(address)
        opened.page.wait_for_selector(f'body[data-drawn="{number}"]')
        assert (opened.page.evaluate(DRAWN), number >= 8) == (number, True)
        assert opened.page.evaluate(OVERFLOW) <= 0
        assert (opened.outside, opened.errors) == ([], [])


@pytest.fixture(scope="module")
def reference_built(reference, tmp_path_factory):
    contract = (ROOT / "data/contract.yaml").read_text()
    places = scratch(tmp_path_factory.mktemp("reference"), contract)
    shutil.copy(reference / "StudentsPerformance.csv", places.delivery(QUARTER))
    code, lines = build(places)
    assert code == 0, lines
    return places


def given_to(digits, figure):
    """A figure of record, equal to what rounds to it."""
    return pytest.approx(figure, rel=0, abs=0.5 * 10**-digits + 1e-9)


def test_the_publication_of_the_reference_file_has_the_figures_of_record(
    reference_built, reference
):
    record = json.loads((reference / "figures.json").read_text())
    means = published.read(reference_built.published, "mean_by_group", QUARTER)
    risk = published.read(reference_built.published, "at_risk_by_group", QUARTER)
    assert sum(r["suppressed"] for r in means + risk) == 0
    assert {r["n"] for r in means if r["level"] == "all"} == {record["n"]}
    known = {key.split("=")[1]: figures for key, figures in record["by"].items()}
    for row in risk[1:]:
        assert (row["n"], row["at_risk"]) == (
            known[row["level"]]["n"],
            known[row["level"]]["at_risk50"],
        )
        ends = known[row["level"]]["at_risk_ci"]
        assert [row["ci_low"], row["ci_high"]] == [given_to(4, end) for end in ends]
    for row in means:
        figures = known.get(row["level"], record)[row["score"].removesuffix("_score")]
        digits = 4 if row["level"] in known else 6  # as many as the record gives
        assert row["mean"] == given_to(digits, figures["mean"])
        assert row["sd"] == given_to(digits, figures["sd"])
        assert [row["ci_low"], row["ci_high"]] == [given_to(4, end) for end in figures["ci"]]


def test_the_score_tiers_of_the_reference_file_are_those_of_record(reference_built):
    tiers = published.read(reference_built.published, "tiers", QUARTER)
    assert [t["n"] for t in tiers[:3]] == [265, 448, 287]
    assert [round(t["mean"], 3) for t in tiers] == [
        *(48.823, 65.833, 82.432),
        *(51.147, 69.306, 85.596),
        *(49.008, 68.607, 84.777),
    ]


def test_results_are_read_by_their_contract_names(reference_built, reference):
    found = rows(
        reference_built.warehouse,
        "SELECT quarter, file, line, gender, race_ethnicity, parental_level_of_education, lunch,"
        " test_preparation_course, math_score, reading_score, writing_score FROM results"
        " ORDER BY line",
    )
    with (reference / "StudentsPerformance.csv").open(newline="") as file:
        _, *records = csv.reader(file)
    assert len(found) == len(records) == 1000
    for line, record in [(2, records[0]), (1001, records[-1])]:
        values = (*record[:5], *map(int, record[5:]))
        assert found[line - 2] == (QUARTER, "StudentsPerformance.csv", line, *values)


# Mistakes


def test_a_mistake_in_the_contract_ends_the_build_in_its_own_words(tmp_path):
    places = scratch(tmp_path, yaml.safe_dump({**OTHER, "colour": "red"}))
    other_results().to_csv(places.delivery(QUARTER) / "all.csv", index=False)
    code, lines = build(places)
    assert code == 1
    assert len(lines) <= 5
    assert any("'colour' is not a setting" in line and "E010" in line for line in lines)
    assert lines[-1].endswith("extract.ipynb")
    run = stage_status(places.status)[0]
    assert (run["state"], run["reason_code"]) == ("failed", "E010")
