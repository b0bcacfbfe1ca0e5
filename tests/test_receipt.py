"""Receipts: what a stage writes is what healing reads."""

import pytest

from exams.orchestrate.products import receipt, recorded_files
from exams.places import Places
from exams.stages.receipt import write_receipt

QUARTER = "2019Q1"


@pytest.fixture
def places(tmp_path):
    return Places.of(tmp_path / "data", tmp_path / "reports")


def write(places, *files):
    product = {"receipt": str(places.report(QUARTER) / "load.receipt.json")}
    return write_receipt(product, places, rows_in=3, rows_out=2, files=files, content="sum")


def test_files_below_both_folders_are_listed_with_their_sizes(places):
    part = places.interim(QUARTER, "load") / "part"
    part.write_text("rows")
    chart = places.charts(QUARTER) / "a.vl.json"
    chart.write_text("{}")
    write(places, part, chart)
    found = receipt(places, QUARTER, "load")
    assert (found["quarter"], found["stage"], found["content"]) == (QUARTER, "load", "sum")
    assert [(f["in"], f["path"]) for f in found["files"]] == [
        ("data", f"private/interim/{QUARTER}/load/part"),
        ("reports", f"{QUARTER}/charts/a.vl.json"),
    ]
    assert recorded_files(places, found) == [(part, 4), (chart, 2)]


def test_what_a_notebook_shows_of_a_receipt_names_no_file(places):
    shown = {"stage": "load", "quarter": QUARTER, "rows_in": 3, "rows_out": 2}
    assert write(places) == shown


def test_a_file_elsewhere_cannot_be_listed(places, tmp_path):
    (tmp_path / "else").touch()
    with pytest.raises(ValueError, match="is not in the subpath"):
        write(places, tmp_path / "else")
    assert receipt(places, QUARTER, "load") is None
