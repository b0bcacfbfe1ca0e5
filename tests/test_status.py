"""The status table: states, latest runs, processes that are gone."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from exams import status


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


def test_runs_of_living_processes_and_of_other_computers_stay_open(path):
    status.start(path, "2019Q1", "extract")
    status.start(path, "2019Q1", "load")
    change(path, "UPDATE stage_run SET host = 'elsewhere', pid = 1 WHERE stage = 'load'")
    status.reap(path)
    assert [state for *_, state in brief(path)] == ["running", "running"]


@pytest.mark.parametrize(
    ("age", "state"), [("-50 seconds", "running"), ("-70 seconds", "interrupted")]
)
def test_a_running_stage_that_is_silent_for_a_minute_is_shown_as_interrupted(path, age, state):
    status.start(path, "2019Q1", "extract")
    moment = "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', ?)"
    change(path, f"UPDATE stage_run SET heartbeat = {moment}", age)
    assert brief(path) == [("2019Q1", "extract", state)]


def test_a_heartbeat_keeps_a_running_stage_alive(path):
    status.start(path, "2019Q1", "extract")
    change(path, "UPDATE stage_run SET heartbeat = '2019-01-01T00:00:00+00:00'")
    status.beat(path, "2019Q1", "extract")
    assert brief(path) == [("2019Q1", "extract", "running")]


def test_every_column_of_table_and_view_is_described(path):
    status.start(path, "2019Q1", "extract")
    with closing(sqlite3.connect(path)) as connection:
        for name in ("stage_run", "stage_status"):
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            query = 'SELECT "column" FROM data_dictionary WHERE "table" = ? AND "column" <> ?'
            assert {c for (c,) in connection.execute(query, [name, ""])} == columns
