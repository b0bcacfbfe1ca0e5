"""`exams plan` says what a build would run and why; `exams wait` waits for another's build."""

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

import orchestrate_project as project
from exams import status
from exams.cli import main
from exams.errors import ExamsError
from exams.files import write_atomic
from exams.orchestrate import fingerprint, locks, planning, waiting
from exams.orchestrate.build import build_quarter
from exams.orchestrate.planning import due, plan_lines
from exams.orchestrate.products import note, products
from exams.orchestrate.waiting import wait_for
from exams.places import STAGES
from orchestrate_project import deliver

pytestmark = pytest.mark.slow
QUARTER = "2026Q3"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the places of a project whose one quarter is built."""
    folder = tmp_path_factory.mktemp("project") / "project"
    places = project.make_project(folder)
    deliver(places, QUARTER, "first")
    assert build_quarter(QUARTER, folder)
    locks.release()
    return places


@pytest.fixture
def places(built, monkeypatch):
    """Return those places, restored afterwards, as far as these tests change them."""
    root = built.data.parent
    monkeypatch.chdir(root)
    before = {f: f.read_bytes() for f in root.rglob("*") if f.is_file()}
    yield built
    for file in [f for f in root.rglob("*") if f.is_file()]:
        if before.get(file) is None:
            file.unlink()
    for file, content in before.items():
        if not file.is_file() or file.read_bytes() != content:
            file.write_bytes(content)


def lines(first, why):
    """Return the plan of a quarter whose stage `first` is due, and so all after it."""
    after = STAGES[STAGES.index(first) :]
    whys = [why, *(f"{stage} runs before it." for stage in after)]
    return [f"{QUARTER}  {stage:<9}  {w}" for stage, w in zip(after, whys, strict=False)]


def planned():
    return plan_lines(Path())


def edit(path, former, now):
    assert former in path.read_text()
    path.write_text(path.read_text().replace(former, now, 1))


CHANGES = {
    "delivery": (
        lambda places: deliver(places, QUARTER, "another"),
        lines("extract", "What lies in the quarter's folder has changed."),
    ),
    "contract": (
        lambda places: places.contract.write_text("title: new\n"),
        [f"{QUARTER}  {stage:<9}  The contract has changed." for stage in STAGES],
    ),
    "notebook": (
        lambda places: edit(Path("notebooks/load.ipynb"), "import json", "import json, os"),
        lines("load", "notebooks/load.ipynb has changed."),
    ),
    "setting": (
        lambda places: edit(Path("env.yaml"), "refused_files: fail", "refused_files: skip"),
        lines("extract", "The setting refused_files has changed."),
    ),
    "edited": (
        lambda places: edit(places.reports / QUARTER / "publish.html", "</html>", "</html> "),
        lines("publish", "publish.html is not as it left it."),
    ),
    "notes": (
        lambda places: note(products(places, QUARTER, "load")[1]).write_text('{"timest'),
        lines("load", "Ploomber's notes about its last run cannot be read."),
    ),
    "warehouse": (
        lambda places: project.store(places.warehouse, QUARTER, "other", "modelled"),
        lines("model", "warehouse.db does not hold the figures that it worked out."),
    ),
    "published": (
        lambda places: places.published.unlink(),
        lines("publish", "published.db does not hold what it published."),
    ),
}


def test_an_unchanged_quarter_is_up_to_date(places):
    assert planned() == ["1 quarter is up to date."]


def test_a_clock_that_was_set_back_makes_nothing_run_again(places, capsys):
    for product in products(places, QUARTER, "transform"):
        notes = json.loads(note(product).read_text())
        note(product).write_text(json.dumps(notes | {"timestamp": notes["timestamp"] + 86400}))
    assert planned() == ["1 quarter is up to date."]
    capsys.readouterr()
    assert build_quarter(QUARTER)
    assert capsys.readouterr().out == f"{QUARTER} is up to date.\n"


@pytest.mark.parametrize("name", CHANGES)
def test_a_plan_says_which_stages_would_run_and_why(places, name):
    change, expected = CHANGES[name]
    change(places)
    assert planned() == expected


def test_changed_code_is_told_from_changed_inputs(places, monkeypatch, tmp_path):
    notes = places.reports / QUARTER / ".model.ipynb.metadata"
    for product in products(places, QUARTER, "model"):
        notes = product.with_name(f".{product.name}.metadata")
        edit(notes, f'"code": "{json.loads(notes.read_text())["params"]["code"]}"', '"code": "old"')
    assert planned() == lines("model", "The code that it imports has changed.")


def test_a_plan_changes_nothing(places):
    deliver(places, QUARTER, "another")
    planned()  # notes the new file's checksum
    (places.reports / QUARTER / "load.html").unlink()
    before = {f: f.read_bytes() for f in Path().rglob("*") if f.is_file()}
    assert planned() != ["1 quarter is up to date."]
    assert {f: f.read_bytes() for f in Path().rglob("*") if f.is_file()} == before


def test_later_quarters_may_compare_anew(places):
    deliver(places, "2026Q2", "earlier")
    perhaps = [
        f"{QUARTER}  {stage:<9}  Perhaps: 2026Q2 is built before."
        for stage in ("model", "publish", "visualize")
    ]
    assert planned() == [
        *[f"2026Q2  {stage:<9}  It has not run yet." for stage in STAGES],
        *perhaps,
    ]


def test_a_quarter_without_a_file_is_said_to_be_withdrawn_or_unknown(places):
    (places.reports / "2026Q2").mkdir()
    assert planned()[0] == "2026Q2  withdraw   Its folder holds no file any more."
    (places.reports / "2026Q2").rmdir()
    with pytest.raises(ExamsError, match="E408 2031Q1 has no file"):
        due("2031Q1", Path())


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("notebooks/load.ipynb", "{", "Failed to read notebook from 'notebooks/load.ipynb'."),
        ("notebooks/load.ipynb", '{"cells": 3}', "TypeError."),
        ("pipeline.yaml", "tasks: [", "ParserError."),
    ],
)
def test_a_pipeline_that_cannot_be_loaded_is_explained(places, file, content, words):
    Path(file).write_text(content)
    with pytest.raises(ExamsError, match=rf"E403 The pipeline cannot be loaded: {words}"):
        planned()
    with pytest.raises(ExamsError, match="E403"):
        build_quarter(QUARTER)


def test_a_stage_that_begins_while_the_plan_is_made_is_due(places, monkeypatch):
    monkeypatch.setattr(planning, "harm", lambda *_: "")
    note(products(places, QUARTER, "load")[0]).unlink()
    assert planned() == lines("load", "Its last run did not end well.")


@pytest.mark.parametrize(("code", "raised"), [("E210", "E410"), ("E408", "E410"), ("E406", "E406")])
def test_waiting_goes_on_while_the_warehouse_is_written(places, monkeypatch, code, raised):
    def busy(*_):
        raise ExamsError(code, "Not now.", "Later.")

    monkeypatch.setattr(waiting, "due", busy)
    with pytest.raises(ExamsError, match=raised):
        wait_for("load", QUARTER, Path(), 0)


def test_waiting_ends_at_once_where_the_stage_is_done(places):
    places.status.unlink()  # it gates nothing by its loss
    result = CliRunner().invoke(main, ["wait", "load", "--quarter", QUARTER])
    assert (result.exit_code, result.output) == (0, f"load of {QUARTER} is done.\n")


def test_waiting_ends_in_time_where_the_delivery_is_newer(places):
    deliver(places, QUARTER, "another")
    result = CliRunner().invoke(main, ["wait", "load", "--quarter", QUARTER, "--timeout", "0"])
    assert result.exit_code == 1
    assert result.output.startswith(f"E410 load of {QUARTER} is not done for its present files.")
    assert CliRunner().invoke(main, ["wait", "lode", "--quarter", QUARTER]).exit_code == 2
    result = CliRunner().invoke(main, ["wait", "load", "--quarter", "2031Q1", "--timeout", "0"])
    assert result.output.startswith("E410 load of 2031Q1 is not done: no file of it has come.")


def test_while_nothing_happens_the_stage_is_not_looked_at_each_time(places, monkeypatch):
    looks = []
    monkeypatch.setattr(waiting, "POLL", 0.01)
    monkeypatch.setattr(waiting, "due", lambda *_: looks.append(1) or ["load"])
    with pytest.raises(ExamsError, match="E410"):
        wait_for("load", QUARTER, Path(), 0.5)
    assert len(looks) == 2  # at first, and when the time is over
    monkeypatch.setattr(waiting, "AGAIN", 0)
    with pytest.raises(ExamsError, match="E410"):
        wait_for("load", QUARTER, Path(), 0.5)
    assert len(looks) > 4


def test_waiting_ends_when_another_build_is_done(places, monkeypatch):
    monkeypatch.setattr(waiting, "POLL", 0.05)
    monkeypatch.setattr(waiting, "AGAIN", 0.05)
    notebook = Path("notebooks/visualize.ipynb")
    content = notebook.read_text()
    edit(notebook, "import json", "import json, os")
    threading.Timer(0.3, write_atomic, [notebook, content]).start()
    wait_for("visualize", QUARTER, Path(), 60)


def test_waiting_ends_with_the_reason_where_a_stage_before_has_failed(places):
    here = ("2026Q3", str(places.data), str(places.reports))
    for stage in ("extract", "transform", "load"):
        read = json.dumps(fingerprint.inputs(stage, *here))
        code = fingerprint.code(f"notebooks/{stage}.ipynb")
        status.start(places.status, QUARTER, stage, inputs=read, code=code)
    status.end(places.status, QUARTER, "extract", "done")
    why = {"reason_code": "E104", "reason": "a.csv is wrong. Correct it."}
    status.end(places.status, QUARTER, "transform", "failed", **why)
    status.end(places.status, QUARTER, "load", "skipped")
    (places.reports / QUARTER / "load.html").unlink()
    with pytest.raises(ExamsError, match=r"E409 transform of 2026Q3 failed: E104 a\.csv is wrong"):
        wait_for("load", QUARTER, Path())
    wait_for("extract", QUARTER, Path())
    deliver(places, QUARTER, "corrected")  # the failure is not of this file
    with pytest.raises(ExamsError, match="E410"):
        wait_for("load", QUARTER, Path(), 0)
