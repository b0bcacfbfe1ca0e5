"""extract, transform and load on files small enough to check by eye."""

import json

import pytest
from given import SMALL
from office import QUARTER, Office, counts

from exams.errors import ExamsError
from exams.stages.extract import extract, find_files
from exams.warehouse.dialect import structure
from exams.warehouse.folds import read_folds
from exams.warehouse.read import count_rows, read_cube
from exams.warehouse.schema import keys_of
from exams.warehouse.store import changing, loaded_content, reading
from stores import IN_A_FILE, remove

pytestmark = pytest.mark.usefixtures("store")

NORTH = "track,points,mark\nnorth,3,4.5\nwest,11,\nNORTH, 7 ,\nsouth,5\n"
SOUTH = "points,mark,track\n5,6.0,south\n5,6.0,south\n"


@pytest.fixture
def office(tmp_path, small):
    return Office(tmp_path, small)


def test_every_record_is_loaded_or_in_quarantine_with_all_of_its_reasons(office):
    office.deliver(north=NORTH, south=SOUTH)
    loaded = office.build()
    assert counts(loaded) == [("north.csv", 4, 2, 2, 0), ("south.csv", 2, 2, 0, 0)]
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
        ("2024Q1", "north.csv", 5, "*", "", "wrong_number_of_columns"),
    ]


def test_the_rows_of_a_quarter_are_counted_by_table(office):
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    office.deliver("2024Q2", later=NORTH + "north,5,5.0\n")
    office.build("2024Q2")
    found = count_rows(office.warehouse, QUARTER).values.tolist()
    assert found == [["delivery", 2], ["results", 4], ["quarantine", 3], ["cube", 2]]
    found = count_rows(office.warehouse, "2024Q3").values.tolist()
    assert found == [["delivery", 0], ["results", 0], ["quarantine", 0], ["cube", 0]]


def test_sums_come_in_the_same_order_whatever_was_loaded_before(office):
    def read():
        cube = read_cube(office.warehouse, office.contract, QUARTER)
        cells, _ = read_folds(office.warehouse, office.contract, QUARTER)
        cells = cells.drop(columns="profile")
        return [part.to_csv() for part in (cube.cells, cube.values, cube.moments, cells)]

    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    found = read()
    remove(office.warehouse)
    office.deliver("2023Q4", before=SOUTH.replace("5", "6"))  # south is the first profile now
    office.build("2023Q4")
    office.build()
    assert read() == found


def test_a_blank_line_is_no_student(office, contract_of):
    free = {"required": False}
    optional = [{**f, "constraints": f["constraints"] | free} for f in SMALL["fields"]]
    office.contract = contract_of({**SMALL, "fields": optional})
    office.deliver(north="track,points,mark\nnorth,3,4.5\n\n-, ,\n,3,\n\n")
    assert counts(office.build()) == [("north.csv", 5, 2, 3, 0)]
    held = office.rows('SELECT line, "column", reason FROM quarantine ORDER BY line')
    assert held == [(line, "*", "blank_record") for line in (3, 4, 6)]


def test_the_cube_of_a_quarter_lies_within_its_keys(office):
    office.deliver(south=SOUTH)
    office.build()
    office.deliver("2024Q2", north=NORTH)
    office.build("2024Q2")
    for table in ("cube_value", "cube_combination"):
        keys = f"SELECT DISTINCT quarter, key >> 32 FROM {table} ORDER BY 1"
        assert office.rows(keys) == [(QUARTER, 20241), ("2024Q2", 20242)]
    other = read_cube(office.warehouse, office.contract, "2024Q2")
    office.deliver(south="track,points,mark\nnorth,3,4.5\n")
    office.build()
    after = read_cube(office.warehouse, office.contract, "2024Q2")
    assert after.values.equals(other.values)
    assert after.combinations.equals(other.combinations)
    found = read_cube(office.warehouse, office.contract, QUARTER)
    assert found.combinations.to_numpy().tolist() == [[3.0, 4.5, 1.0]]


def test_a_quarter_in_digits_of_another_script_is_none(office):
    office.deliver(south=SOUTH)
    other = "\uff12\uff10\uff12\uff14Q1"
    office.deliver(other, other=NORTH)
    assert office.places.delivered_quarters() == [QUARTER]
    assert keys_of(other) == keys_of(QUARTER)  # it would take the place of that one's cube


def test_loading_twice_changes_no_row(office):
    office.deliver(north=NORTH, south=SOUTH)
    first = office.build().content
    before = office.dump()
    assert office.build().content == first == loaded_content(office.warehouse, "2024Q1")
    assert office.dump() == before


def test_the_same_bytes_twice_count_once(office):
    office.deliver(a=SOUTH, b=SOUTH)
    assert counts(office.build()) == [("a.csv", 2, 2, 0, 0)]
    why = "It has the same bytes as a.csv, and counts once."
    assert office.rows("SELECT quarter, file, code, why FROM left_out") == [
        (QUARTER, "b.csv", "", why)
    ]


def test_one_process_in_a_stream_does_the_same(office):
    office.deliver(north=NORTH, south=SOUTH)
    staged = office.build()
    before = office.dump()
    assert office.stream() == staged
    assert office.dump() == before


def test_a_corrected_file_replaces_and_keeps_the_history(office):
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    office.deliver(north="track,points,mark\nnorth,3,4.5\n")
    office.build()
    assert office.rows("SELECT count(*) FROM results WHERE file = 'north.csv'") == [(1,)]
    assert office.rows("SELECT count(*) FROM quarantine") == [(0,)]
    history = office.rows("SELECT id, superseded_by, removed IS NOT NULL FROM delivery ORDER BY id")
    assert history == [(1, 3, 1), (2, None, 0), (3, None, 0)]


def test_a_removed_file_disappears_and_comes_back_as_a_delivery_of_its_own(office):
    office.deliver(north=NORTH, south=SOUTH)
    first = office.build().content
    text = (office.folder() / "north.csv").read_text()
    (office.folder() / "north.csv").unlink()
    assert office.build().content != first
    assert office.rows("SELECT DISTINCT file FROM results") == [("south.csv",)]
    office.deliver(north=text)
    assert office.build().content == first
    history = office.rows("SELECT id, file, removed IS NULL FROM delivery ORDER BY id")
    assert history == [(1, "north.csv", 0), (2, "south.csv", 1), (3, "north.csv", 1)]


def test_a_load_that_fails_leaves_the_former_quarter(office, monkeypatch):
    office.deliver(north=NORTH)
    office.build()
    before = office.dump()
    office.deliver(south=SOUTH)
    monkeypatch.setattr("exams.stages.load.write_cube", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        office.build()
    assert office.dump() == before


def test_records_that_do_not_add_up_are_not_loaded(office):
    office.deliver(south=SOUTH)
    office.build()
    before = office.dump()
    manifest = office.interim("transform") / "manifest.json"
    claims = json.loads(manifest.read_text())
    claims["done"][0]["received"] = 3
    manifest.write_text(json.dumps(claims))
    with pytest.raises(ExamsError, match="E204"):
        office.load()
    assert office.dump() == before


@IN_A_FILE
def test_no_foreign_key_points_nowhere(office):
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    assert office.rows("PRAGMA foreign_key_check") == []
    assert len(office.rows("PRAGMA foreign_key_list('result_2024Q1')")) == 1


def test_every_table_view_and_column_is_described(office):
    office.deliver(south=SOUTH)
    office.build()
    with reading(office.warehouse) as connection:
        shown = structure(connection)
        names = shown.names(connection)
        columns = {(name, c) for name in names for c in shown.columns(connection, name)}
    described = office.rows('SELECT "table", "column", description FROM data_dictionary')
    assert columns | {(name, "") for name in names} == {row[:2] for row in described}
    assert all(description.strip() for *_, description in described)


EXTRA = {
    "name": "extra",
    "type": "integer",
    "role": "score",
    "constraints": {"minimum": 0, "maximum": 9},
}
TRACK, POINTS, MARK = SMALL["fields"]


@pytest.mark.parametrize(
    ("fields", "row", "former"),
    [
        ([TRACK, EXTRA, POINTS, MARK], ("south", 9, 5, 6.0), ("south", None, 5, 6.0)),
        ([TRACK, POINTS, MARK, EXTRA], ("south", 5, 6.0, 9), ("south", 5, 6.0, None)),
        ([TRACK, MARK, POINTS], ("south", 6.0, 5), ("south", 6.0, 5)),
        ([MARK, TRACK], (6.0, "south"), (6.0, "south")),
        ([TRACK, POINTS, {**MARK, "decimals": 2}], ("south", 5, 6.0), ("south", 5, 6.0)),
    ],
    ids=["first", "last", "swapped", "removed", "finer"],
)
def test_quarters_of_two_contracts_stand_side_by_side(office, contract_of, fields, row, former):
    office.deliver(south="points,mark,track\n5,6.0,south\n")
    first = office.build().content
    office.contract = contract_of({**SMALL, "fields": fields})
    office.deliver("2024Q2", south="points,mark,track,extra\n5,6.0,south,9\n")
    office.build("2024Q2")
    assert loaded_content(office.warehouse, QUARTER) == first
    names = ", ".join(field["name"] for field in fields)
    assert office.rows(f"SELECT quarter, {names} FROM results ORDER BY 1") == [
        (QUARTER, *former),
        ("2024Q2", *row),
    ]
    found = read_cube(office.warehouse, office.contract, "2024Q2").combinations
    scores = [s.name for s in office.contract.scores]
    known = dict(zip([f["name"] for f in fields], row, strict=True))
    assert found[[*scores, "n"]].to_numpy().tolist() == [[*(known[s] for s in scores), 1]]


def test_the_tables_of_another_release_are_made_anew_and_the_history_stays(office):
    office.deliver(south=SOUTH)
    content = office.build().content
    with changing(office.warehouse) as connection:
        structure(connection).set_release(connection, 1)
    assert office.build().content == content
    history = office.rows("SELECT id, file, removed IS NULL FROM delivery ORDER BY id")
    assert history == [(1, "south.csv", 0), (2, "south.csv", 1)]


def test_every_file_gets_its_verdict(office):
    office.deliver(a="track,mark\n", north=NORTH, z="track,points,mark\n")
    with pytest.raises(ExamsError) as raised:
        office.build()
    assert raised.value.code == "E102"
    assert "E106 z.csv holds no record." in raised.value.message
    assert raised.value.message.endswith("Not refused: north.csv.")


def test_a_refused_file_may_be_left_out(office):
    office.deliver(north=NORTH, z="track,points,mark\n")
    assert counts(office.build(skip=True)) == [("north.csv", 4, 2, 2, 0)]
    assert office.rows("SELECT file, code FROM left_out") == [("z.csv", "E106")]


def test_no_quarter_is_made_of_refused_files_alone(office):
    office.deliver(z="track,points,mark\n")
    with pytest.raises(ExamsError, match="E106"):
        office.build(skip=True)


def test_a_file_that_changes_while_it_is_read_is_refused(office):
    office.deliver(north=NORTH)
    found = find_files(office.places, QUARTER, office.contract, 1_000)
    office.deliver(north=NORTH.replace("4.5", "4.6"))
    with pytest.raises(ExamsError, match="E109"):
        extract(found, office.interim("extract"), 1_000)


def test_a_file_with_too_many_records_in_quarantine_leaves_the_former_quarter(office, contract_of):
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    before = office.dump()
    office.contract = contract_of({**SMALL, "max_quarantined": 0.3})
    with pytest.raises(ExamsError, match=r"E208 .* \(over 30.0%\). north.csv: 2 of 4 records."):
        office.build()
    assert office.dump() == before
