"""Lineage: the way from a published table back to the files, noted stage by stage."""

import sqlite3
from contextlib import closing

import pytest

import example
from building import ROOT
from exams import published, status
from exams.errors import ExamsError
from exams.lineage import ORIGIN, hosts, lineage, path_of, record
from exams.orchestrate.origin import origin, sha256
from exams.places import STAGES
from exams.report import ReportExporter
from exams.trail import trail
from executed import notebook

QUARTER = example.NEWEST
MADE = dict.fromkeys(ORIGIN, "0" * 64) | {"package": "0.1.0", "commit": "c" * 40, "changed": 0}


def run_of(stage, **more):
    at = {"started": "2026-10-04T09:00:00+00:00", "ended": "2026-10-04T09:00:02+00:00"}
    return {"stage": stage, **at, "rows_in": 1011, "rows_out": 1000, "host": "alpha"} | more


@pytest.fixture
def places(tmp_path):
    """An office whose newest quarter has its lineage noted."""
    places = example.make(tmp_path)
    for stage in STAGES:
        record(places, QUARTER, run_of(stage), MADE)
    return places


def test_it_tells_publication_tables_files_and_each_stage_in_order(places):
    told = lineage(places, QUARTER)
    assert told["publication"]["version"] == 1
    assert "mean_by_group" in told["tables"]
    assert [d["file"] for d in told["deliveries"]] == ["region-north.csv", "region-south.csv"]
    assert [entry["stage"] for entry in told["stages"]] == list(STAGES)
    assert {name: told["stages"][0][name] for name in ORIGIN} == MADE


def test_a_later_run_takes_the_place_of_the_former_and_status_db_keeps_both(places):
    record(places, QUARTER, run_of("load", ended="2026-10-05T09:00:02+00:00"), MADE)
    loads = [e for e in lineage(places, QUARTER)["stages"] if e["stage"] == "load"]
    assert [entry["ended"][:10] for entry in loads] == ["2026-10-05"]
    with closing(sqlite3.connect(places.status)) as connection:
        query = "SELECT substr(ended, 1, 10) FROM stage_lineage WHERE stage = 'load' ORDER BY id"
        kept = connection.execute(query).fetchall()
    assert kept == [("2026-10-04",), ("2026-10-05",)]
    assert status.stage_status(places.status)  # what else is in it stays


def test_the_json_names_no_computer_and_no_hash_that_is_not_published(places):
    rows = example.delivery_rows(1000, 0)
    rows[1] |= {"sha256": None}  # as publish masks a file of a few records
    tables = {t.name: published.read(places.published, t.name, QUARTER) for t in published.CONTENT}
    tables["delivery"] = [{"quarter": QUARTER, **row} for row in rows]
    published.publish(places.published, QUARTER, tables, ("State exams", "1.0"))
    record(places, QUARTER, run_of("publish"), MADE)
    text = path_of(places, QUARTER).read_text()
    assert "alpha" not in text
    assert [d["sha256"] for d in lineage(places, QUARTER)["deliveries"]] == [
        rows[0]["sha256"],
        None,
    ]
    assert hosts(places.status, QUARTER)["publish"] == "alpha"


def test_before_the_first_publication_there_are_stages_alone(tmp_path):
    places = example.make(tmp_path)
    places.report("2027Q1")
    record(places, "2027Q1", run_of("extract"), MADE)
    assert lineage(places, "2027Q1").keys() == {"quarter", "stages", "basis"}
    path_of(places, "2027Q1").write_text("[")
    assert lineage(places, "2027Q1") == {}


def test_the_trail_leads_from_a_table_to_files_with_their_records(places):
    lines = trail(places, "published.at_risk_by_group", QUARTER)
    text = "\n".join(lines)
    assert lines[0] == f"published.at_risk_by_group of {QUARTER}: 6 rows, 1 of them hidden"
    assert [line.split()[0] for line in lines if " on alpha;" in line] == list(STAGES[-2::-1])
    assert "  package exams 0.1.0, commit cccccccccccc" in lines
    assert "  contract 000000000000" in lines
    assert "607 received = 600 loaded + 7 quarantined  sha256 1c4f7a90b2e85d63" in text
    assert lines[-1].endswith(f"{QUARTER}/lineage.json")


def test_stages_of_different_making_are_told_apart(places):
    record(places, QUARTER, run_of("model"), MADE | {"contract_sha256": "1" * 64, "changed": 1})
    lines = trail(places, "levels", QUARTER)
    assert "  contract 111111111111 (model)" in lines
    assert "  contract 000000000000 (extract, transform, load, publish)" in lines
    assert "  package exams 0.1.0, commit cccccccccccc, with changes (model)" in lines


@pytest.mark.parametrize(
    ("table", "quarter", "error"),
    [
        ("published.mean", QUARTER, "E330 There is no published table published.mean."),
        ("published.levels", "2031Q1", "E331 2031Q1 is not published. Published quarters: 2025Q4,"),
        ("published.levels", "2025Q4", "E332 How 2025Q4 was made was not noted"),
    ],
)
def test_what_has_no_lineage_is_said_with_what_to_do(places, table, quarter, error):
    with pytest.raises(ExamsError) as raised:
        trail(places, table, quarter)
    assert str(raised.value).startswith(error)


def test_the_origin_of_a_stage_is_what_lies_on_disk(tmp_path):
    places = example.make(tmp_path)
    places.contract.write_text("title: contract\n")
    (places.reports / QUARTER / "load.ipynb").write_text("executed")
    found = origin(ROOT, places, QUARTER, "load", "abc")
    assert set(found) == set(ORIGIN)
    assert found["source_sha256"] == sha256(ROOT / "notebooks/load.ipynb")
    assert found["notebook_sha256"] == sha256(places.reports / QUARTER / "load.ipynb")
    assert found["contract_sha256"] == sha256(places.contract)
    assert found["code"] == "abc"
    elsewhere = origin(tmp_path, places, QUARTER, "load", "abc")
    assert [elsewhere[n] for n in ("source_sha256", "commit", "changed")] == [None, None, None]


CHART = {"mark": "bar", "data": {"values": []}, "description": "A chart."}


def exported(folder, reports):
    made = notebook([CHART, CHART])
    for cell in made.cells:
        cell.source = cell.source.replace("/nowhere/office/reports", str(reports))
    return ReportExporter().from_notebook_node(made)[0]


def test_every_chart_of_a_report_links_to_the_lineage_at_its_end(places, tmp_path):
    page = exported(tmp_path, places.reports)
    assert page.count('<p class="source"><a href="#lineage">') == 2
    assert page.count('id="lineage"') == 1
    assert "region-north.csv" in page and "1c4f7a90b2e85d63" in page
    path_of(places, QUARTER).unlink()
    page = exported(tmp_path, places.reports)
    assert 'href="#lineage"' not in page and 'id="lineage"' not in page
