"""Stages whose results are not what they left behind become due; the others do not."""

import json
import sqlite3
from contextlib import closing

import pytest

from exams import published
from exams.datapackage import write_package
from exams.orchestrate import healing
from exams.orchestrate.healing import heal, set_aside_unreadable
from exams.orchestrate.products import note, products, seal
from exams.places import STAGES, Places
from orchestrate_project import store

QUARTER = "2019Q1"
NOTHING = {table.name: [] for table in published.CONTENT}


@pytest.fixture
def places(tmp_path):
    """Return places where every stage of the quarter is done."""
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    places.report(QUARTER)
    store(places.warehouse, QUARTER, "content")
    store(places.warehouse, QUARTER, "content", "modelled")
    content = published.publish(places.published, QUARTER, NOTHING, ("contract", "1"))
    places.index.write_text("every quarter")
    write_package(places)
    (places.charts(QUARTER) / "a.vl.json").write_text("{}")
    chart = {"in": "reports", "path": f"{QUARTER}/charts/a.vl.json", "bytes": 2}
    for stage in STAGES:
        part = places.interim(QUARTER, stage) / "part"
        part.write_text("rows")
        files = [{"in": "data", "path": str(part.relative_to(places.data)), "bytes": 4}]
        files += [chart] if stage == "visualize" else []
        receipt = {"rows_in": 1, "rows_out": 1, "files": files}
        receipt["content"] = content if stage == "publish" else "content"
        for product in products(places, QUARTER, stage):
            product.write_text(json.dumps(receipt))
            note(product).write_text('{"timestamp": 1, "stored_source_code": "x"}')
        seal(places, QUARTER, stage)
    return places


def edit(path, former, now):
    path.write_text(path.read_text().replace(former, now))


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
        lambda product: note(product).write_text('{"timestamp": null, "stored_source_code": "x"}'),
        lambda product: edit(note(product), '"x"', '"x", "params": [1]'),
    ],
    ids=["lost", "truncated", "edited", "note lost", "cut", "empty", "no time", "odd params"],
)
def test_a_harmed_product_makes_its_stage_due(places, harm, number):
    harm(products(places, QUARTER, "model")[number])
    assert due(places) == ["model"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda seal: seal.unlink(),
        lambda seal: seal.write_text(""),
        lambda seal: seal.write_text(seal.read_text().splitlines()[0]),
        lambda seal: seal.write_bytes(b"\xff"),
    ],
    ids=["lost", "empty", "cut", "garbage"],
)
def test_a_harmed_seal_makes_its_stage_and_the_next_due(places, harm):
    harm(places.reports / QUARTER / ".model.sha256")
    assert due(places) == ["model", "publish"]


def test_a_stage_that_has_run_anew_makes_the_next_one_due_whatever_the_clock_says(places):
    products(places, QUARTER, "load")[1].write_text("another report")
    seal(places, QUARTER, "load")
    assert healing.harm(places, QUARTER, "model") == "load has run since."
    assert due(places) == ["model"]


def timestamps(places):
    notes = [
        [json.loads(note(p).read_text()) for p in products(places, QUARTER, s)] for s in STAGES
    ]
    return [{n["timestamp"] for n in of_stage} for of_stage in notes]


def test_notes_that_a_clock_set_back_has_dated_are_put_in_order(places):
    for product in products(places, QUARTER, "extract"):
        note(product).write_text('{"timestamp": 7, "stored_source_code": "x"}')
    assert timestamps(places) == [{7}, *[{1}] * 5]
    assert due(places) == []
    assert timestamps(places) == [{7}] * 6


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda file: file.with_suffix(".html").unlink(), "model.html is missing."),
        (lambda file: file.write_text("edited"), "model.ipynb is not as it left it."),
        (lambda file: note(file).unlink(), "Its last run did not end well."),
        (
            lambda file: note(file).write_text("{half"),
            "Ploomber's notes about its last run cannot be read.",
        ),
        (lambda file: [f.unlink() for f in file.parent.glob("model.*")], "It has not run yet."),
    ],
)
def test_harm_is_said_in_words(places, harm, words):
    assert healing.harm(places, QUARTER, "model") == ""
    harm(products(places, QUARTER, "model")[0])
    assert healing.harm(places, QUARTER, "model") == words


@pytest.mark.parametrize(
    "harm", [lambda part: part.unlink(), lambda part: part.write_text("row")], ids=["lost", "cut"]
)
def test_a_harmed_file_that_later_stages_read_makes_its_stage_due(places, harm):
    harm(places.interim(QUARTER, "transform") / "part")
    assert due(places) == ["transform"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"no database" * 100),
        lambda path: path.write_bytes(b""),
        lambda path: store(path, QUARTER, "other"),
    ],
    ids=["lost", "garbage", "emptied", "other content"],
)
def test_a_warehouse_that_does_not_hold_what_was_loaded_makes_load_due(places, harm):
    harm(places.warehouse)
    assert due(places)[0] == "load"


def test_figures_that_are_not_the_stages_make_model_due(places):
    store(places.warehouse, QUARTER, "other", "modelled")
    assert due(places) == ["model"]


def test_a_warehouse_of_a_release_without_that_receipt_makes_model_due(places):
    with closing(sqlite3.connect(places.warehouse)) as connection:
        connection.execute("DROP TABLE modelled")
    assert due(places) == ["model"]


def test_another_quarter_in_the_warehouse_makes_nothing_due(places):
    store(places.warehouse, "2019Q2", "other")
    assert due(places) == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"no database" * 100),
        lambda path: path.write_bytes(b""),
        lambda path: published.publish(path, QUARTER, NOTHING, ("contract", "2")),
    ],
    ids=["lost", "garbage", "emptied", "other content"],
)
def test_a_publication_that_is_not_the_stages_makes_publish_due(places, harm):
    harm(places.published)
    assert due(places) == ["publish"]


def test_another_quarters_publication_makes_nothing_due(places):
    published.publish(places.published, "2019Q2", NOTHING, ("contract", "2"))
    assert due(places) == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda places: (places.charts(QUARTER) / "a.vl.json").unlink(),
        lambda places: (places.charts(QUARTER) / "a.vl.json").write_text("{} "),
        lambda places: places.index.unlink(),
        lambda places: places.package_zip.unlink(),
    ],
    ids=["chart lost", "chart changed", "index lost", "zip lost"],
)
def test_a_harmed_chart_or_a_lost_index_makes_visualize_due(places, harm):
    harm(places)
    assert due(places) == ["visualize"]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"content": "content"}',
        '{"content": 1, "files": []}',
        '{"content": "content", "files": {}}',
        '{"content": "content", "files": [{"path": "a", "bytes": 1}]}',
        '{"content": "content", "files": [{"in": "home", "path": "a", "bytes": 1}]}',
    ],
)
def test_a_receipt_without_what_healing_compares_makes_the_stage_due(places, text):
    products(places, QUARTER, "visualize")[2].write_text(text)
    seal(places, QUARTER, "visualize")
    assert due(places) == ["visualize"]


def test_a_receipt_without_files_is_one(places):
    products(places, QUARTER, "visualize")[2].write_text('{"content": "content", "files": []}')
    seal(places, QUARTER, "visualize")
    assert due(places) == []


def test_only_databases_that_cannot_be_read_are_set_aside(places):
    places.warehouse.unlink()
    places.status.write_bytes(b"")
    assert set_aside_unreadable(places) == []
    for path in (places.warehouse, places.published, places.status):
        path.write_bytes(b"no database" * 100)
        assert set_aside_unreadable(places) == [path]
        assert not path.exists()


def test_the_checksums_can_be_checked_with_other_tools(places):
    import subprocess

    folder = places.reports / QUARTER
    command = ["sha256sum", "--check", "--quiet", ".load.sha256"]
    assert subprocess.run(command, cwd=folder, check=False).returncode == 0
    (folder / "load.html").write_text("edited")
    assert subprocess.run(command, cwd=folder, check=False).returncode != 0
