"""The data package: every published table as CSV, described, in a folder and as a zip."""

import csv
import io
import json
import subprocess
import sys
import zipfile

import frictionless
import pytest
from given import SMALL

import example
from exams import published
from exams.datapackage import package, remove_package, write_package
from exams.files import sweep
from exams.places import Places

FORMULA = '=HYPERLINK("x")'


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    places = example.make(tmp_path_factory.mktemp("office"))
    write_package(places)
    return places


def read(files, name):
    return list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode())))


def one_quarter(folder, **tables):
    """Publish one quarter of `tables`, the others empty; return the database."""
    every = {table.name: [] for table in published.CONTENT} | tables
    places = Places.of(folder / "data", folder / "reports")
    published.publish(places.published, "2024Q1", every, (SMALL["title"], "1"))
    return places.published


def row(name, **values):
    columns = next(t.columns for t in published.TABLES if t.name == name)
    return {c.name: None for c in columns} | {"quarter": "2024Q1"} | values


def errors(descriptor):
    return {kind for (kind,) in frictionless.validate(str(descriptor)).flatten(["type"])}


def test_frictionless_finds_the_package_valid(places):
    assert errors(places.package / "datapackage.json") == set()


def test_what_a_killed_process_has_left_of_a_package_can_be_swept_away(places, tmp_path):
    code = f"""
import os
from pathlib import Path
from exams import datapackage
from exams.places import Places
places = Places.of({str(places.data)!r}, {str(tmp_path)!r})
datapackage._replace = lambda *_: os._exit(9)
datapackage.write_package(places)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert len([*tmp_path.iterdir()]) == 2
    sweep(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == [".data.lock"]


def test_frictionless_finds_a_changed_cell_by_hash_and_a_word_where_a_number_is_due(tmp_path):
    places = example.make(tmp_path)
    descriptor = write_package(places)
    table = places.package / "levels.csv"
    table.write_bytes(table.read_bytes().replace(b",Basic,", b",Simple,", 1))
    assert errors(descriptor) == {"hash-count", "byte-count"}
    table.write_bytes(table.read_bytes().replace(b",1,Simple,", b",one,Simple,", 1))
    assert errors(descriptor) >= {"type-error"}


def test_every_published_table_has_types_units_and_meanings_from_its_one_description(places):
    described = json.loads((places.package / "datapackage.json").read_text())
    resources = {resource["name"]: resource for resource in described["resources"]}
    assert list(resources) == [table.name for table in published.TABLES]
    for table in published.TABLES:
        schema = resources[table.name]["schema"]
        assert resources[table.name]["description"] == table.description
        assert schema["primaryKey"] == list(table.key)
        assert [(f["name"], f["description"], f.get("unit", "")) for f in schema["fields"]] == [
            (c.name, c.description, c.unit) for c in table.columns
        ]
    means = {f["name"]: f["type"] for f in resources["mean_by_group"]["schema"]["fields"]}
    assert (means["level"], means["n"], means["mean"]) == ("string", "integer", "number")


def test_every_row_is_there_and_a_hidden_cell_is_empty(places):
    rows = read(package(places.published), "mean_by_group")
    stored = published.read(places.published, "mean_by_group")
    assert [(r["level"], r["n"], r["suppressed"]) for r in rows] == [
        (s["level"].replace(FORMULA, f"'{FORMULA}"), str(s["n"] or ""), str(s["suppressed"]))
        for s in stored
    ]
    assert {(r["n"], r["mean"]) for r in rows if r["suppressed"] == "1"} == {("", "")}
    assert [float(r["mean"]) for r in rows if r["mean"]] == [s["mean"] for s in stored if s["mean"]]


@pytest.mark.parametrize(
    ("level", "cell"),
    [
        (FORMULA, f"'{FORMULA}"),
        ("+1+1", "'+1+1"),
        ("-cmd", "'-cmd"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\tx", "'\tx"),
        ("-3", "-3"),
        ("a=1", "a=1"),
    ],
)
def test_no_text_is_a_formula_in_a_spreadsheet(tmp_path, level, cell):
    level_row = row("levels", score="points", code=1, level=level, share=-0.5, suppressed=0)
    (found,) = read(package(one_quarter(tmp_path, levels=[level_row])), "levels")
    assert (found["level"], found["share"]) == (cell, "-0.5")


def test_a_source_has_its_hash_unless_that_is_not_published(tmp_path):
    files = [row("delivery", file="a.csv", sha256="ab" * 32), row("delivery", file="few.csv")]
    described = json.loads(package(one_quarter(tmp_path, delivery=files))["datapackage.json"])
    assert described["sources"] == [
        {"title": "2024Q1 a.csv", "hash": f"sha256:{'ab' * 32}"},
        {"title": "2024Q1 few.csv"},
    ]
    assert described["licenses"][0]["name"] == "notspecified"


def test_the_zip_holds_the_folder_and_equal_tables_give_equal_bytes(places):
    first = places.package_zip.read_bytes()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == {f.name: f.read_bytes() for f in places.package.iterdir()}
    write_package(places)
    assert places.package_zip.read_bytes() == first


def test_a_new_package_takes_the_place_of_the_former_one_whole(tmp_path):
    places = example.make(tmp_path)
    write_package(places)
    (places.package / "gone.csv").write_text("a table of an earlier release")
    published.withdraw(places.published, example.NEWEST)
    write_package(places)
    assert not (places.package / "gone.csv").exists()
    assert example.NEWEST not in (places.package / "levels.csv").read_text()
    hidden = [f.name for f in places.reports.iterdir() if f.name.startswith(".")]
    assert hidden == [".data.lock"]


def test_one_that_cannot_be_made_leaves_the_former(tmp_path, monkeypatch):
    places = example.make(tmp_path)
    write_package(places)
    before = {f: f.read_bytes() for f in places.package.iterdir()}
    monkeypatch.setattr("exams.datapackage._replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_package(places)
    assert {f: f.read_bytes() for f in places.package.iterdir()} == before
    assert [f.name for f in places.reports.glob(".data-*")] == []


def test_without_a_publication_it_is_removed(tmp_path):
    places = example.make(tmp_path)
    write_package(places)
    remove_package(places)
    assert not places.package.exists() and not places.package_zip.exists()
