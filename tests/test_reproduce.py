"""A published quarter made again: what differs is found, and what has changed is named."""

import os
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import nbformat
import pytest
from click.testing import CliRunner
from given import write_contract
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import IPyNbCell, coalesce_streams, nocolors

import example
from exams import lineage, published
from exams.cli import main
from exams.errors import ExamsError
from exams.lineage import ORIGIN
from exams.orchestrate import reproduce as reproducing
from exams.orchestrate.changed import changes
from exams.orchestrate.fingerprint import code
from exams.orchestrate.origin import origin
from exams.orchestrate.reproduce import Outcome, _compared, _moved, reproduce
from exams.outputs import notebook_differences, output_differences
from exams.places import STAGES
from exams.processes import birth
from exams.warehouse.load import enter_delivery
from exams.warehouse.transaction import writing

QUARTER = example.NEWEST


# Outputs


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def result(**data):
    mimes = {kind.replace("_", "/"): value for kind, value in data.items()}
    return new_output("execute_result", execution_count=1, data=mimes)


def chart(spec):
    return new_output("display_data", data={"application/vnd.chart+json": spec})


CHARTS = [f'<div id="altair-viz-{c * 32}"></div>' for c in "ab"]
PAIRS = {
    "the same": ([stream("1 file\n")], [stream("1 file\n")], True),
    "another text": ([stream("1 file\n")], [stream("2 files\n")], False),
    "a stream in two pieces": ([stream("a\n"), stream("b\n")], [stream("a\nb\n")], True),
    "another stream": ([stream("a")], [stream("a", "stderr")], False),
    "an output more": ([], [stream("a")], False),
    "an output less": ([result(text_plain="1")], [], False),
    "one of two": ([result(text_plain="1")] * 2, [result(text_plain="1")], False),
    "kinds in another order": (
        [stream("a"), result(text_plain="1")],
        [result(text_plain="1"), stream("a")],
        True,
    ),
    "another number": ([result(text_plain="66.09")], [result(text_plain="66.10")], False),
    "a kind more": ([result(text_plain="1")], [result(text_plain="1", text_html="1")], False),
    "a picture": ([result(image_png="aa")], [result(image_png="bb")], True),
    "another chart": ([chart({"a": 1})], [chart({"a": 2})], False),
    "the same chart": ([chart({"a": 1, "b": 2})], [chart({"b": 2, "a": 1})], True),
}


def nbval_says(reference, test):
    left_out = ("metadata", "traceback", "prompt_number", "output_type", "name")
    left_out += ("execution_count", "image/png", "image/jpeg")
    cell = SimpleNamespace(
        parent=SimpleNamespace(skip_compare=left_out),
        colors=nocolors,
        sanitize=lambda value: value,
        format_output_compare=lambda *values: None,
    )
    fresh = [nbformat.from_dict([dict(o) for o in outputs]) for outputs in (test, reference)]
    return IPyNbCell.compare_outputs(cell, *map(coalesce_streams, fresh))


@pytest.mark.parametrize(("reference", "test", "equal"), PAIRS.values(), ids=PAIRS)
def test_outputs_are_compared_as_nbval_does(reference, test, equal):
    assert (output_differences(reference, test) == []) == equal
    assert nbval_says(reference, test) == equal


def test_times_and_the_names_of_charts_may_differ():
    times = ["done 2026-11-29T07:40:25.003+00:00", "done 2026-12-01T01:02:03+00:00"]
    assert output_differences(*([stream(text)] for text in times)) == []
    assert output_differences(*([result(text_html=text)] for text in CHARTS)) == []
    assert output_differences([stream("2019-01-01")], [stream("2019-01-02")]) != []


def executed(*cells):
    return new_notebook(
        cells=[
            new_code_cell(source, execution_count=at, outputs=outputs)
            for at, (source, outputs) in enumerate(cells, 1)
        ]
    )


def test_a_difference_names_cell_kind_and_the_first_line_that_differs():
    before = executed(("n", [stream("a\n1\nb")]), ("m", []))
    now = executed(("n", [stream("a\n2\nb")]), ("m + 1", []))
    assert notebook_differences(before, now) == [
        "cell [1]: stdout: “1” is now “2”",
        "cell [2]: its code is another",
    ]
    shorter = executed(("n", []))
    assert notebook_differences(before, shorter) == ["it has 1 cells of code, and had 2"]
    assert notebook_differences(before, before) == []


def test_the_cell_with_parameters_is_not_compared():
    before, now = executed(("n", [])), executed(("n", []))
    given = new_code_cell("data = '/tmp'", metadata={"tags": ["injected-parameters"]})
    now.cells.insert(0, given)
    assert notebook_differences(before, now) == []


# Published cells


@pytest.fixture
def places(tmp_path):
    return example.make(tmp_path)


def test_the_copy_that_a_killed_reproduction_has_left_goes_with_the_next(
    places, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write_contract(places)
    left = tmp_path / f".{birth(os.getpid())}0.{os.getpid()}.ab.draft"  # once ours, not now
    (left / "data").mkdir(parents=True)
    with pytest.raises(RuntimeError), reproducing._scratch(places) as scratch:
        assert not left.exists()
        assert scratch.warehouse.is_file()
        assert scratch.data.parent.stat().st_mode & 0o777 == 0o700
        raise RuntimeError
    assert not scratch.data.parent.exists()


def edited(database, copy, statement):
    copy.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(copy)) as connection, connection:
        assert connection.execute(statement).rowcount > 0
    return copy


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE mean_by_group SET n = n + 1 WHERE dimension = 'all' AND score = 'essay'",
            "mean_by_group all, all, essay: n 1000 is now 1001",
        ),
        (
            "UPDATE at_risk_by_group SET share = 0.5 WHERE level LIKE '<script>%'",
            f"at_risk_by_group region, {example.SCRIPT}: share hidden or none is now 0.5",
        ),
        (
            "DELETE FROM delivery WHERE file = 'region-north.csv'",
            "delivery region-north.csv: the row is gone",
        ),
        (
            "UPDATE publication SET refused = 1",
            "publication: refused 0 is now 1",
        ),
        ("UPDATE publication SET version = 7, published_at = 'later', fingerprint = ''", None),
        ("UPDATE levels SET n = 1 WHERE quarter < '2026Q3'", None),
    ],
)
def test_every_published_cell_of_the_quarter_is_compared(places, tmp_path, statement, found):
    copy = edited(places.published, tmp_path / "copy.db", statement)
    cells, differing = _compared(places.published, copy, QUARTER)
    assert differing[:1] == ([found] if found else [])
    assert cells > 300


# What has changed


def test_folders_in_parameters_are_replaced_as_a_whole():
    folders = {"/a/data": "/s/data", "/a/reports": "/s/reports"}
    given = {"data": "/a/data", "other": "/a/database", "product": {"nb": "/a/reports/x.ipynb"}}
    assert _moved(given, folders) == {
        "data": "/s/data",
        "other": "/a/database",
        "product": {"nb": "/s/reports/x.ipynb"},
    }


@pytest.fixture
def made(places, tmp_path, small):
    """A project with notebooks, and a quarter of it with its lineage and a loaded file."""
    write_contract(places)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (tmp_path / "requirements.lock").write_text("pandas==3")
    file = places.delivery(QUARTER) / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    hashed = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    with writing(places.warehouse, small) as connection:
        enter_delivery(connection, (QUARTER, "a.csv", hashed, 1), "2026-10-01T00:00:00+00:00", "")
    for stage in STAGES:
        notebook = folder / f"{stage}.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell("import exams.files")]), notebook)
        (places.report(QUARTER) / notebook.name).write_text("executed")
        origins = origin(tmp_path, places, QUARTER, stage, code(str(notebook)))
        lineage.record(places, QUARTER, {"stage": stage}, origins)
    return tmp_path, places


def test_where_nothing_has_changed_nothing_is_named(made):
    root, places = made
    assert set(ORIGIN) <= set(lineage.lineage(places, QUARTER)["stages"][0])
    assert changes(root, places, QUARTER) == []


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("notebooks/model.ipynb", ["notebooks/model.ipynb"]),
        ("data/contract.yaml", ["the contract"]),
        ("requirements.lock", ["requirements.lock"]),
        (f"data/deliveries/{QUARTER}/a.csv", ["a.csv has other bytes"]),
        (f"data/deliveries/{QUARTER}/b.csv", ["b.csv is new"]),
        (
            f"reports/{QUARTER}/load.ipynb",
            [f"reports/{QUARTER}/load.ipynb, the executed notebook"],
        ),
    ],
)
def test_what_has_changed_is_named(made, path, named):
    root, places = made
    with (root / path).open("a") as file:
        file.write("\n")
    assert changes(root, places, QUARTER) == named


def test_changed_code_of_the_package_and_a_lost_file_are_named(made, monkeypatch):
    root, places = made
    (places.delivery(QUARTER) / "a.csv").unlink()
    monkeypatch.setattr("exams.orchestrate.changed.code", lambda notebook: "other")
    found = changes(root, places, QUARTER)
    assert found == [*(f"the package's code that {s} uses" for s in STAGES), "a.csv is gone"]


def test_without_a_lineage_that_is_said(made):
    root, places = made
    lineage.path_of(places, QUARTER).unlink()
    (line,) = changes(root, places, QUARTER)
    assert "was not noted" in line


# What is said


def test_an_outcome_says_what_differs_and_why():
    assert Outcome(QUARTER, [], [], 1234).lines() == [
        "2026Q3 is reproduced: 6 notebooks and 1,234 published cells are the same."
    ]
    lines = Outcome(QUARTER, ["levels: x"] * 23, ["the contract"], 9).lines()
    assert [lines[0], *lines[20:]] == [
        "2026Q3 is not reproduced:",
        "  levels: x",
        "  and 3 more",
        "Changed since it was made:",
        "  the contract",
    ]
    assert Outcome(QUARTER, ["a"], [], 9).lines()[-1].startswith("Nothing that was noted")


def test_a_quarter_that_is_not_published_or_lacks_a_notebook_is_an_error(places, tmp_path):
    with pytest.raises(ExamsError, match="E331 2031Q1 is not published"):
        list(reproduce(tmp_path, places, ["2031Q1"]))
    with pytest.raises(ExamsError, match="E334 The executed notebook of extract for 2026Q3 is"):
        list(reproduce(tmp_path, places, [QUARTER]))
    assert published.published_quarters(places.published) == example.QUARTERS


# The command


@pytest.fixture
def project(places, tmp_path, monkeypatch):
    """The office as a project; each quarter is compared at once, one of them differs."""
    (tmp_path / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path)

    def outcome(root, places, quarter):
        return Outcome(quarter, ["levels: x"] if quarter == "2026Q1" else [], [], 9)

    monkeypatch.setattr(reproducing, "_reproduced", outcome)


@pytest.mark.parametrize(
    ("words", "code", "lines"),
    [
        (["2026Q3"], 0, 1),
        (["2026Q1"], 1, 3),
        (["--all"], 1, 6),
        ([], 2, None),
        (["--all", "2026Q3"], 2, None),
        (["2031Q1"], 1, None),
        (["2031"], 2, None),
    ],
)
def test_the_exit_code_says_whether_all_is_the_same(project, words, code, lines):
    done = CliRunner().invoke(main, ["reproduce", *words])
    assert done.exit_code == code
    assert lines is None or len(done.output.splitlines()) == lines


@pytest.mark.parametrize("quarters", [example.QUARTERS, example.QUARTERS[:1]])
def test_several_quarters_show_one_bar_to_a_person(
    project, places, tmp_path, monkeypatch, quarters
):
    bars = []
    monkeypatch.setattr(
        reproducing, "track", lambda items, *about: bars.append(about) or iter(items)
    )
    found = [outcome.quarter for outcome in reproduce(tmp_path, places, quarters)]
    assert found == quarters
    assert bars == ([(4, "reproduce", " quarters")] if len(quarters) > 1 else [])
