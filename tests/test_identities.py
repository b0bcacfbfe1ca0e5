"""Identifiers through the stages: a pseudonym or nothing reaches the warehouse, once each."""

import hashlib
import hmac

import pytest
from given import identified
from office import QUARTER, Office, counts

from exams.intake.judging.identifiers import KEY
from exams.stages.extract import notices
from stores import holds

pytestmark = pytest.mark.usefixtures("store")

SECRET = "0123456789abcdef0123"
NORTH = (
    "candidate,track,points,mark\nAB-1,north,3,4.5\n AB-1 ,south,4,1\nAB-2,south,5,\n,north,1,\n"
)
SOUTH = "candidate,track,points,mark\nAB-2,north,11,\nAB-2,north,1,\nAB-3,south,5,6,7\n"


@pytest.fixture
def office(tmp_path, contract_of):
    office = Office(
        tmp_path, contract_of(identified(constraints={"required": True, "unique": True}))
    )
    office.deliver(north=NORTH, south=SOUTH)
    return office


@pytest.fixture
def keyed(monkeypatch):
    monkeypatch.setenv(KEY, SECRET)


def test_a_candidate_counts_once_in_a_quarter(office):
    assert counts(office.build()) == [("north.csv", 4, 2, 2, 0), ("south.csv", 3, 0, 3, 0)]
    query = 'SELECT file, line, "column", value, reason FROM quarantine ORDER BY 1, 2, 3'
    assert office.rows(query) == [
        ("north.csv", 3, "candidate", "", "duplicate"),
        ("north.csv", 5, "candidate", "", "missing"),
        ("south.csv", 2, "candidate", "", "duplicate"),
        ("south.csv", 2, "points", "", "above_maximum"),
        ("south.csv", 3, "candidate", "", "duplicate"),
        ("south.csv", 4, "*", "", "wrong_number_of_columns"),
    ]


def test_a_candidate_may_come_again_in_another_quarter(office):
    office.build()
    office.deliver("2024Q2", north=NORTH + "AB-4,north,2,\n")
    assert counts(office.build("2024Q2")) == [("north.csv", 5, 3, 2, 0)]


def test_with_a_key_the_pseudonym_is_stored(office, keyed):
    office.build()
    expected = hmac.new(SECRET.encode(), b"candidate\0AB-1", hashlib.sha256)
    assert office.rows("SELECT candidate FROM results WHERE line = 2") == [(expected.hexdigest(),)]


def test_without_a_key_nothing_is_stored_and_the_office_is_told(office):
    office.build()
    assert office.rows("SELECT DISTINCT candidate FROM results") == [(None,)]
    told = "candidate identifies people: it is not loaded, as EXAMS_PSEUDONYM_KEY is not set."
    assert f"north.csv: {told}" in notices(office.interim("transform"), office.contract)


def test_with_a_key_nothing_is_said(office, keyed):
    office.build()
    assert notices(office.interim("transform"), office.contract) == []


@pytest.mark.parametrize("key", ["", SECRET], ids=["without a key", "with a key"])
def test_no_identifier_is_in_the_warehouse_or_the_judged_parts(office, key, monkeypatch):
    monkeypatch.setenv(KEY, key)
    office.build()
    files = office.interim("transform").iterdir()
    assert [file.name for file in files if b"AB-" in file.read_bytes()] == []
    assert holds(office.warehouse, b"south") and not holds(office.warehouse, b"AB-")
    assert any(b"AB-1" in file.read_bytes() for file in office.interim("extract").iterdir())


def test_loading_twice_changes_no_row_with_a_key(office, keyed):
    office.build()
    before = office.dump()
    office.build()
    assert office.dump() == before


def test_records_alike_are_all_kept_where_nothing_identifies_them(office, contract_of):
    office.contract = contract_of(identified())
    office.deliver(north="candidate,track,points\n,north,1\n,north,1\nAB-1,north,1\nAB-1,north,1\n")
    (office.folder() / "south.csv").unlink()
    assert counts(office.build()) == [("north.csv", 4, 4, 0, 0)]


def test_a_file_without_the_column_loads_if_it_is_not_required(office, contract_of, keyed):
    office.contract = contract_of(identified(constraints={"unique": True}))
    office.deliver(QUARTER, north="track,points\nnorth,1\n", south="track,points\nnorth,2\n")
    assert counts(office.build()) == [("north.csv", 1, 1, 0, 0), ("south.csv", 1, 1, 0, 0)]
