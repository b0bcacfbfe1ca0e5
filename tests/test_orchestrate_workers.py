"""Several quarters at once: who needs a second turn, whose turn it is, and the bar."""

import signal
import sys

import pytest

from exams.orchestrate import stopping
from exams.orchestrate.build import to_compare
from exams.orchestrate.workers import Outcome, _Crew, run_turns
from exams.places import STAGES
from exams.progress import Overall
from test_progress import Terminal

COSTS = dict.fromkeys(STAGES, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"2026Q1": Outcome("idle"), "2026Q2": Outcome("idle")}, []),
        ({"2026Q1": Outcome("idle"), "2026Q2": Outcome("idle", ("publish",))}, ["2026Q2"]),
        ({"2026Q1": Outcome("built", ("model",)), "2026Q2": Outcome("idle")}, ["2026Q1", "2026Q2"]),
        ({"2026Q1": Outcome("idle"), "2026Q2": Outcome("built", ("model",))}, ["2026Q2"]),
        ({"2026Q1": Outcome("failed"), "2026Q2": Outcome("idle")}, []),
        ({"2026Q1": Outcome("built", (), True), "2026Q2": Outcome("idle")}, ["2026Q2"]),
    ],
    ids=["nothing due", "own stages due", "earlier one loaded", "later one", "failed", "withdrawn"],
)
def test_a_quarter_has_a_second_turn_if_stages_are_due_or_an_earlier_one_has_changed(first, second):
    assert to_compare(first) == second


def test_stages_that_compare_or_write_to_the_warehouse_wait_for_earlier_quarters(tmp_path):
    quarters = ["2026Q1", "2026Q2", "2026Q3"]
    crew = _Crew(dict.fromkeys(quarters, STAGES), tmp_path, Overall(quarters, COSTS))
    load, model = STAGES.index("load"), STAGES.index("model")
    assert crew._is_free("2026Q3", STAGES.index("transform"))
    assert crew._is_free("2026Q1", model)
    assert not crew._is_free("2026Q2", load)
    crew._ended["2026Q1"] = model  # its load has ended
    assert crew._is_free("2026Q2", load)
    assert not crew._is_free("2026Q2", model)
    crew._ended["2026Q2"] = len(STAGES)  # nothing of it was due
    assert not crew._is_free("2026Q3", model)
    crew._ended["2026Q1"] = len(STAGES)
    assert crew._is_free("2026Q3", model)


def test_a_second_ctrl_c_does_not_stop_the_ending_of_the_processes(tmp_path, monkeypatch):
    ended = []

    def stop(_):
        signal.raise_signal(signal.SIGINT)
        ended.append("all")

    monkeypatch.setattr(stopping, "_DEAF", 600)
    monkeypatch.setattr(_Crew, "work", lambda *_: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(_Crew, "stop", stop)
    with pytest.raises(SystemExit, match="130"):
        run_turns({}, tmp_path, Overall([], COSTS))
    assert ended == ["all"]


def test_the_bar_shows_what_is_done_of_what_is_due_with_the_time_left(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    overall = Overall(["2026Q1", "2026Q2"], COSTS)
    overall.expect("2026Q1", ["load", *STAGES[3:]])
    overall.expect("2026Q2", [])
    overall.reach("2026Q1", "load")
    assert (overall._bar.n, overall._bar.total) == (0, 4)
    overall.leave("2026Q1", STAGES[3:])
    assert (overall._bar.n, overall._bar.total) == (1, 4)
    overall.expect("2026Q2", ["visualize"])  # it compares with the one just loaded
    overall.reach("2026Q1", "visualize")
    assert (overall._bar.n, overall._bar.total) == (3, 5)
    overall.leave("2026Q1", [])
    overall.leave("2026Q2", [])
    assert (overall._bar.n, overall._bar.total) == (5, 5)
    overall.close()
    shown = terminal.getvalue()
    assert "2 quarters   0%|" in shown
    assert "2 quarters 100%|" in shown
    assert " left" in shown


def test_without_a_watcher_there_are_lines_alone(capsys):
    overall = Overall(["2026Q1"], COSTS)
    overall.expect("2026Q1", STAGES)
    overall.write("stdout", "a line")
    overall.write("stderr", "an error")
    overall.close()
    assert capsys.readouterr() == ("a line\n", "an error\n")
