"""What `exams status` says."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from exams import status
from exams.errors import ExamsError
from exams.overview import (
    file_lines,
    history_lines,
    left_out_lines,
    overview,
    record_lines,
    running_lines,
    short,
    standing_lines,
)
from exams.places import STAGES, Places, mark_of
from exams.quarters import Timing
from exams.situation import situation
from exams.status import WITHDRAWN
from exams.ticks import Failing, Ticks, write_ticks
from exams.warehouse.history import Delivered, read_deliveries
from exams.warehouse.store import changing
from exams.warehouse.transaction import writing
from stores import IN_A_FILE

pytestmark = pytest.mark.usefixtures("store")

NORTH = ("region-north.csv", "aaaaaaaaaaaaaaaa", 498, 492, 6)
COLUMNS = "quarter, file, sha256, received, loaded, quarantined, first_seen, removed, superseded_by"


@pytest.fixture
def places(tmp_path, small):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    rows = [
        ("2026Q2", *NORTH, "2026-07-01T08:00:00+00:00", "2026-07-02T09:00:00+00:00", 2),
        ("2026Q2", NORTH[0], "bbbbbbbbbbbbbbbb", 1500, 1500, 0, "2026-07-02T09:00Z", None, None),
        ("2026Q2", "all.csv", "cccccccccccccccc", 7, 7, 0, "2026-07-01T08:00Z", None, None),
        ("2026Q1", *NORTH, "2026-04-01T08:00:00+00:00", "2026-04-30T10:00:00+00:00", None),
    ]
    with writing(places.warehouse, small) as connection:
        office = mark_of(places.private)
        numbered = [(number, office, *row) for number, row in enumerate(rows, 1)]
        marks = ", ".join("?" * len(numbered[0]))
        connection.executemany(
            f"INSERT INTO delivery (id, office, {COLUMNS}) VALUES ({marks})", numbered
        )
        row = "INSERT INTO loaded (quarter, content, office) VALUES ('2026Q2', 'x', ?)"
        connection.execute(row, [office])
    status.start(places.status, "2026Q2", "extract")
    return places


@IN_A_FILE
def test_while_a_load_keeps_readers_out_the_rest_is_told_at_once(places):
    with closing(sqlite3.connect(places.warehouse, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        lines, _ = overview(places, Timing())
        assert lines[-1] == "warehouse.db is being written: its files are not listed now."
    assert overview(places, Timing())[0][-2:] == FILES


FILES = [
    "all.csv           7 received = 7 loaded + 0 quarantined",
    "region-north.csv  1,500 received = 1,500 loaded + 0 quarantined",
]
EARLIER = [
    "2026Q1  region-north.csv  aaaaaaaaaaaa  498 received = 492 loaded + 6 quarantined;"
    " seen 2026-04-01 08:00, removed 2026-04-30 10:00",
]
HISTORY = [
    "2026Q2  all.csv           cccccccccccc  7 received = 7 loaded + 0 quarantined;"
    " seen 2026-07-01 08:00",
    "2026Q2  region-north.csv  aaaaaaaaaaaa  498 received = 492 loaded + 6 quarantined;"
    " seen 2026-07-01 08:00,"
    " superseded 2026-07-02 09:00 by bbbbbbbbbbbb",
    "2026Q2  region-north.csv  bbbbbbbbbbbb  1,500 received = 1,500 loaded + 0 quarantined;"
    " seen 2026-07-02 09:00",
]


NOW = datetime(2026, 7, 2, 12, tzinfo=UTC)
HEAD = "quarter     extract     transform   load        model       publish     visualize"
NO_SCHEDULE = "No schedule runs; `exams schedule` starts one."


def standing(places, **timing):
    wish = Timing(**timing)
    return standing_lines(situation(places, wish, NOW), wish)


def test_status_is_a_table_of_quarters_and_stages_then_what_is_wrong_then_the_schedule(places):
    status.end(places.status, "2026Q2", "extract", "failed", reason_code="E104", reason="No file.")
    status.start(places.status, "2026Q1", "extract")
    status.end(places.status, "2026Q1", "extract", "done")
    *lines, late, failure, last = standing(places)
    assert lines == [
        HEAD,
        "2026Q1      done        pending     pending     pending     pending     pending",
        "2026Q2      failed      pending     pending     pending     pending     pending",
    ]
    assert late == "2026Q1 late: No file has come. It was due by 2026-04-30."
    assert failure.startswith("2026Q2 extract failed: E104 No file. (2")
    assert last == NO_SCHEDULE


def test_a_stage_at_work_is_told_with_its_cell_and_for_how_long(places):
    begun, now = "2026-07-02T11:56:40.400+00:00", "2026-07-02T12:00:00+00:00"
    run = {"state": "running", "started": begun, "cell": 7, "cells": 23}
    quiet = run | {"cell": None}
    stages = {"load": run, "model": quiet, "publish": {"state": "pending", "started": None}}
    found = {"quarters": [{"quarter": "2026Q2", "stages": stages}], "as_of": now}
    assert running_lines(found) == [
        "2026Q2 load: cell 7 of 23, running for 0:03:20",
        "2026Q2 model: running for 0:03:20",
    ]


def test_before_anything_has_run_status_says_how_to_start(tmp_path):
    empty = Places(tmp_path / "data", tmp_path / "reports")
    start = ["Nothing has run yet. `make run` starts.", NO_SCHEDULE]
    assert standing(empty) == start
    assert overview(empty, Timing(), "2026Q1", history=True) == (start, True)
    assert history_lines([]) == []


def test_a_quarter_that_keeps_failing_is_shown_with_its_next_try_in_the_local_time(places):
    status.end(places.status, "2026Q2", "extract", "failed", reason="OSError.")
    failing = {"2026Q2": Failing(3, "2026-07-02T12:30:00+00:00", "")}
    beat, tick = "2026-07-02T12:00:00+00:00", "2026-10-01T02:00:00+00:00"
    ticks = Ticks("production", "", "", "", 1, beat, beat, tick, failing=failing)
    write_ticks(places, ticks)
    *_, failure, last = standing(places, time_zone="Europe/Berlin")
    assert failure.startswith("2026Q2 extract failed: OSError. (2")
    assert failure.endswith(") Failed 3 times in a row; tried again 2026-07-02 14:30.")
    assert last == "Next tick: 2026-10-01 04:00 Europe/Berlin; the last one was 2026-07-02 14:00."


def test_a_withdrawn_quarter_is_called_so(places):
    for stage in STAGES:
        status.start(places.status, "2026Q1", stage)
        status.end(places.status, "2026Q1", stage, "done", reason=WITHDRAWN)
    assert standing(places)[1].split() == ["2026Q1", *["withdrawn"] * 6]


def test_the_files_of_the_newest_loaded_quarter_stand_below(places):
    lines, right = overview(places, Timing(grace_days=100_000))
    assert (lines[0], lines[3:], right) == (HEAD, [NO_SCHEDULE, "", *FILES], True)
    assert record_lines(places, "2026Q2") == record_lines(places, None) == ["", *FILES]


def test_a_quarter_of_which_nothing_is_loaded_is_told_from_one_that_is(places):
    assert record_lines(places, "2026Q1") == ["", "Nothing of 2026Q1 is loaded."]
    with pytest.raises(ExamsError, match="E001"):
        record_lines(places, "2026")


def test_the_history_names_what_was_removed_and_what_took_its_place(places):
    assert record_lines(places, None, history=True) == ["", *FILES, "", *EARLIER, *HISTORY]
    assert record_lines(places, "2026Q1", history=True)[-2:] == ["", *EARLIER]


def test_a_long_name_is_cut_in_its_middle_so_that_a_line_stays_readable(places):
    assert short("region-north.csv") == "region-north.csv"
    assert short("a" * 24 + "x" * 150 + "b" * 23) == "a" * 24 + "…" + "b" * 23
    assert short("a" * 48) == "a" * 48
    row = Delivered("2026Q2", *NORTH, 0, "2026-07-02T09:00Z", None, None)
    long = row._replace(file="x" * 200)
    lines = [*file_lines([row, long]), *history_lines([row, long])]
    lines += left_out_lines([("x" * 200, "E106", "It holds no record.")])
    assert all(len(line) < 180 for line in lines)
    assert lines[0].index("498") == lines[1].index("498") == 50


def test_resolved_records_are_named_where_there_are_some(places):
    row = Delivered("2026Q2", *NORTH, 0, "", None, None)
    assert file_lines([row._replace(quarantined=4, resolved=2)]) == [
        "region-north.csv  498 received = 492 loaded + 4 quarantined + 2 resolved"
    ]
    with changing(places.warehouse) as connection:
        connection.execute("UPDATE delivery SET resolved = 3 WHERE file = 'all.csv'")
    assert [d.resolved for d in read_deliveries(places.warehouse, "2026Q2")] == [3, 0, 0]
