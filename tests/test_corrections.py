"""Resubmission: records leave the quarantine by being delivered again, and never count twice."""

import csv
import stat

import pytest
import yaml
from click.testing import CliRunner
from given import SMALL
from office import LIMIT, QUARTER, Office, counts

from exams.cli import main
from exams.errors import ExamsError
from exams.intake.judging.corrections import in_order, reference
from exams.quarantine import export, safe, summary

pytestmark = pytest.mark.usefixtures("store")

NORTH = "track,Remarks,points,mark\nnorth,fine,3,4.5\nwest,=1+1,11,\nsouth,5\nsouth,,x,2\n"


@pytest.fixture
def office(tmp_path, small):
    office = Office(tmp_path, small)
    office.deliver(north=NORTH)
    office.build()
    return office


def exported(office):
    """Return the rows of the corrections files, and the files."""
    files = export(office.places, QUARTER, office.contract, LIMIT)
    texts = [file.read_text(encoding="utf-8-sig").splitlines() for file in files]
    return [list(csv.DictReader(lines)) for lines in texts], files


def redeliver(office, name, rows, *leave):
    """Deliver rows of a corrections file again, without the lines `leave`."""
    kept = [row for row in rows if row["quarantine_line"] not in leave]
    with (office.folder() / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(kept)


def corrected(rows):
    west, short, letter = rows
    return [west | {"track": "south", "points": "1"}, short | {"mark": "5"}, letter | {"points": 4}]


def test_the_quarantine_is_counted_by_file_column_and_reason(office):
    assert summary(office.places, QUARTER) == [
        ("north.csv", "*", "wrong_number_of_columns", 1),
        ("north.csv", "points", "above_maximum", 1),
        ("north.csv", "points", "not_a_number", 1),
        ("north.csv", "track", "unknown_level", 1),
    ]


def test_its_records_are_written_in_the_layout_of_the_delivery_for_their_owner_alone(office):
    ((west, short, letter),), (file,) = exported(office)
    sha256 = office.rows("SELECT sha256 FROM delivery")[0][0]
    assert west == {
        "track": "west", "Remarks": "'=1+1", "points": "11", "mark": "",
        "quarantine_file": "north.csv",
        "quarantine_delivery": reference(sha256),
        "quarantine_line": "3",
        "quarantine_reasons": "points: above_maximum; track: unknown_level",
        "quarantine_text": "",
    }  # fmt: skip
    assert (short["track"], short["Remarks"], short["quarantine_text"]) == (
        "south",
        "5",
        "south | 5",
    )
    assert letter["quarantine_line"] == "5"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_corrected_records_load_and_leave_the_quarantine_with_their_history(office):
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows))
    assert counts(office.build()) == [("again.csv", 3, 2, 1, 0), ("north.csv", 4, 1, 0, 3)]
    assert office.rows("SELECT file, line, points FROM results ORDER BY 1, 2") == [
        ("again.csv", 2, 1),
        ("again.csv", 4, 4),
        ("north.csv", 2, 3),
    ]
    query = "SELECT file, line, reason, resolved_by FROM quarantine ORDER BY 1, 2, 3"
    assert office.rows(query) == [
        ("again.csv", 3, "missing", None),
        ("north.csv", 3, "above_maximum", 2),
        ("north.csv", 3, "unknown_level", 2),
        ("north.csv", 4, "wrong_number_of_columns", 2),
        ("north.csv", 5, "not_a_number", 2),
    ]
    assert [row[:3] for row in summary(office.places, QUARTER)] == [
        ("again.csv", "points", "missing")
    ]


def test_what_is_still_wrong_can_be_corrected_again(office):
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows))
    office.build()
    ((still,),), _ = exported(office)
    assert (still["quarantine_file"], still["quarantine_line"]) == ("again.csv", "3")
    redeliver(office, "a-third-time", [still | {"points": "2"}])
    assert counts(office.build()) == [
        ("a-third-time.csv", 1, 1, 0, 0),
        ("again.csv", 3, 2, 0, 1),
        ("north.csv", 4, 1, 0, 3),
    ]
    assert summary(office.places, QUARTER) == []
    assert export(office.places, QUARTER, office.contract, LIMIT) == []


def test_records_that_are_left_out_stay_in_quarantine(office):
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows), "4", "5")
    assert counts(office.build()) == [("again.csv", 1, 1, 0, 0), ("north.csv", 4, 1, 2, 1)]


def test_a_record_is_corrected_once_and_only_if_it_is_in_quarantine(office):
    (rows,), _ = exported(office)
    west, *_ = corrected(rows)
    loaded, beyond = west | {"quarantine_line": "2"}, west | {"quarantine_line": "99"}
    other, none = (
        west | {"quarantine_delivery": "sha256:000000000000"},
        west | {"quarantine_line": "3.5"},
    )
    redeliver(office, "again", [west, west, loaded, beyond, other, none])
    assert counts(office.build()) == [("again.csv", 6, 1, 5, 0), ("north.csv", 4, 1, 2, 1)]
    query = "SELECT line, reason FROM quarantine WHERE file = 'again.csv' ORDER BY line"
    assert office.rows(query) == [
        (3, "corrected_twice"),
        *((line, "corrects_nothing") for line in (4, 5, 6, 7)),
    ]


def test_corrections_of_a_file_that_was_replaced_correct_nothing(office):
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows))
    office.deliver(north=NORTH.replace("west", "east"))
    assert counts(office.build()) == [("again.csv", 3, 0, 3, 0), ("north.csv", 4, 1, 3, 0)]


def test_a_renamed_file_keeps_its_corrections(office):
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows))
    (office.folder() / "north.csv").rename(office.folder() / "a-new-name.csv")
    assert counts(office.build())[0] == ("a-new-name.csv", 4, 1, 0, 3)


def test_without_the_corrections_the_records_are_in_quarantine_again(office):
    before = office.rows("SELECT line, reason, resolved_by FROM quarantine ORDER BY 1, 2")
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows))
    office.build()
    (office.folder() / "again.csv").unlink()
    assert counts(office.build()) == [("north.csv", 4, 1, 3, 0)]
    assert office.rows("SELECT line, reason, resolved_by FROM quarantine ORDER BY 1, 2") == before


def test_a_corrections_file_may_hold_nothing_but_wrong_records(office, contract_of):
    (rows,), _ = exported(office)
    office.contract = contract_of({**SMALL, "max_quarantined": 0.8})
    redeliver(office, "again", rows)
    assert counts(office.build())[0] == ("again.csv", 3, 0, 3, 0)


def test_twice_is_once_and_a_stream_does_the_same(office):
    (rows,), _ = exported(office)
    redeliver(office, "again", corrected(rows))
    office.build()
    before = office.dump()
    office.build()
    assert office.dump() == before
    office.stream()
    assert office.dump() == before


def test_a_file_that_has_changed_since_is_not_exported(office):
    office.deliver(north=NORTH + "south,,1,1\n")
    with pytest.raises(ExamsError, match=r"E209 north.csv has changed since 2024Q1 was loaded."):
        export(office.places, QUARTER, office.contract, LIMIT)


def test_corrections_come_after_what_they_correct_whatever_their_names():
    assert in_order({1: {2}, 2: {3}, 3: set(), 4: set()}) == [3, 2, 1, 4]
    assert in_order({1: {2}, 2: {1}, 3: {3}}) == [3, 1, 2]


def test_no_spreadsheet_executes_the_name_of_a_column_and_it_stays_the_same_column(office):
    office.deliver(north="track,=1+1,@x,points,-y\nnorth,a,b,11,c\n")
    office.build()
    (rows,), _ = exported(office)
    assert list(rows[0])[:5] == ["track", "'=1+1", "'@x", "points", "'-y"]
    redeliver(office, "again", [rows[0] | {"points": "3"}])
    assert counts(office.build()) == [("again.csv", 1, 1, 0, 0), ("north.csv", 1, 0, 0, 1)]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-5", "-5"),
        ("-5.5", "-5.5"),
        ("-5+cmd|' /C calc'!A0", "'-5+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("group A", "group A"),
        ("", ""),
    ],
)
def test_no_spreadsheet_executes_a_cell(cell, shown):
    assert safe(cell) == shown


def test_the_command_shows_the_quarantine_and_writes_it(office, tmp_path, monkeypatch):
    (tmp_path / "pipeline.yaml").touch()
    office.places.contract.write_text(yaml.safe_dump(SMALL))
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, ["quarantine", QUARTER])
    assert said.output.splitlines()[:2] == [
        "file       column  reason                   records",
        "north.csv  *       wrong_number_of_columns        1",
    ]
    sha256 = office.rows("SELECT sha256 FROM delivery")[0][0]
    written = CliRunner().invoke(main, ["quarantine", QUARTER, "--csv"])
    assert written.output.splitlines() == [
        f"data/private/corrections/2024Q1/north-{sha256[:8]}.1.corrections.csv",
        "Correct the values, then `exams deliver FILE --quarter 2024Q1`, and build.",
    ]
    office.deliver(north="track,points,mark\nnorth,3,4.5\n")
    office.build()
    nothing = CliRunner().invoke(main, ["quarantine", QUARTER, "--csv"])
    assert nothing.output == "No record of 2024Q1 is in quarantine.\n"
