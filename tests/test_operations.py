"""docs/operations.md and docs/error-codes.md: what they say is what the program does."""

import re
from pathlib import Path

import pytest

from exams import codes, status
from exams.codes import Said, errors
from exams.places import Places
from exams.quarters import Timing
from exams.situation import situation
from exams.ticks import Ticks, write_ticks

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_of_error_codes_is_the_one_that_the_package_makes():
    assert (DOCS / "error-codes.md").read_text(encoding="utf-8") == codes.page()


def test_every_code_of_the_package_stands_on_the_page():
    package = Path(codes.__file__).parent
    called = {
        code
        for path in package.rglob("*.py")
        for code in re.findall(r'ExamsError\(\s*"(E\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert len(called) > 60
    assert called == set(re.findall(r"^\| (E\d{3}) \|", codes.page(), re.M))


SOURCE = """
AGAIN = "Try again."
def one(name):
    what = "is gone" if name else "is there"
    raise ExamsError("E901", f"{name}: {len(name):,} {what}.", AGAIN)
def two(what):
    return ExamsError("E902", f"{what}.", "a" + "|b")
def three(error):
    raise ExamsError(error.code, error.message, "Passed on.")
"""


def test_what_an_error_says_is_read_from_the_call_with_gaps_for_what_is_not_known():
    assert list(errors(SOURCE)) == [
        Said("E901", "…: … is gone / is there.", "Try again."),
        Said("E902", "(the message says it)", "a\\|b"),
    ]


@pytest.fixture
def found(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    status.start(places.status, "2026Q2", "extract")
    status.end(places.status, "2026Q2", "extract", "failed", reason_code="E104", reason="No.")
    write_ticks(places, Ticks("test", "* * * * *", "UTC", "host", 1, "2026-01-01T00:00:00+00:00"))
    return situation(places, Timing())


def test_every_key_of_the_json_is_told_in_the_docs(found):
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", text))
    entry = found["quarters"][0]
    keys = {*found, *entry, *entry["stages"]["extract"], *found["trouble"][0], *found["schedule"]}
    assert keys - told == set()
