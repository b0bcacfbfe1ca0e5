"""What `exams status` says."""

import sqlite3
from contextlib import closing

import pytest

from exams import status
from exams.errors import ExamsError
from exams.overview import file_lines, history_lines, overview, stage_lines
from exams.places import Places
from exams.schema import create
from exams.status import WITHDRAWN
from exams.warehouse.history import Delivered, read_deliveries
from exams.warehouse.schema import tables
from exams.warehouse.store import LAYOUT

NORTH = ("region-north.csv", "aaaaaaaaaaaaaaaa", 498, 492, 6)
COLUMNS = "quarter, file, sha256, received, loaded, quarantined, first_seen, removed, superseded_by"


@pytest.fixture
def places(tmp_path, small):
    places = Places(tmp_path / "data", tmp_path / "reports")
    rows = [
        ("2026Q2", *NORTH, "2026-07-01T08:00:00+00:00", "2026-07-02T09:00:00+00:00", 2),
        ("2026Q2", NORTH[0], "bbbbbbbbbbbbbbbb", 1500, 1500, 0, "2026-07-02T09:00Z", None, None),
        ("2026Q2", "all.csv", "cccccccccccccccc", 7, 7, 0, "2026-07-01T08:00Z", None, None),
        ("2026Q1", *NORTH, "2026-04-01T08:00:00+00:00", "2026-04-30T10:00:00+00:00", None),
    ]
    with closing(sqlite3.connect(places.warehouse)) as connection, connection:
        create(connection, tables(small))
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO delivery ({COLUMNS}) VALUES ({marks})", rows)
        connection.execute("INSERT INTO loaded (quarter, content) VALUES ('2026Q2', 'x')")
    status.start(places.status, "2026Q2", "extract")
    return places


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


def test_status_is_a_table_of_quarters_and_stages_with_the_reasons_below():
    runs = [
        {"quarter": "2026Q2", "stage": "extract", "state": "done"},
        {"quarter": "2026Q1", "stage": "extract", "state": "done"},
        {"quarter": "2026Q1", "stage": "load", "state": "failed", "reason_code": "E104"},
    ]
    runs = [{"reason_code": None, "reason": None, **run} for run in runs]
    runs[2]["reason"] = "a.csv is refused"
    assert stage_lines(runs) == [
        "quarter     extract     transform   load        model       publish     visualize",
        "2026Q1      done        pending     failed      pending     pending     pending",
        "2026Q2      done        pending     pending     pending     pending     pending",
        "2026Q1 load: E104 a.csv is refused",
    ]
    assert stage_lines([]) == ["Nothing has run yet. `make run` starts."]


def test_a_withdrawn_quarter_is_called_so():
    run = {"quarter": "2026Q1", "stage": "load", "state": "done", "reason_code": None}
    assert stage_lines([run | {"reason": WITHDRAWN}])[1].split()[3] == "withdrawn"
    assert stage_lines([run | {"reason": None}])[1].split()[3] == "done"


def test_the_files_of_the_newest_loaded_quarter_stand_below_the_stages(places):
    assert overview(places)[2:] == ["", *FILES]
    assert overview(places, "2026Q2") == overview(places)


def test_a_quarter_of_which_nothing_is_loaded_is_told_from_one_that_is(places):
    assert overview(places, "2026Q1")[2:] == ["", "Nothing of 2026Q1 is loaded."]
    with pytest.raises(ExamsError, match="E001"):
        overview(places, "2026")


def test_the_history_names_what_was_removed_and_what_took_its_place(places):
    assert overview(places, history=True)[2:] == ["", *FILES, "", *EARLIER, *HISTORY]
    assert overview(places, "2026Q1", history=True)[-2:] == ["", *EARLIER]


def test_resolved_records_are_named_where_there_are_some(places):
    row = Delivered("2026Q2", *NORTH, 0, "", None, None)
    assert file_lines([row._replace(quarantined=4, resolved=2)]) == [
        "region-north.csv  498 received = 492 loaded + 4 quarantined + 2 resolved"
    ]
    with closing(sqlite3.connect(places.warehouse)) as connection, connection:
        connection.execute("UPDATE delivery SET resolved = 3 WHERE file = 'all.csv'")
    assert [d.resolved for d in read_deliveries(places.warehouse, "2026Q2")] == [3, 0, 0]


def test_before_the_first_load_there_are_stages_alone(tmp_path):
    places = Places(tmp_path / "data", tmp_path / "reports")
    assert overview(places, "2026Q1", history=True) == ["Nothing has run yet. `make run` starts."]
    assert history_lines([]) == []
