"""Taking files in: whole, under their names, checked before anything is copied."""

import os
from pathlib import Path

import pytest
from given import SMALL, write_contract

from exams.deliver import deliver as deliver_within
from exams.errors import ExamsError
from exams.places import Places

HEADER = b"track,points,mark\r\n"
NORTH = HEADER + b"north,1,2.5\r\n"
LIMIT = 1_000_000


def deliver(files, quarter, places):
    return deliver_within(files, quarter, places, LIMIT)


@pytest.fixture
def places(tmp_path):
    places = Places(tmp_path / "data", tmp_path / "reports")
    write_contract(places)
    return places


@pytest.fixture
def file(tmp_path):
    (tmp_path / "north.csv").write_bytes(NORTH)
    return tmp_path / "north.csv"


def delivered(places):
    return {path.name: path.read_bytes() for path in places.delivery("2019Q1").iterdir()}


def test_a_file_keeps_its_name_and_bytes(places, file):
    assert deliver([file], "2019Q1", places) == ["2019Q1: north.csv is delivered."]
    assert delivered(places) == {"north.csv": NORTH}


def test_equal_bytes_are_left_alone(places, file):
    deliver([file], "2019Q1", places)
    before = (places.delivery("2019Q1") / "north.csv").stat()
    said = deliver([file], "2019Q1", places)
    assert said == ["2019Q1: north.csv is already there, unchanged."]
    after = (places.delivery("2019Q1") / "north.csv").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_bytes_replace_the_file_of_that_name(places, file):
    deliver([file], "2019Q1", places)
    file.write_bytes(NORTH + b"south,2,\n")
    assert deliver([file], "2019Q1", places) == [
        "2019Q1: north.csv replaces the file of that name."
    ]
    assert delivered(places) == {"north.csv": NORTH + b"south,2,\n"}


def test_a_link_of_that_name_is_replaced_even_by_the_file_it_leads_to(places, file):
    places.delivery("2019Q1").mkdir(parents=True)
    link = places.delivery("2019Q1") / "north.csv"
    link.symlink_to(file)
    said = deliver([file], "2019Q1", places)
    assert said == ["2019Q1: north.csv replaces the file of that name."]
    assert not link.is_symlink()
    assert file.read_bytes() == link.read_bytes() == NORTH


def test_a_folder_of_that_name_is_in_the_way(places, file, tmp_path):
    (places.delivery("2019Q1") / "north.csv").mkdir(parents=True)
    (tmp_path / "a.csv").write_bytes(NORTH + b"south,2,\n")
    with pytest.raises(ExamsError, match=r"E022 2019Q1/north\.csv is in the way: it is a folder"):
        deliver([tmp_path / "a.csv", file], "2019Q1", places)
    assert [path.name for path in places.delivery("2019Q1").iterdir()] == ["north.csv"]


def test_a_file_is_in_the_way_of_a_folder(places, file):
    places.deliveries.mkdir()
    places.delivery("2019Q1").touch()
    with pytest.raises(ExamsError, match="E022 2019Q1 is in the way: it is not a folder"):
        deliver([file], "2019Q1", places)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("none.csv", "E021"),
        (".hidden.csv", "E023"),
        ("b/north.csv", "E024"),
        ("folder", "E105"),
        ("link.csv", "E105"),
        ("empty.csv", "E106"),
        ("bad.csv", "E208"),
    ],
)
def test_a_file_that_cannot_be_taken_stops_all_before_the_first_is_copied(
    places, file, tmp_path, name, code
):
    write_contract(places, {**SMALL, "max_quarantined": 0.6})
    (tmp_path / "empty.csv").touch()
    (tmp_path / "link.csv").symlink_to(file)
    (tmp_path / "bad.csv").write_bytes(NORTH + b"x,,\n" * 2)
    for folder in ("folder", "b"):
        (tmp_path / folder).mkdir()
    for other in (".hidden.csv", "b/north.csv"):
        (tmp_path / other).write_bytes(NORTH + b"south,2,\n")
    with pytest.raises(ExamsError) as error:
        deliver([file, tmp_path / name], "2019Q1", places)
    assert error.value.code == code
    if code != "E024":
        assert error.value.message.endswith(" Not refused: north.csv.")
        assert error.value.remedy.startswith("Nothing was delivered. ")
    assert not places.deliveries.exists()


def test_the_verdict_is_on_every_file(places, file, tmp_path):
    for name in ("a.csv", "z.csv"):
        (tmp_path / name).write_text(f"{name}\n1\n")
    with pytest.raises(ExamsError) as error:
        deliver([tmp_path / "z.csv", file, tmp_path / "a.csv"], "2019Q1", places)
    why = "has no header: no word of the first line names a column of the contract."
    assert error.value.message == (f"a.csv {why} E111 z.csv {why} Not refused: north.csv.")


def test_records_for_the_quarantine_are_told_and_the_file_is_delivered(places, file, tmp_path):
    (tmp_path / "west.csv").write_bytes(NORTH + b"west,1,\nnorth,11,\n")
    said = deliver([tmp_path / "west.csv", file], "2019Q1", places)
    assert said == [
        "2019Q1: west.csv is delivered. "
        "2 of 3 records would go to quarantine (66.7%): `exams check` says why.",
        "2019Q1: north.csv is delivered.",
    ]
    assert sorted(delivered(places)) == ["north.csv", "west.csv"]


def test_the_same_bytes_under_another_name_are_told(places, file, tmp_path):
    deliver([file], "2019Q1", places)
    file.rename(tmp_path / "south.csv")
    said = deliver([tmp_path / "south.csv"], "2019Q1", places)
    again = "It has the same bytes as north.csv, and counts once."
    assert said == [f"2019Q1: south.csv is delivered. {again}"]
    with pytest.raises(ExamsError, match=r"E121 2019Q2/south\.csv has the same bytes as 2019Q1/"):
        deliver([tmp_path / "south.csv"], "2019Q2", places)


def test_a_name_of_any_kind_is_taken_and_does_nothing_to_a_terminal(places, tmp_path):
    names = [b"\xff\x1b[2J\n.csv", b"n" * 251 + b".csv"]
    files = [Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)) for name in names]
    for file in files:
        file.write_bytes(NORTH + f"south,{len(file.name) % 11},\n".encode())
    said = deliver(files, "2019Q1", places)
    assert said[0] == r"2019Q1: \xff\x1b[2J\x0a.csv is delivered."
    assert sorted(os.fsencode(name) for name in delivered(places)) == sorted(names)


def test_a_quarter_that_is_none_is_refused(places, file):
    with pytest.raises(ExamsError, match="E001 '2019Q5' is not a quarter"):
        deliver([file], "2019Q5", places)
