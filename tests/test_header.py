"""Which column is which field, and what is said of the others."""

from dataclasses import replace

import pytest

from exams.contract import Field
from exams.errors import ExamsError
from exams.intake.reading.header import match_header


@pytest.fixture
def contract(small):
    """Return the small contract with a candidate number and a field that is ignored."""
    number = Field("candidate", "Candidate", "Number.", "identifier", aliases=("no.",))
    remark = Field("remark", "Remark", "Any.", "ignore", required=False)
    return replace(small, fields=(*small.fields, number, remark))


def test_fields_are_found_by_name_title_and_alias_in_any_order(contract):
    header = match_header(["No", "MARK", " Points ", "Track", "seat", ""], contract, "a.csv")
    assert header.places == {"track": 3, "points": 2, "mark": 1, "candidate": 0}
    assert header.renamed == (("No", "candidate"),)
    assert header.ignored == ("seat", "column 6")
    assert header.absent == ()
    assert (header.width, header.corrects) == (6, False)


def test_an_optional_field_may_be_absent_and_an_ignored_one_present(contract):
    header = match_header(["track", "points", "candidate", "Remark"], contract, "a.csv")
    assert header.absent == ("mark",)
    assert header.ignored == ()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["track", "candidate", "mark"], "no column points"),
        (["track", "points"], "no column candidate"),
        (["track", "points", "candidate", "no."], "candidate occurs twice"),
    ],
)
def test_a_required_field_occurs_once(contract, words, says):
    with pytest.raises(ExamsError, match=f"E102 a.csv.*{says}"):
        match_header(words, contract, "a.csv")


def test_a_strict_contract_knows_every_column(contract):
    strict = replace(contract, strict=True)
    words = ["track", "points", "candidate", "remark"]
    assert match_header(words, strict, "a.csv").ignored == ()
    with pytest.raises(ExamsError, match=r"E122 a.csv: .* no column seat, column 6"):
        match_header([*words, "seat", " "], strict, "a.csv")


@pytest.mark.parametrize(("missing", "corrects"), [("", True), ("quarantine_line", False)])
def test_a_file_with_places_of_the_quarantine_corrects(contract, missing, corrects):
    words = ["track", "points", "candidate"]
    words += [f"quarantine_{word}" for word in ("delivery", "file", "line", "reasons", "text")]
    words = [word for word in words if word != missing]
    header = match_header(words, replace(contract, strict=True), "a.csv")
    assert header.corrects is corrects
    assert header.ignored == ()
    assert {"quarantine_delivery", "quarantine_line"} <= header.places.keys() or not corrects
    assert corrects or not [name for name in header.places if name.startswith("quarantine")]
