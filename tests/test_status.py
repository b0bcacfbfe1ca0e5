"""The status table: states, latest runs, processes that are gone."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from exams import processes, status
from exams.errors import ExamsError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "status.db"


def brief(path):
    return [(r["quarter"], r["stage"], r["state"]) for r in status.stage_status(path)]


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_without_a_file_nothing_is_known_and_none_is_made(path):
    assert status.stage_status(path) == []
    assert not path.exists()


def test_a_run_goes_from_pending_over_running_to_done(path):
    status.plan(path, "2019Q1", ["extract", "transform"])
    assert brief(path) == [("2019Q1", "extract", "pending"), ("2019Q1", "transform", "pending")]
    status.start(path, "2019Q1", "extract")
    assert brief(path)[0] == ("2019Q1", "extract", "running")
    status.end(path, "2019Q1", "extract", "done", rows_in=3, rows_out=2)
    row = status.stage_status(path)[0]
    assert (row["state"], row["rows_in"], row["rows_out"]) == ("done", 3, 2)
    assert (row["host"], row["pid"]) == (status.HOST, os.getpid())
    assert row["started"] <= row["ended"]


def test_how_far_a_run_has_come_is_written_with_its_next_sign_of_life(path):
    status.start(path, "2019Q1", "load")
    status.start(path, "2019Q1", "model")
    status.reach(path, "2019Q1", "load", 2, 9)
    status.reach(path, "2019Q1", "publish", 1, 5)  # does not run: nothing is noted
    assert [(r["cell"], r["cells"]) for r in status.stage_status(path)] == [(None, None)] * 2
    status.beat(path, "2019Q1")
    assert [(r["cell"], r["cells"]) for r in status.stage_status(path)] == [(2, 9), (None, None)]
    status.reach(path, "2019Q1", "load", 3, 9)
    status.end(path, "2019Q1", "load", "failed", reason="why")
    (run, _) = status.stage_status(path)
    assert (run["state"], run["cell"], run["cells"]) == ("failed", 3, 9)


def test_a_second_run_is_added_and_the_latest_one_shown(path):
    for state in ("failed", "done"):
        status.start(path, "2019Q1", "load")
        status.end(path, "2019Q1", "load", state)
    assert brief(path) == [("2019Q1", "load", "done")]
    with closing(sqlite3.connect(path)) as connection:
        states = connection.execute("SELECT state FROM stage_run ORDER BY id").fetchall()
    assert states == [("failed",), ("done",)]


def test_a_closed_run_cannot_be_closed_again(path):
    status.start(path, "2019Q1", "load")
    status.end(path, "2019Q1", "load", "failed", reason_code="E104", reason="why")
    status.end(path, "2019Q1", "load", "skipped", reason="other")
    row = status.stage_status(path)[0]
    assert (row["state"], row["reason_code"], row["reason"]) == ("failed", "E104", "why")


def test_stages_are_listed_in_the_order_of_the_pipeline(path):
    for quarter, stage in [("2019Q2", "load"), ("2019Q1", "model"), ("2019Q1", "extract")]:
        status.start(path, quarter, stage)
    assert [row[:2] for row in brief(path)] == [
        ("2019Q1", "extract"),
        ("2019Q1", "model"),
        ("2019Q2", "load"),
    ]


def test_what_is_up_to_date_is_restored_once(path):
    for _ in range(2):
        status.restore(path, "2019Q1", "load", rows_out=7)
    assert brief(path) == [("2019Q1", "load", "done")]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM stage_run").fetchone() == (1,)


def test_runs_of_a_process_that_is_gone_are_closed(path):
    status.plan(path, "2019Q1", ["extract", "transform"])
    status.start(path, "2019Q1", "extract")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    change(path, "UPDATE stage_run SET pid = ?", ended.pid)
    status.reap(path)
    assert brief(path) == [("2019Q1", "extract", "interrupted"), ("2019Q1", "transform", "skipped")]
    assert status.stage_status(path)[0]["reason"] == f"Process {ended.pid} ended early."


def test_a_run_of_a_killed_process_is_shown_as_interrupted_at_once(path):
    code = f"""
import os, signal
from pathlib import Path
from exams import status
status.plan(Path({str(path)!r}), "2019Q1", ["extract", "transform"])
status.start(Path({str(path)!r}), "2019Q1", "extract")
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert brief(path) == [("2019Q1", "extract", "interrupted"), ("2019Q1", "transform", "skipped")]


def test_a_process_with_the_number_of_one_that_is_gone_is_not_taken_for_it(path):
    status.start(path, "2019Q1", "extract")
    change(path, "UPDATE stage_run SET birth = substr(birth, 1, instr(birth, '-')) || '1-1'")
    assert brief(path) == [("2019Q1", "extract", "running")]  # of another container: who knows
    mark = processes.birth(os.getpid())
    change(path, "UPDATE stage_run SET birth = ?", f"{mark}0")
    assert brief(path) == [("2019Q1", "extract", "interrupted")]


def move_elsewhere(path, age="-0 seconds"):
    """Make the runs those of another computer, with the last sign of life so long ago."""
    moment = "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', ?)"
    settings = f"host = 'elsewhere', birth = '12345678-1-1', pid = 1, heartbeat = {moment}"
    change(path, f"UPDATE stage_run SET {settings}", age)


def test_runs_of_living_processes_and_of_other_computers_stay_open(path):
    status.start(path, "2019Q1", "load")
    move_elsewhere(path)
    status.start(path, "2019Q1", "extract")
    status.reap(path)
    assert [state for *_, state in brief(path)] == ["running", "running"]


@pytest.mark.parametrize(
    ("age", "state"),
    [
        ("-50 seconds", "running"),
        ("-70 seconds", "interrupted"),
        ("+50 seconds", "running"),
        ("+70 seconds", "interrupted"),
    ],
)
def test_a_stage_elsewhere_that_is_silent_for_a_minute_is_interrupted(path, age, state):
    status.start(path, "2019Q1", "extract")
    move_elsewhere(path, age)
    assert brief(path) == [("2019Q1", "extract", state)]
    status.reap(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT state FROM stage_run").fetchone() == (state,)


def test_a_process_that_the_system_hides_is_not_taken_for_dead_at_once(path, monkeypatch):
    status.start(path, "2019Q1", "extract")
    monkeypatch.setattr(processes, "_is_hidden", lambda pid: True)
    monkeypatch.setattr(processes, "birth", lambda pid: None)
    assert brief(path) == [("2019Q1", "extract", "running")]
    long_ago = datetime.now(UTC) - timedelta(seconds=70)
    change(path, "UPDATE stage_run SET heartbeat = ?", status.as_text(long_ago))
    assert brief(path) == [("2019Q1", "extract", "interrupted")]


def test_no_process_of_this_user_is_hidden():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert [processes._is_hidden(pid) for pid in (os.getpid(), ended.pid)] == [False, False]


def test_signs_of_life_are_given_meanwhile_and_no_longer(path, monkeypatch):
    monkeypatch.setattr(status, "BEAT", 0.01)
    status.plan(path, "2019Q1", ["extract"])

    def beats():
        before = status.latest_runs(path)[0]["heartbeat"]
        end = time.monotonic() + 30
        while status.latest_runs(path)[0]["heartbeat"] == before:
            assert time.monotonic() < end, "no sign of life"

    def hearts():
        return sum("go_on" in thread.name for thread in threading.enumerate())

    with status.beating(path, "2019Q1"):
        beats()
        with status.beating(path, "2019Q1"):
            assert hearts() == 1
        beats()
    assert hearts() == 0


def test_a_clock_that_jumps_ends_no_run_of_a_process_that_lives(path):
    status.start(path, "2019Q1", "extract")
    change(path, "UPDATE stage_run SET heartbeat = '2019-01-01T00:00:00+00:00'")
    status.reap(path)
    assert brief(path) == [("2019Q1", "extract", "running")]


def test_a_run_goes_on_in_a_file_that_was_deleted_meanwhile(path):
    status.plan(path, "2019Q1", ["extract", "transform"])
    status.start(path, "2019Q1", "extract", code="abc")
    path.unlink()
    status.beat(path, "2019Q1")
    (run,) = status.latest_runs(path)
    assert (run["stage"], run["state"], run["code"]) == ("extract", "running", "abc")
    path.unlink()
    status.end(path, "2019Q1", "extract", "failed", reason_code="E104", reason="why")
    (again,) = status.latest_runs(path)
    assert (again["state"], again["started"], again["reason"]) == ("failed", run["started"], "why")
    status.beat(path, "2019Q1")
    status.end(path, "2019Q1", "transform", "skipped")
    assert brief(path) == [("2019Q1", "extract", "failed")]


def test_no_run_ends_before_it_began_where_the_clock_was_set_back(path):
    later = "2099-01-01T00:00:00.000+00:00"
    for stage in ("extract", "transform"):
        status.start(path, "2019Q1", stage)
    change(path, "UPDATE stage_run SET started = ?", later)
    status.end(path, "2019Q1", "extract", "done")
    change(path, "UPDATE stage_run SET birth = birth || '0' WHERE stage = 'transform'")
    assert [(r["state"], r["ended"]) for r in status.stage_status(path)] == [
        ("done", later),
        ("interrupted", later),
    ]


def test_a_run_that_another_computer_took_for_dead_goes_on(path):
    status.plan(path, "2019Q1", ["extract", "transform"])
    status.start(path, "2019Q1", "extract")
    dead = "UPDATE stage_run SET ended = heartbeat, reason = ?, state = ? WHERE stage = ?"
    change(path, dead, status.SILENT, "interrupted", "extract")
    change(path, dead, status.SILENT, "skipped", "transform")
    status.beat(path, "2019Q1")
    assert brief(path) == [("2019Q1", "extract", "running"), ("2019Q1", "transform", "pending")]
    change(path, dead, status.SILENT, "interrupted", "extract")
    status.end(path, "2019Q1", "extract", "done")
    row = status.stage_status(path)[0]
    assert (row["state"], row["reason"]) == ("done", None)


def test_a_status_of_the_former_release_is_taken_over(path):
    status.start(path, "2019Q1", "extract")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP VIEW stage_status")
        for column in ("birth", "inputs", "code", "cell", "cells"):
            connection.execute(f"ALTER TABLE stage_run DROP COLUMN {column}")
        connection.execute("UPDATE stage_run SET state = 'done'")
        connection.execute("PRAGMA user_version = 1")
    assert status.stage_status(path)[0]["cell"] is None
    status.start(path, "2019Q1", "load", inputs="{}", code="abc")
    assert brief(path) == [("2019Q1", "extract", "done"), ("2019Q1", "load", "running")]
    assert status.latest_runs(path)[1]["code"] == "abc"


@contextmanager
def locked(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def test_what_cannot_be_written_now_is_written_later_and_stops_nothing(path, monkeypatch, capsys):
    monkeypatch.setattr(status, "_WAIT", 0.01)
    status.plan(path, "2019Q1", ["extract", "transform"])
    with locked(path):
        status.start(path, "2019Q1", "extract")
        status.beat(path, "2019Q1")
        status.end(path, "2019Q1", "extract", "done")
        with pytest.raises(ExamsError, match=r"E407 status\.db cannot be read now"):
            status.stage_status(path)
        assert status.known(path) == []
        status.reap(path)
    status.start(path, "2019Q1", "transform")
    assert brief(path) == [("2019Q1", "extract", "done"), ("2019Q1", "transform", "running")]
    first, *rest = status.stage_status(path)
    assert first["started"] <= first["ended"] <= rest[0]["started"]
    said = capsys.readouterr().err
    assert said.count("cannot be written now (another program is writing it)") == 1


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    (tmp_path / "status").write_text("no folder")
    status.start(tmp_path / "status" / "status.db", "2019Q1", "extract")
    assert "status.db cannot be written now (is the disk full?)" in capsys.readouterr().err


def test_a_status_damaged_while_a_build_runs_is_set_aside(path):
    for stage in ("extract", "transform", "load"):
        status.start(path, "2019Q1", stage)
    content = bytearray(path.read_bytes())
    content[4096:] = b"x" * (len(content) - 4096)  # all but the first page
    path.write_bytes(content)
    status.end(path, "2019Q1", "extract", "done")
    status.start(path, "2019Q1", "model")
    assert brief(path) == [("2019Q1", "extract", "done"), ("2019Q1", "model", "running")]
    status.beat(path, "2019Q1")
    assert [state for *_, state in brief(path)] == ["done", *["running"] * 3]
    assert path.with_name("status.db.unreadable").exists()


def test_a_write_that_was_killed_half_way_is_undone_by_the_next_reader(path, tmp_path):
    status.start(path, "2019Q1", "extract")
    copy = tmp_path / "copy" / "status.db"
    copy.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")  # so that it writes before it commits
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE stage_run SET reason = ?", ["x" * 100_000])
        for end in ("", "-journal"):
            file = path.with_name(path.name + end)
            copy.with_name(file.name).write_bytes(file.read_bytes())
    assert status.stage_status(copy)[0]["reason"] is None
    assert not copy.with_name("status.db-journal").exists()


def test_every_column_of_table_and_view_is_described(path):
    status.start(path, "2019Q1", "extract")
    with closing(sqlite3.connect(path)) as connection:
        for name in ("stage_run", "stage_status"):
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            query = 'SELECT "column" FROM data_dictionary WHERE "table" = ? AND "column" <> ?'
            assert {c for (c,) in connection.execute(query, [name, ""])} == columns
