"""The rules: what is repaired, what is refused, and why."""

import numpy as np
import pyarrow as pa
import pytest

from exams.contract import Field
from exams.intake.arrays import encoded, of_numbers
from exams.intake.judging.columns import Tally
from exams.intake.judging.judge import REASONS, REMEDIES, REPAIRS, Judge
from exams.intake.judging.records import Rules


def of_levels(*levels):
    return Field("field", "Field", "", "dimension", required=False, levels=levels)


@pytest.fixture
def judge(small):
    judges = {f.name: Judge(f, small.missing_values) for f in small.fields}
    return lambda field, raw: judges[field](raw.encode())


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ("track", "south", 1),
        ("track", "  South ", 1),
        ("track", "n", 0),
        ("track", "\u200bNORTH\u00a0", 0),
        ("points", "7", 7),
        ("points", " 7 ", 7),
        ("points", "7.0", 7),
        ("points", "007", 7),
        ("mark", "4.5", 45),
        ("mark", "4", 40),
        ("mark", "4.50", 45),
        ("mark", "", None),
        ("mark", "-", None),
    ],
)
def test_a_value_with_one_meaning_is_taken(judge, field, raw, value):
    assert judge(field, raw)[:2] == (value, None)


@pytest.mark.parametrize(
    ("field", "raw", "reason"),
    [
        ("track", "west", "unknown_level"),
        ("track", "", "missing"),
        ("points", "-", "missing"),
        ("points", "7.5", "too_precise"),
        ("points", "7,0", "not_a_number"),
        ("points", "7e0", "not_a_number"),
        ("points", "0x7", "not_a_number"),
        ("points", "7%", "not_a_number"),
        ("points", "seven", "not_a_number"),
        ("points", "7 7", "not_a_number"),
        ("points", "7  7", "not_a_number"),
        ("points", "+7", "not_a_number"),
        ("points", "'+7", "not_a_number"),
        ("points", "'7", "not_a_number"),
        ("points", "½", "not_a_number"),
        ("points", "٣", "not_a_number"),
        ("points", "7²", "not_a_number"),
        ("points", ".7", "not_a_number"),
        ("points", "7.", "not_a_number"),
        ("points", "７．０", "not_a_number"),
        ("points", "nan", "not_a_number"),
        ("points", "inf", "not_a_number"),
        ("points", "1_0", "not_a_number"),
        ("points", "7\0", "not_a_number"),
        ("points", "7\x1f", "not_a_number"),
        ("track", "south\x1f", "unknown_level"),
        ("track", "so uth", "unknown_level"),
        ("track", "'south", "unknown_level"),
        ("points", "9" * 5000, "above_maximum"),
        ("points", "-" + "9" * 5000, "below_minimum"),
        ("points", "7." + "0" * 5000 + "1", "too_precise"),
        ("points", "11", "above_maximum"),
        ("points", "-1", "below_minimum"),
        ("mark", "4.55", "too_precise"),
        ("mark", "0.9", "below_minimum"),
    ],
)
def test_a_value_with_no_or_two_meanings_is_refused(judge, field, raw, reason):
    assert judge(field, raw) == (None, reason, ())
    assert reason in REASONS


@pytest.mark.parametrize(
    ("field", "raw", "repairs"),
    [
        ("track", "south", ()),
        ("track", "n", ("synonym",)),
        ("track", " South", ("trimmed", "case")),
        ("track", "N\u200b", ("trimmed", "case", "synonym")),
        ("points", "7", ()),
        ("points", "\t7\u3000", ("trimmed",)),
        ("points", "７", ("full_width",)),
        ("points", "007", ("number_form",)),
        ("points", "7.0", ("number_form",)),
        ("points", "-0", ("number_form",)),
        ("points", " '-０", ("trimmed", "full_width", "escaped", "number_form")),
        ("mark", "4", ()),
        ("mark", "4.0", ()),
        ("mark", "4.50", ("number_form",)),
        ("mark", "-", ("no_value",)),
        ("mark", "", ("no_value",)),
        ("mark", "\u00a0", ("trimmed", "no_value")),
        ("mark", "'-", ("escaped", "no_value")),
    ],
)
def test_each_repair_that_was_needed_is_named_and_no_other(judge, field, raw, repairs):
    verdict = judge(field, raw)
    assert (verdict.reason, verdict.repairs) == (None, repairs)
    assert [name for name in REPAIRS if name in repairs] == list(repairs)


@pytest.mark.parametrize(
    ("raw", "level", "repairs"),
    [
        ("Master’s  degree", 0, ("trimmed",)),
        ("master's degree", 0, ("quotes", "case")),
        ("Master's degree", 0, ("quotes",)),
        ("MASTER’S DEGREE", 0, ("case",)),
        ("=1", 1, ()),
        ("'=1", 1, ("escaped",)),
        ("’=１", 1, ("quotes", "full_width", "escaped")),
        ("STRASSE", 2, ("case",)),
    ],
)
def test_a_level_is_compared_as_the_contract_spells_it(raw, level, repairs):
    judge = Judge(of_levels("Master’s degree", "=1", "Straße"), [])
    assert judge(raw.encode()) == (level, None, repairs)


def test_a_level_spelt_like_a_missing_value_is_a_level():
    judge = Judge(of_levels("none", "done"), ["NONE"])
    assert judge(b"none") == (0, None, ())
    assert judge(b"NONE") == (0, None, ("case",))


def test_of_two_spellings_of_a_missing_value_each_is_itself():
    judge = Judge(of_levels("a", "b"), ["NA", "na"])
    assert [judge(raw).repairs for raw in (b"NA", b"na", b" NA")] == [
        ("no_value",),
        ("no_value",),
        ("trimmed", "no_value"),
    ]


def test_bytes_that_are_no_text_are_no_value():
    judge = Judge(of_levels("\ufffd"), [])
    assert judge("\ufffd".encode()).value == 0
    assert judge(b"\xff").reason == "unknown_level"


def test_every_reason_has_a_remedy():
    assert list(REMEDIES) == list(REASONS)


def test_long_values_are_judged_and_not_kept_in_memory(small):
    words = [b"north", *(b"%04d" % number + b"x" * 10_000 for number in range(100))]
    columns = [encoded(words), encoded([b"1"] * 101), encoded([b""] * 101)]
    lines = of_numbers(np.arange(2, 103, dtype=np.int32))
    rules = Rules(small)
    names = ["line", "track", "points", "mark"]
    found = rules.judge(pa.record_batch([lines, *columns], names))
    assert found.bad.tolist() == [False] + [True] * 100
    assert list(rules.known["track"]) == [b"north"]
    tally = Tally()
    tally.count_unknown(found.columns["track"])
    assert {len(word) for word in tally.strange["track"]} == {32}
    assert len(tally.strange["track"]) == tally.unknown["track"] == 100
