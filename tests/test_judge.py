"""The rules: what is repaired, what is refused, and why."""

import pytest

from exams.intake.judge import REASONS, Judge


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
    assert judge(field, raw) == (value, None)


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
        ("points", "11", "above_maximum"),
        ("points", "-1", "below_minimum"),
        ("mark", "4.55", "too_precise"),
        ("mark", "0.9", "below_minimum"),
    ],
)
def test_a_value_with_no_or_two_meanings_is_refused(judge, field, raw, reason):
    assert judge(field, raw) == (None, reason)
    assert reason in REASONS


def test_a_level_spelt_like_a_missing_value_is_a_level(contract_of):
    field = {
        "name": "course",
        "type": "string",
        "role": "dimension",
        "constraints": {"enum": ["none", "done"]},
    }
    score = {
        "name": "points",
        "type": "integer",
        "role": "score",
        "constraints": {"minimum": 0, "maximum": 9},
    }
    contract = contract_of({"missingValues": ["none"], "fields": [field, score]})
    assert Judge(contract.fields[0], contract.missing_values)(b"none") == (0, None)
