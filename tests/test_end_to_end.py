"""From a delivered file to figures and charts, through `ploomber build` as a user types it."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from exams import published
from exams.places import STAGES, Places
from exams.samples import write_quarter
from exams.status import stage_status

ROOT = Path(__file__).parents[1]
PLOOMBER = Path(sys.executable).with_name("ploomber")
QUARTER = "2019Q1"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end to end")]


def build(places, quarter=QUARTER, *more):
    """Run `ploomber build` for a scratch place; return its exit code and lines."""
    folders = ["--env--data", str(places.data), "--env--reports", str(places.reports)]
    done = subprocess.run(
        [PLOOMBER, "build", "--env--quarter", quarter, *folders, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PLOOMBER_STATS_ENABLED": "false"},
    )
    return done.returncode, [*done.stdout.splitlines(), *done.stderr.splitlines()]


def scratch(folder, contract):
    """Make a scratch place with a contract, and an empty folder for the quarter."""
    places = Places.of(folder / "data", folder / "reports")
    places.delivery(QUARTER).mkdir(parents=True)
    places.contract.write_text(contract)
    return places


def rows(database, query):
    with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def charts(places):
    files = places.charts(QUARTER).iterdir()
    return {file.name.split(".")[0]: json.loads(file.read_text()) for file in files}


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
    places, *_ = sample
    for folder in (places.warehouse.parent, places.deliveries):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (places.warehouse.parent / "key").stat().st_mode & 0o777 == 0o600


def test_no_report_or_chart_shows_a_rejected_value_or_a_path(sample):
    places, *_ = sample
    values = rows(places.warehouse, "SELECT value FROM quarantine WHERE length(value) > 4")
    assert values
    shown = [f for f in places.reports.rglob("*") if f.suffix in (".html", ".json")]
    for file in [*shown, places.published, places.status]:
        text = file.read_bytes()
        assert not [v for (v,) in values if v.encode() in text], file.name
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
    assert re.search(r"[5-9]\d passed", done.stdout), done.stdout[-300:]


@pytest.fixture(scope="module")
def reference_built(reference, tmp_path_factory):
    contract = (ROOT / "data/contract.yaml").read_text()
    places = scratch(tmp_path_factory.mktemp("reference"), contract)
    shutil.copy(reference / "StudentsPerformance.csv", places.delivery(QUARTER))
    code, lines = build(places)
    assert code == 0, lines
    return places


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
    for row in means:
        figures = known.get(row["level"], record)[row["score"].removesuffix("_score")]
        digits = 4 if row["level"] in known else 6
        assert row["mean"] == pytest.approx(figures["mean"], abs=0.5 * 10**-digits + 1e-9)


def test_the_score_tiers_of_the_reference_file_are_those_of_record(reference_built):
    tiers = published.read(reference_built.published, "tiers", QUARTER)
    assert [t["n"] for t in tiers[:3]] == [265, 448, 287]
    assert [round(t["mean"], 3) for t in tiers] == [
        *(48.823, 65.833, 82.432),
        *(51.147, 69.306, 85.596),
        *(49.008, 68.607, 84.777),
    ]


def test_results_are_read_by_their_contract_names(reference_built):
    found = rows(
        reference_built.warehouse,
        "SELECT quarter, line, gender, race_ethnicity, parental_level_of_education, lunch,"
        " test_preparation_course, math_score, reading_score, writing_score FROM results"
        " ORDER BY line LIMIT 1",
    )
    assert found[0][:2] == (QUARTER, 2)
    assert len(found[0]) == 10


# Another office: other fields, other scales, one dimension wide and some of its groups small.

REGIONS = [f"region {number:02}" for number in range(1, 31)]
OTHER = {
    "name": "trade-exams",
    "title": "Trade examinations",
    "version": "7",
    "fields": [
        {
            "name": "region",
            "title": "Region of the chamber",
            "description": "Where the exam was sat.",
            "type": "string",
            "role": "dimension",
            "constraints": {"required": True, "enum": REGIONS},
        },
        {
            "name": "trade",
            "title": "Trade",
            "type": "string",
            "role": "dimension",
            "constraints": {"enum": ["<b>baker</b>", "joiner"]},
        },
        {
            "name": "theory",
            "title": "Theory paper",
            "description": "Points of the written paper.",
            "type": "integer",
            "unit": "points",
            "role": "score",
            "at_risk_below": 200,
            "constraints": {"required": True, "minimum": 0, "maximum": 500},
        },
        {
            "name": "practice",
            "title": "Practice mark",
            "type": "number",
            "decimals": 1,
            "role": "score",
            "levels": [1.0, 3.0, 4.0, 5.0],
            "constraints": {"minimum": 1.0, "maximum": 6.0},
        },
    ],
}


def other_results():
    rng = np.random.default_rng(5)
    size = 900
    region = np.repeat(REGIONS, 30)
    region[:27] = REGIONS[29]  # leaves three in the first
    trade = rng.choice(["<b>baker</b>", "joiner", ""], size, p=[0.5, 0.4, 0.1])
    frame = pd.DataFrame({"Region": region, "trade": trade})
    frame["theory"] = rng.normal(300, 70, size).clip(0, 500).astype(int)
    frame["practice"] = (rng.normal(4, 0.8, size).clip(1, 6) * 10).round() / 10
    return frame


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
    assert made["reconciliation"]["title"]["text"] == ["7 of 7 records are loaded"]


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
