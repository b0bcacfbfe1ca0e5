"""What makes a stage due: the code it imports, the files it reads, the earlier quarters."""

import json
import os

import pytest
import yaml
from given import identified

from exams.intake.judging.identifiers import KEY
from exams.intake.reading.arrivals import delivered
from exams.orchestrate import fingerprint
from exams.places import STAGES, Places
from orchestrate_project import deliver, store

QUARTER = "2019Q2"
CHARTS = "web/voila/templates/exams/static/charts.js"


@pytest.fixture
def places(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    places.deliveries.mkdir(parents=True)
    places.contract.write_text("title: one\n")
    deliver(places, QUARTER, "text")
    return places


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Stand a small package in for this one; return its folder."""
    folder = tmp_path / "exams"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "inner" / "__init__.py").write_text("from . import near")
    (folder / "inner" / "near.py").write_text("from ..far import value")
    (folder / "far.py").write_text("value = 1")
    (folder / "other.py").write_text("value = 1")
    monkeypatch.setattr(fingerprint, "PACKAGE", folder)
    return folder


def of(places, stage):
    return fingerprint.inputs(stage, QUARTER, str(places.data), str(places.reports))


def changed(places, change):
    """Return the stages whose inputs differ after `change`."""
    before = {stage: of(places, stage) for stage in STAGES}
    change()
    return [stage for stage in STAGES if of(places, stage) != before[stage]]


def test_a_file_that_is_changed_added_renamed_or_removed_makes_extract_due(places):
    file = places.delivery(QUARTER) / "a.csv"
    assert changed(places, lambda: file.write_text("else")) == ["extract"]
    assert changed(places, lambda: deliver(places, QUARTER, "b", "b.csv")) == ["extract"]
    assert changed(places, lambda: file.rename(file.with_name("c.csv"))) == ["extract"]
    assert changed(places, (places.delivery(QUARTER) / "c.csv").unlink) == ["extract"]


def test_a_touched_or_hidden_file_and_another_quarters_file_make_nothing_due(places):
    file = places.delivery(QUARTER) / "a.csv"
    assert changed(places, lambda: os.utime(file)) == []
    assert changed(places, lambda: deliver(places, QUARTER, "x", ".hidden")) == []
    assert changed(places, lambda: deliver(places, "2019Q1", "x")) == []


def test_the_contract_makes_every_stage_due(places):
    assert changed(places, lambda: places.contract.write_text("title: two\n")) == [*STAGES]


@pytest.mark.parametrize(
    "name", ["report.py", "web/nbconvert/templates/exams/index.html.j2", CHARTS]
)
def test_what_reports_look_like_makes_every_stage_due(places, package, name):
    file = package / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("one")
    assert changed(places, lambda: file.write_text("two")) == [*STAGES]
    other = file.with_name("unused.js")
    assert changed(places, lambda: other.write_text("two")) == ([*STAGES] if "nbc" in name else [])


def test_every_file_that_reports_are_made_with_is_looked_at():
    template = {"conf.json", "index.html.j2", "report.css", "report.js"}
    names = {name for name, _ in fingerprint.report_form()}
    scripts = {"charts.js", "csv.js", "dom.js", "downloads.js", "figures.js", "format.js"}
    scripts |= {"drawing.js", "layout.js", "picture.js", "texts.js", "theme.js"}
    assert names == template | scripts | {"report.py", "tokens.css"}


def test_what_the_charts_script_imports_makes_every_stage_due(places, package):
    charts = package / CHARTS
    charts.parent.mkdir(parents=True)
    charts.write_text('import {TEXTS} from "./texts.js";\n')
    texts = charts.with_name("texts.js")
    texts.write_text("one")
    assert changed(places, lambda: texts.write_text("two")) == [*STAGES]


def test_a_contract_makes_the_quarters_under_it_due_and_no_other(places):
    former = places.contracts / "former.yaml"
    former.parent.mkdir()
    former.write_text("title: former\n")
    places.contract.write_text("valid_from: 2019Q2\n")
    assert changed(places, lambda: former.write_text("title: mended\n")) == []
    places.contract.write_text("valid_from: 2019Q3\n")
    assert changed(places, lambda: former.write_text("title: again\n")) == [*STAGES]
    assert changed(places, lambda: places.contract.write_text("valid_from: 2019Q4\n")) == []


@pytest.mark.parametrize("content", ["valid_from: soon", "title: [", "valid_from: 2031Q1", None])
def test_a_broken_contract_raises_nothing_and_is_due_when_mended(places, content):
    if content is None:
        places.contract.unlink()
    else:
        places.contract.write_text(content)
    assert changed(places, lambda: places.contract.write_text("title: mended\n")) == [*STAGES]


@pytest.mark.parametrize(
    ("role", "due"), [("identifier", ["extract", "transform", "load"]), ("ignore", [])]
)
def test_another_key_makes_intake_due_where_there_are_identifiers(places, monkeypatch, role, due):
    content = identified(role=role)
    places.contract.write_text(yaml.safe_dump(content))
    monkeypatch.setenv(KEY, "a key of the office")
    assert changed(places, lambda: monkeypatch.setenv(KEY, "a new key of the office")) == due
    assert changed(places, lambda: monkeypatch.delenv(KEY)) == due


@pytest.mark.parametrize(
    ("quarter", "due"), [("2019Q1", ["model", "publish", "visualize"]), ("2019Q3", [])]
)
def test_only_earlier_loaded_quarters_make_the_comparing_stages_due(places, quarter, due):
    deliver(places, quarter, "x")
    assert changed(places, lambda: store(places.warehouse, quarter, "sum")) == due


def test_an_unchanged_file_is_not_read_again_and_a_lost_note_is_made_anew(places, monkeypatch):
    expected = delivered(places, QUARTER)

    def refuse(*_):
        raise AssertionError("the file is read again")

    with monkeypatch.context() as patch:
        patch.setattr("exams.intake.reading.arrivals.hashlib.file_digest", refuse)
        assert delivered(places, QUARTER) == expected
    notes = places.data / "private" / ".deliveries.json"
    assert notes.parent.stat().st_mode & 0o777 == 0o700
    for loss in (notes.unlink, lambda: notes.write_text("{half")):
        loss()
        assert delivered(places, QUARTER) == expected


def test_a_quarter_without_a_folder_has_no_files(places):
    assert delivered(places, "2031Q1") == []


@pytest.mark.parametrize(
    ("source", "file", "due"),
    [
        ("from exams import inner", "inner/__init__.py", True),
        ("import exams.inner", "inner/near.py", True),
        ("%matplotlib inline\nfrom exams.inner import near", "far.py", True),
        ("from exams import inner", "other.py", False),
        ("import json", "far.py", False),
        ("import json\nimport exams.far", "far.py", True),
        ("def late():\n    from exams import far\n    return far\n\nlate()", "far.py", True),
        ("from exams import (  # to import\n    far,\n)\nfar", "far.py", True),
        ('import exams.far\ntext = """\nWhat is to\nimport\n"""', "far.py", True),
        ('text = """\nimport exams.far\n"""\ntext', "far.py", False),
        (
            "if text := 1:\n    pass\nelse:\n    import exams.far\n@text\ndef f(): ...",
            "far.py",
            True,
        ),
    ],
)
def test_code_follows_the_imports_of_a_notebook(tmp_path, package, source, file, due):
    notebook = tmp_path / "notebook.ipynb"
    cells = [{"cell_type": "code", "source": [source]}, {"cell_type": "code", "source": ["?x"]}]
    notebook.write_text(json.dumps({"cells": cells}))
    before = fingerprint.code(str(notebook))
    (package / file).write_text((package / file).read_text() + "\nvalue = 2\n")
    assert (fingerprint.code(str(notebook)) != before) is due
