"""A quarter published again: which figures changed, from what to what, and why."""

import json

import pandas as pd
import pytest

import example
from building import ROOT
from exams import lineage, published, site
from exams.dashboard.payload import payload
from exams.editions import PROVISIONAL, REASONS, REVISED, corrections, edition
from exams.lineage import ORIGIN
from exams.places import STAGES, mark_of
from exams.stages.corrected import corrected, version
from exams.stages.revising import reasons, revisions
from exams.tables import MASKED
from exams.warehouse.load import enter_delivery
from exams.warehouse.transaction import writing

pytestmark = pytest.mark.usefixtures("store")

QUARTER = example.NEWEST
FILES = {row["file"]: row["received"] for row in example.delivery_rows(1000, 0)}
SHA256 = example.delivery_rows(1000, 0)[0]["sha256"]
ESSAY = {"dimension": "all", "level": "all", "score": "essay"}
MADE = dict.fromkeys(ORIGIN, "0" * 64)


@pytest.fixture
def places(tmp_path, small):
    """A published quarter, its lineage noted, its files in the warehouse."""
    places = example.make(tmp_path)
    with writing(places.warehouse, small) as connection:
        for file, received in FILES.items():
            found, when = (QUARTER, file, SHA256, 1), "2026-10-01T00:00:00+00:00"
            enter_delivery(connection, found, when, mark_of(places.private))
            connection.execute("UPDATE delivery SET received = ? WHERE file = ?", [received, file])
    for stage in STAGES:
        lineage.record(places, QUARTER, {"stage": stage}, MADE)
    return places


def tables_of(places):
    """Return the published figures of the quarter, as frames."""
    found = {t.name: published.read(places.published, t.name, QUARTER) for t in MASKED}
    names = {t.name: [c.name for c in t.columns] for t in MASKED}
    return {name: pd.DataFrame(rows, columns=names[name]) for name, rows in found.items()}


def change(frame, row, **values):
    at = (frame[list(row)] == pd.Series(row)).all(axis=1)
    assert at.sum() == 1
    for name, value in values.items():
        frame.loc[at, name] = value


def publish(places, tables):
    """Publish the quarter anew with `tables`; return the rows of `revision`."""
    every = {t.name: published.read(places.published, t.name, QUARTER) for t in published.CONTENT}
    tables = tables | {"revision": revisions(tables, places, QUARTER)}
    rows = {name: frame.astype(object).where(frame.notna(), None) for name, frame in tables.items()}
    every |= {name: frame.to_dict("records") for name, frame in rows.items()}
    published.publish(places.published, QUARTER, every, ("State exams", "1.0"))
    return corrections(places.published, QUARTER)


def said(rows):
    return [(r["version"], r["measure"], r["former"], r["revised"]) for r in rows]


def test_equal_figures_are_no_correction_and_no_new_version(places):
    assert publish(places, tables_of(places)) == []
    before = published.published_content(places.published, QUARTER)
    assert publish(places, tables_of(places)) == []
    assert published.published_content(places.published, QUARTER) == before
    assert edition(places.published, QUARTER) == PROVISIONAL


def test_a_changed_figure_is_listed_with_both_values_and_its_place(places):
    tables = tables_of(places)
    change(tables["mean_by_group"], ESSAY, mean=60.5, n=1001)
    rows = publish(places, tables)
    assert [(r["table"], json.loads(r["cell"])) for r in rows] == [("mean_by_group", ESSAY)] * 2
    assert [(v, m, new) for v, m, _, new in said(rows)] == [(2, "n", 1001.0), (2, "mean", 60.5)]
    assert rows[0]["former"] == 1000.0
    assert edition(places.published, QUARTER) == REVISED
    assert edition(places.published, "2026Q2") == PROVISIONAL


def test_what_a_sum_in_another_order_changes_is_no_correction(places):
    tables = tables_of(places)
    tables["mean_by_group"]["mean"] *= 1 + 1e-13
    assert publish(places, tables) == []


@pytest.mark.parametrize("way", ["hidden now", "hidden before", "gone", "new"])
def test_only_cells_that_were_shown_and_are_shown_are_listed(places, way):
    tables = tables_of(places)
    means, row = tables["mean_by_group"], ESSAY
    if way == "hidden now":
        change(means, row, n=None, mean=None, sd=None, ci_low=None, ci_high=None, suppressed=1)
    if way == "hidden before":
        row = {"dimension": "region", "level": example.SCRIPT, "score": "essay"}
        change(means, row, n=12, mean=50.0, suppressed=0)
    if way == "gone":
        tables["mean_by_group"] = means[means["score"] != "essay"]
    if way == "new":
        new = means[means["score"] == "essay"].assign(score="drawing", mean=1.0)
        tables["mean_by_group"] = pd.concat([means, new])
    assert publish(places, tables) == []


def test_earlier_corrections_stay_until_their_cell_is_hidden(places):
    for mean in (60.5, 61.5):
        tables = tables_of(places)
        change(tables["mean_by_group"], ESSAY, mean=mean)
        rows = publish(places, tables)
    assert [v[0] for v in said(rows)] == [2, 3]
    assert said(rows)[1][2:] == (60.5, 61.5)
    tables = tables_of(places)
    change(tables["mean_by_group"], ESSAY, mean=None, n=None, suppressed=1)
    assert publish(places, tables) == []


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"contract_sha256": "1"}, ["contract"]),
        ({"source_sha256": "1"}, ["code"]),
        ({"code": "1"}, ["code"]),
        ({"lock_sha256": "1"}, ["code"]),
        ({"contract_sha256": "1", "code": "1"}, ["contract", "code"]),
        ({"notebook_sha256": "1", "commit": "1"}, ["earlier"]),
        ({}, ["earlier"]),
    ],
)
def test_the_reason_is_what_was_made_otherwise_than_before(places, changed, codes):
    lineage.record(places, QUARTER, {"stage": "model"}, MADE | changed)
    assert reasons(places, QUARTER) == codes
    lineage.record(places, QUARTER, {"stage": "publish"}, MADE)  # published: the basis is new
    assert reasons(places, QUARTER) == ["earlier"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE delivery SET sha256 = 'other' WHERE file = 'region-south.csv'",
        "UPDATE delivery SET removed = '2026-10-02' WHERE file = 'region-south.csv'",
        "UPDATE delivery SET file = 'new.csv' WHERE file = 'region-south.csv'",
        "UPDATE delivery SET received = 3 WHERE file = 'region-south.csv'",
    ],
)
def test_another_file_is_a_reason(places, small, statement):
    with writing(places.warehouse, small) as connection:
        assert connection.execute(statement).rowcount == 1
    assert reasons(places, QUARTER) == ["delivery"]


def test_where_nothing_was_noted_the_reason_is_unknown(places):
    lineage.path_of(places, QUARTER).unlink()
    assert reasons(places, QUARTER) == ["unknown"]


def test_every_reason_is_explained_in_the_docs():
    page = (ROOT / "docs/lineage.md").read_text()
    for code, meaning in REASONS.items():
        assert f"| {code} | {meaning} |" in page


def test_the_first_publication_corrects_nothing(tmp_path, places):
    empty = example.Places.of(tmp_path / "new", tmp_path / "new")
    assert len(revisions(tables_of(places), empty, QUARTER)) == 0


@pytest.fixture
def revised(places):
    tables = tables_of(places)
    change(tables["at_risk_by_group"], {"level": "north"}, share=0.5)
    change(tables["mean_by_group"], ESSAY, mean=60.5)
    publish(places, tables)
    lineage.record(places, QUARTER, {"stage": "publish"}, MADE)
    return places


def test_the_report_says_provisional_or_revised_and_lists_all_students_first(revised):
    notice = version(revised, QUARTER)
    assert (notice.word, notice.rest) == (
        "Revised",
        "In version 2, 2 figures were corrected. An earlier quarter, which it is compared with,"
        " was changed.",
    )
    assert version(revised, "2026Q2").word == "Provisional"
    table = corrected(revised, QUARTER)
    assert list(table.index) == [
        ("mean_by_group", "All students, Essay", "Mean"),
        ("at_risk_by_group", "Region, north", "Share"),
    ]
    assert list(table.columns) == ["was", "is", "reason"]
    assert list(table["is"]) == ["60.500", "0.500"]
    assert len(corrected(revised, "2026Q2")) == 0


def test_list_dashboard_and_lineage_say_it_where_they_title_the_quarter(revised):
    site.write_index(revised)
    page = revised.index.read_text()
    assert page.count("Version 2, revised,") == 1
    assert page.count("Version 1, provisional,") == len(example.QUARTERS) - 1
    assert payload(revised)["publication"]["edition"] == REVISED
    assert payload(revised, "2026Q2")["publication"]["edition"] == PROVISIONAL
    assert lineage.lineage(revised, QUARTER)["publication"]["edition"] == REVISED
