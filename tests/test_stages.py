"""extract, transform and load on files small enough to check by eye."""

import json
import sqlite3

import pytest
from given import SMALL

from exams.errors import ExamsError
from exams.stages.extract import extract, find_deliveries
from exams.stages.load import load
from exams.stages.transform import transform
from exams.warehouse.read import read_cube
from exams.warehouse.store import loaded_content

NORTH = "track,points,mark\nnorth,3,4.5\nwest,11,\nNORTH, 7 ,\nsouth,5\n"
SOUTH = "points,mark,track\n5,6.0,south\n5,6.0,south\n"


class Office:
    """A quarter's folder and a warehouse."""

    def __init__(self, folder, contract):
        self.contract = contract
        self.inbox = folder / "deliveries" / "2024Q1"
        self.inbox.mkdir(parents=True)
        self.work = folder
        self.warehouse = folder / "warehouse.db"

    def deliver(self, **files):
        for name, text in files.items():
            (self.inbox / f"{name}.csv").write_text(text)

    def build(self, quarter="2024Q1"):
        found = find_deliveries(self.inbox)
        extract(self.inbox, found, self.contract, self.work / "raw")
        self.judged = transform(self.work / "raw", self.contract, self.work / "clean")
        return load(self.work / "clean", self.contract, self.warehouse, quarter)

    def rows(self, query):
        with sqlite3.connect(self.warehouse) as connection:
            return connection.execute(query).fetchall()

    def dump(self):
        with sqlite3.connect(self.warehouse) as connection:
            return list(connection.iterdump())


@pytest.fixture
def office(tmp_path, small):
    return Office(tmp_path, small)


def test_every_record_is_loaded_or_in_quarantine_with_all_of_its_reasons(office):
    office.deliver(north=NORTH, south=SOUTH)
    loaded = office.build()
    assert loaded.files.to_numpy().tolist() == [["north.csv", 4, 2, 2], ["south.csv", 2, 2, 0]]
    assert office.rows("SELECT * FROM results ORDER BY file, line") == [
        ("2024Q1", "north.csv", 2, "north", 3, 4.5),
        ("2024Q1", "north.csv", 4, "north", 7, None),
        ("2024Q1", "south.csv", 2, "south", 5, 6.0),
        ("2024Q1", "south.csv", 3, "south", 5, 6.0),
    ]
    assert office.rows(
        'SELECT quarter, file, line, "column", value, reason FROM quarantine ORDER BY 3, 4'
    ) == [
        ("2024Q1", "north.csv", 3, "points", "11", "above_maximum"),
        ("2024Q1", "north.csv", 3, "track", "west", "unknown_level"),
        ("2024Q1", "north.csv", 5, "*", "south,5", "wrong_number_of_columns"),
    ]
    assert office.judged.reasons["records"].tolist() == [1, 1, 1]


def test_a_blank_line_is_no_student(office, contract_of):
    free = {"required": False}
    optional = [{**f, "constraints": f["constraints"] | free} for f in SMALL["fields"]]
    office.contract = contract_of({**SMALL, "fields": optional})
    office.deliver(north="track,points,mark\nnorth,3,4.5\n\n-, ,\n,3,\n\n")
    assert office.build().files.to_numpy().tolist() == [["north.csv", 5, 2, 3]]
    held = office.rows('SELECT line, "column", reason FROM quarantine ORDER BY line')
    assert held == [(line, "*", "blank_record") for line in (3, 4, 6)]


def test_loading_twice_changes_no_row(office):
    office.deliver(north=NORTH, south=SOUTH)
    first = office.build().content
    before = office.dump()
    assert office.build().content == first == loaded_content(office.warehouse, "2024Q1")
    assert office.dump() == before


def test_the_same_bytes_twice_count_once(office):
    office.deliver(a=SOUTH, b=SOUTH)
    assert find_deliveries(office.inbox)["repeats"].tolist() == ["", "a.csv"]
    assert office.build().files["file"].tolist() == ["a.csv"]


def test_a_corrected_file_replaces_and_keeps_the_history(office):
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    office.deliver(north="track,points,mark\nnorth,3,4.5\n")
    office.build()
    assert office.rows("SELECT count(*) FROM results WHERE file = 'north.csv'") == [(1,)]
    assert office.rows("SELECT count(*) FROM quarantine") == [(0,)]
    history = office.rows("SELECT id, superseded_by, removed IS NOT NULL FROM delivery ORDER BY id")
    assert history == [(1, 3, 1), (2, None, 0), (3, None, 0)]


def test_a_removed_file_disappears_and_comes_back_under_its_number(office):
    office.deliver(north=NORTH, south=SOUTH)
    first = office.build().content
    text = (office.inbox / "north.csv").read_text()
    (office.inbox / "north.csv").unlink()
    assert office.build().content != first
    assert office.rows("SELECT DISTINCT file FROM results") == [("south.csv",)]
    office.deliver(north=text)
    assert office.build().content == first
    assert office.rows("SELECT count(*) FROM delivery WHERE removed IS NULL") == [(2,)]


def test_a_load_that_fails_leaves_the_former_quarter(office, monkeypatch):
    office.deliver(north=NORTH)
    office.build()
    before = office.dump()
    office.deliver(south=SOUTH)
    monkeypatch.setattr("exams.stages.load._write_cube", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        office.build()
    assert office.dump() == before


def test_records_that_do_not_add_up_are_not_loaded(office):
    office.deliver(south=SOUTH)
    office.build()
    before = office.dump()
    manifest = office.work / "clean/manifest.json"
    claims = json.loads(manifest.read_text())
    claims[0] |= {"received": 3, "sha256": "0" * 64}
    manifest.write_text(json.dumps(claims))
    with pytest.raises(ExamsError, match="E204"):
        load(office.work / "clean", office.contract, office.warehouse, "2024Q1")
    assert office.dump() == before


def test_no_foreign_key_points_nowhere(office):
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    assert office.rows("PRAGMA foreign_key_check") == []
    assert len(office.rows("PRAGMA foreign_key_list(result)")) == 1


def test_every_table_view_and_column_is_described(office):
    office.deliver(south=SOUTH)
    office.build()
    names = office.rows(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name <> 'sqlite_stat1'"
    )
    columns = {
        (name, column[1])
        for (name,) in names
        for column in office.rows(f'PRAGMA table_info("{name}")')
    }
    described = office.rows('SELECT "table", "column", description FROM data_dictionary')
    assert columns | {(name, "") for (name,) in names} == {row[:2] for row in described}
    assert all(description.strip() for *_, description in described)


EXTRA = {
    "name": "extra",
    "type": "integer",
    "role": "score",
    "constraints": {"minimum": 0, "maximum": 9},
}
TRACK, POINTS, MARK = SMALL["fields"]


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ([TRACK, EXTRA, POINTS, MARK], ("south", 9, 5, 6.0)),
        ([TRACK, POINTS, EXTRA, MARK], ("south", 5, 9, 6.0)),
        ([TRACK, POINTS, MARK, EXTRA], ("south", 5, 6.0, 9)),
        ([TRACK, MARK, POINTS], ("south", 6.0, 5)),
        ([MARK, TRACK], (6.0, "south")),
        ([TRACK, POINTS, {**MARK, "decimals": 2}], ("south", 5, 6.0)),
    ],
    ids=["first", "middle", "last", "swapped", "removed", "finer"],
)
def test_a_contract_with_other_fields_loads_every_quarter_anew(office, contract_of, fields, row):
    office.deliver(south=SOUTH)
    office.build()
    office.contract = contract_of({**SMALL, "fields": fields})
    office.deliver(south="points,mark,track,extra\n5,6.0,south,9\n")
    office.build("2024Q2")
    assert loaded_content(office.warehouse, "2024Q1") is None
    names = ", ".join(field["name"] for field in fields)
    assert office.rows(f"SELECT quarter, {names} FROM results") == [("2024Q2", *row)]
    found = read_cube(office.warehouse, office.contract, "2024Q2").combinations
    scores = [s.name for s in office.contract.scores]
    known = dict(zip([f["name"] for f in fields], row, strict=True))
    assert found[[*scores, "n"]].to_numpy().tolist() == [[*(known[s] for s in scores), 1]]
    assert office.rows("SELECT quarter, removed IS NOT NULL FROM delivery ORDER BY id") == [
        ("2024Q1", 1),
        ("2024Q2", 0),
    ]


def test_every_refused_file_gets_its_verdict(office):
    office.deliver(a="track;else\n", north=NORTH, z="track,points,mark\n")
    with pytest.raises(ExamsError) as raised:
        office.build()
    assert raised.value.code == "E102"
    assert "a.csv: the header has no column" in raised.value.message
    assert "E106 z.csv holds no record." in raised.value.message


def test_a_file_that_changes_while_it_is_read_is_refused(office):
    office.deliver(north=NORTH)
    found = find_deliveries(office.inbox)
    office.deliver(north=SOUTH)
    with pytest.raises(ExamsError, match="E109"):
        extract(office.inbox, found, office.contract, office.work / "raw")


def test_an_empty_folder_and_a_link_are_refused(office, tmp_path):
    with pytest.raises(ExamsError, match="E104"):
        find_deliveries(office.inbox)
    (office.inbox / "north.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(ExamsError, match="E105"):
        find_deliveries(office.inbox)
