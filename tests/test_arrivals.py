"""Which files of a quarter's folder count, and why others are refused."""

import os
import stat

import pytest

from corpus import NAMES, NO_FILES, TEXT
from exams.errors import ExamsError
from exams.intake.reading.arrivals import delivered, find_arrivals, opened
from exams.places import Places

QUARTER, OTHER = "2019Q2", "2019Q1"


@pytest.fixture
def places(tmp_path):
    return Places.of(tmp_path / "data", tmp_path / "reports")


@pytest.fixture
def deliver(places):
    """Return a function that writes a file into a quarter's folder."""

    def write(name, text=TEXT, quarter=QUARTER):
        folder = places.delivery(quarter)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text(text)
        return path

    return write


def verdicts(refusals):
    return [(refusal.file, refusal.error.code) for refusal in refusals]


def test_files_are_found_by_name_and_the_same_bytes_count_once(places, deliver):
    for name, text in {"b": "two", "a": "one", "c": "one", ".hidden": "x"}.items():
        deliver(name, text)
    arrivals, refusals = find_arrivals(places, QUARTER)
    assert [(a.file, a.bytes, a.repeats) for a in arrivals] == [
        ("a", 3, ""), ("b", 3, ""), ("c", 3, "a"),
    ]  # fmt: skip
    assert arrivals[0].sha256 == arrivals[2].sha256 != arrivals[1].sha256
    assert refusals == []
    assert places.deliveries.stat().st_mode & 0o777 == 0o700


def test_a_group_that_was_given_the_folder_of_deliveries_keeps_it_and_others_do_not(
    places, deliver
):
    deliver("a")
    for before, after in ((0o2770, 0o2770), (0o2777, 0o2770), (0o2755, 0o700), (0o777, 0o700)):
        places.deliveries.chmod(before)
        find_arrivals(places, QUARTER)
        assert stat.S_IMODE(places.deliveries.stat().st_mode) == after


def test_a_quarter_without_any_file_is_an_error(places, deliver):
    deliver(".hidden")
    with pytest.raises(ExamsError, match=f"E104 No file was delivered for {QUARTER}"):
        find_arrivals(places, QUARTER)


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused_and_the_others_are_found(places, deliver, kind):
    path = deliver("a.csv")
    NO_FILES[kind](path.with_name("b.csv"))
    arrivals, refusals = find_arrivals(places, QUARTER)
    assert [a.file for a in arrivals] == ["a.csv"]
    assert verdicts(refusals) == [("b.csv", "E105")]
    assert kind in refusals[0].error.message


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_have_any_name_and_is_shown_printable(places, deliver, name):
    path = deliver(name)
    (arrival,), refusals = find_arrivals(places, QUARTER)
    assert (arrival.path, arrival.file, refusals) == (path, NAMES[name], [])
    arrival.file.encode()


def test_two_names_that_look_alike_are_told_apart(places, deliver):
    deliver("a\n.csv")
    deliver("a\\x0a.csv", "else")
    arrivals, refusals = find_arrivals(places, QUARTER)
    assert [a.file for a in arrivals] == ["a\\x0a.csv"]
    assert verdicts(refusals) == [("a\\x0a.csv", "E125")]


def test_the_same_bytes_in_another_quarter_are_refused_unless_allowed(places, deliver):
    deliver("first.csv", quarter=OTHER)
    deliver("other.csv", TEXT.replace("3", "4"), quarter=OTHER)
    deliver("again.csv")
    deliver("new.csv", "else")
    arrivals, refusals = find_arrivals(places, QUARTER)
    assert [a.file for a in arrivals] == ["new.csv"]
    assert verdicts(refusals) == [("again.csv", "E121")]
    assert "2019Q2/again.csv has the same bytes as 2019Q1/first.csv" in refusals[0].error.message
    arrivals, refusals = find_arrivals(places, QUARTER, same_file_twice=True)
    assert [a.file for a in arrivals] == ["again.csv", "new.csv"]


def test_a_file_that_cannot_be_read_is_refused(places, deliver, monkeypatch):
    deliver("a.csv")
    deliver("b.csv", "else")
    real = os.open

    def refuse(path, *flags):
        if str(path).endswith("b.csv"):  # a test that runs as root may read everything
            raise PermissionError(13, "Permission denied")
        return real(path, *flags)

    monkeypatch.setattr("exams.intake.reading.arrivals.os.open", refuse)
    arrivals, refusals = find_arrivals(places, QUARTER)
    assert [a.file for a in arrivals] == ["a.csv"]
    assert verdicts(refusals) == [("b.csv", "E120")]
    assert "Permission denied" in refusals[0].error.message
    assert [(name, bool(sha256)) for name, sha256 in delivered(places, QUARTER)] == [
        ("a.csv", True), ("b.csv", False),
    ]  # fmt: skip


def test_a_file_that_vanishes_is_refused_and_stops_no_fingerprint(places, deliver, monkeypatch):
    path = deliver("a.csv")
    deliver("b.csv", "else")
    monkeypatch.setattr(
        "exams.intake.reading.arrivals.visible", lambda folder: [path.with_name("0.csv"), path]
    )
    arrivals, refusals = find_arrivals(places, QUARTER)
    assert [a.file for a in arrivals] == ["a.csv"]
    assert verdicts(refusals) == [("0.csv", "E109")]
    assert [name for name, sha256 in delivered(places, QUARTER) if not sha256] == ["0.csv"]


@pytest.mark.parametrize("kind", ["a folder", "a named pipe"])
def test_what_takes_the_place_of_a_file_is_not_waited_for(tmp_path, kind):
    path = tmp_path / "a.csv"
    NO_FILES[kind](path)
    with pytest.raises(ExamsError, match=f"E105 a.csv is {kind}"), opened(path, "a.csv"):
        pass
