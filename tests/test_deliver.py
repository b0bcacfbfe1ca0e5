"""Taking files in: whole, under their names, checked before anything is copied."""

import os
from pathlib import Path

import pytest

from exams.deliver import deliver
from exams.errors import ExamsError
from exams.places import Places


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "data", tmp_path / "reports")


@pytest.fixture
def file(tmp_path):
    (tmp_path / "north.csv").write_bytes(b"a\r\n1\r\n")
    return tmp_path / "north.csv"


def delivered(places):
    return {path.name: path.read_bytes() for path in places.delivery("2019Q1").iterdir()}


def test_a_file_keeps_its_name_and_bytes(places, file):
    assert deliver([file], "2019Q1", places) == ["2019Q1: north.csv is delivered."]
    assert delivered(places) == {"north.csv": b"a\r\n1\r\n"}


def test_equal_bytes_are_left_alone(places, file):
    deliver([file], "2019Q1", places)
    before = (places.delivery("2019Q1") / "north.csv").stat()
    said = deliver([file], "2019Q1", places)
    assert said == ["2019Q1: north.csv is already there, unchanged."]
    after = (places.delivery("2019Q1") / "north.csv").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_bytes_replace_the_file_of_that_name(places, file):
    deliver([file], "2019Q1", places)
    file.write_bytes(b"a\n2\n")
    assert deliver([file], "2019Q1", places) == [
        "2019Q1: north.csv replaces the file of that name."
    ]
    assert delivered(places) == {"north.csv": b"a\n2\n"}


@pytest.mark.parametrize(
    ("name", "code"),
    [("none.csv", "E021"), ("folder", "E022"), (".hidden.csv", "E023"), ("b/north.csv", "E024")],
)
def test_a_file_that_cannot_be_taken_stops_all_before_the_first_is_copied(
    places, file, tmp_path, name, code
):
    for folder in ("folder", "b"):
        (tmp_path / folder).mkdir()
    for other in (".hidden.csv", "b/north.csv"):
        (tmp_path / other).write_text("x\n1\n")
    with pytest.raises(ExamsError) as error:
        deliver([file, tmp_path / name], "2019Q1", places)
    assert error.value.code == code
    assert not places.deliveries.exists()


def test_a_name_of_any_kind_is_taken_and_does_nothing_to_a_terminal(places, tmp_path):
    names = [b"\xff\x1b[2J\n.csv", b"n" * 251 + b".csv"]
    files = [Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)) for name in names]
    for file in files:
        file.write_bytes(b"a\n1\n")
    said = deliver(files, "2019Q1", places)
    assert said[0] == r"2019Q1: \xff\x1b[2J\x0a.csv is delivered."
    assert sorted(os.fsencode(name) for name in delivered(places)) == sorted(names)


def test_a_quarter_that_is_none_is_refused(places, file):
    with pytest.raises(ExamsError, match="E001 '2019Q5' is not a quarter"):
        deliver([file], "2019Q5", places)
