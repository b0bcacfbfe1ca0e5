"""Stages whose results are not what they left behind become due; the others do not."""

import json

import pytest

from exams import published
from exams.orchestrate.healing import heal
from exams.orchestrate.products import note, products, seal
from exams.places import STAGES, Places
from exams.warehouse import store
from orchestrate_project import loaded_content

QUARTER = "2019Q1"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return places where every stage of the quarter is done."""
    monkeypatch.setattr(store, "loaded_content", loaded_content)
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    places.report(QUARTER)
    places.warehouse.write_text(json.dumps({QUARTER: "content"}))
    nothing = {table.name: [] for table in published.CONTENT}
    published.publish(places.published, QUARTER, nothing, ("contract", "1"))
    for stage in STAGES:
        part = places.interim(QUARTER, stage) / "part"
        part.write_text("rows")
        file = {"path": str(part.relative_to(places.data)), "bytes": 4}
        receipt = {"content": "content", "rows_in": 1, "rows_out": 1, "files": [file]}
        for product in products(places, QUARTER, stage):
            product.write_text(json.dumps(receipt))
            note(product).write_text('{"timestamp": 1, "stored_source_code": "x"}')
        seal(places, QUARTER, stage)
    return places


def due(places):
    heal(places, QUARTER)
    notes = {s: [note(p).exists() for p in products(places, QUARTER, s)] for s in STAGES}
    assert all(any(found) == all(found) for found in notes.values())
    return [stage for stage, found in notes.items() if not any(found)]


def test_what_is_intact_stays(places):
    assert due(places) == []


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "harm",
    [
        lambda product: product.unlink(),
        lambda product: product.write_text(product.read_text()[:10]),
        lambda product: product.write_text(product.read_text() + " "),
        lambda product: note(product).unlink(),
        lambda product: note(product).write_text('{"timestamp": 1, "stored'),
        lambda product: note(product).write_text("null"),
    ],
    ids=["lost", "truncated", "edited", "note lost", "note truncated", "note empty"],
)
def test_a_harmed_product_makes_its_stage_due(places, harm, number):
    harm(products(places, QUARTER, "model")[number])
    assert due(places) == ["model"]


def test_lost_checksums_make_the_stage_due(places):
    (places.reports / QUARTER / ".model.sha256").unlink()
    assert due(places) == ["model"]


@pytest.mark.parametrize(
    "harm", [lambda part: part.unlink(), lambda part: part.write_text("row")], ids=["lost", "cut"]
)
def test_a_harmed_file_that_later_stages_read_makes_its_stage_due(places, harm):
    harm(places.interim(QUARTER, "transform") / "part")
    assert due(places) == ["transform"]


@pytest.mark.parametrize("content", ["{}", json.dumps({QUARTER: "other"})])
def test_a_warehouse_without_the_quarter_or_with_other_content_makes_load_due(places, content):
    places.warehouse.write_text(content)
    assert due(places) == ["load"]


def test_a_lost_warehouse_makes_load_due(places):
    places.warehouse.unlink()
    assert due(places) == ["load"]


def test_a_publication_that_is_lost_makes_publish_due(places):
    places.published.unlink()
    assert due(places) == ["publish"]


def test_the_checksums_can_be_checked_with_other_tools(places):
    import subprocess

    folder = places.reports / QUARTER
    command = ["sha256sum", "--check", "--quiet", ".load.sha256"]
    assert subprocess.run(command, cwd=folder, check=False).returncode == 0
    (folder / "load.html").write_text("edited")
    assert subprocess.run(command, cwd=folder, check=False).returncode != 0
