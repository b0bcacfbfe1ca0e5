"""Progress bars: seen by whoever watches, by nobody else."""

import io
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from exams.progress import BY_HAND, track

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
