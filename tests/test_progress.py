"""Progress bars: seen by whoever watches, by nobody else."""

import gzip
import io
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from office import LIMIT, QUARTER, Office

from exams.intake.parts import Part
from exams.progress import BY_HAND, track
from exams.stages.extract import extracting, find_files

WORK = """
from exams.progress import track
taken = list(track([b"ab", b"c"], 3, "north.csv", "B", len))
assert taken == [b"ab", b"c"]
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(code, *arguments):
    """Return what cells write that run `code` after a cell with parameters."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in (*arguments, code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    done = NotebookClient(nbformat.from_dict(notebook), timeout=60).execute()
    return "".join(o.text for cell in done.cells for o in cell.outputs if o.name == "stderr")


def test_a_terminal_shows_how_far_it_is_and_is_clean_again_at_the_end(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    pieces = track([b"ab", b"c"], 3, "north.csv", "B", len)
    assert next(pieces) == b"ab"
    assert terminal.getvalue().startswith("\rnorth.csv:   0%")
    assert list(pieces) == [b"c"]
    assert terminal.getvalue().endswith("\r")


def test_an_unknown_total_is_no_trouble(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert list(track("ab", None, "parts", "")) == ["a", "b"]
    assert "parts: 0" in terminal.getvalue()


def test_a_pipe_gets_the_items_and_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", pipe := io.StringIO())
    monkeypatch.setitem(sys.modules, "tqdm", None)  # nor the time that this takes to load
    assert list(track([b"ab", b"c"], 3, "north.csv", "B", len)) == [b"ab", b"c"]
    assert pipe.getvalue() == ""


@pytest.mark.parametrize(
    ("parameters", "bar"), [(f"code = {BY_HAND!r}", True), ("code = 'a17f'", False), ("", False)]
)
def test_a_notebook_shows_a_bar_only_if_a_person_runs_it(parameters, bar):
    assert ("north.csv" in shown(WORK, parameters)) == bar


def test_the_stages_of_intake_show_bytes_and_parts_of_what_there_is(tmp_path, small, monkeypatch):
    office = Office(tmp_path, small)
    office.deliver(north="track,points\nnorth,3\n", south="track,points\nsouth,5\n")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    office.build()
    bars = [line.split("|") for line in terminal.getvalue().split("\r") if line.strip()]
    starts = [(label.split(":")[0], left.split()[0]) for label, *_, left in bars if " 0%" in label]
    assert starts == [("extract", "0.00/42.0"), ("transform", "0/2"), ("load", "0/2")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_byte_of_a_file_is_read_for_some_part(tmp_path, small, monkeypatch, pack):
    monkeypatch.setattr("exams.intake.reading.blocks.BLOCK", 1 << 20)
    office = Office(tmp_path, small)
    file = office.folder() / "north.csv"
    file.write_bytes(pack(b"track,points\n" + b"north,3\n" * 1_500_000))
    found = find_files(office.places, QUARTER, small, LIMIT)
    items = list(extracting(found, office.interim("extract"), LIMIT))
    read = [item.read for item in items if isinstance(item, Part)]
    assert (len(read) > 2, sum(read)) == (True, file.stat().st_size)
