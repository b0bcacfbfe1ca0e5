"""The rules for any text: a value only where the text means it, worked out in another way."""

import string
import unicodedata
from fractions import Fraction

from hypothesis import given, strategies

from exams.contract import Field
from exams.contract.words import STEPS, fold
from exams.intake.judging.judge import REASONS, REPAIRS, Judge

LEVELS = ("none", "group A", "master's degree", "-", "=2", "Straße")
TOKENS = ("NA", "n/a", "None")
DIMENSION = Field("track", "Track", "", "dimension", levels=LEVELS, required=False)
SCORE = Field("mark", "Mark", "", "score", decimals=1, minimum=-20, maximum=1000, required=False)

BLANKS = " \t\n\r\u00a0\u2003\u3000\u200b\ufeff"
CURLY = {"\u2018": "'", "\u2019": "'", "\u201b": "'", "\u201c": '"', "\u201e": '"'}
WIDE = {chr(0xFF10 + digit): str(digit) for digit in range(10)}
# Characters that rules may stumble over, and words that they know.
ODD = "'=+-@.,%eE_0729٣½²\0\x1f\x0b"
TEXTS = strategies.lists(
    strategies.sampled_from([*BLANKS, *CURLY, *WIDE, *ODD, *LEVELS, *TOKENS])
    | strategies.characters(exclude_categories=["Cs"]),
    max_size=8,
).map("".join)
NUMBERS = strategies.tuples(
    strategies.sampled_from(["", " ", "'", "\u200b", "\u00a0'"]),
    strategies.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,3})?", fullmatch=True),
    strategies.sampled_from(["", "  ", "\ufeff", "\x1f", "%"]),
).map("".join)


def visible(text):
    """Return the words of a text, character by character, as a reader sees them."""
    words, word = [], ""
    for character in text + " ":
        if character in "\u200b\u200c\u200d\u2060\ufeff":
            continue
        if character in "\t\n\r" or unicodedata.category(character) == "Zs":
            words += [word] if word else []
            word = ""
        else:
            plain = CURLY.get(character, WIDE.get(character, character))
            word += {"\u201a": "'", "\u201d": '"', "\u201f": '"'}.get(plain, plain)
    line = " ".join(words)
    return line[1:] if line[:1] == "'" and line[1:2] and line[1] in "=+-@" else line


def meaning(text):
    """Return what a text is as a number, or None: read by hand, not by the rules' pattern."""
    digits = visible(text).removeprefix("-")
    whole, point, decimals = digits.partition(".")
    parts = [whole, decimals] if point else [whole]
    if not all(part and set(part) <= set(string.digits) for part in parts):
        return None
    return Fraction(visible(text))


@given(TEXTS)
def test_a_level_is_given_only_to_a_text_that_reads_as_it(text):
    seen = visible(text).casefold()
    levels = [number for number, level in enumerate(LEVELS) if level.casefold() == seen]
    missing = seen in {"", "na", "n/a"}
    verdict = Judge(DIMENSION, TOKENS)(text.encode())
    assert verdict.value == (levels[0] if levels else None)
    assert verdict.reason == (None if levels or missing else "unknown_level")


@given(NUMBERS | TEXTS)
def test_a_score_is_given_only_to_a_text_that_is_this_number(text):
    number = meaning(text)
    verdict = Judge(SCORE, TOKENS)(text.encode())
    if number is None:
        missing = visible(text).casefold() in {"", "na", "n/a", "none"}
        assert verdict[:2] == (None, None if missing else "not_a_number")
    elif (number * 10).denominator > 1:
        assert verdict[:2] == (None, "too_precise")
    elif not -2 <= number <= 100:
        assert verdict[:2] == (None, "below_minimum" if number < 0 else "above_maximum")
    else:
        assert (verdict.value, verdict.reason) == (number * 10, None)


@given(NUMBERS | TEXTS)
def test_a_repaired_text_needs_no_further_repair(text):
    for field, spell in ((DIMENSION, LEVELS.__getitem__), (SCORE, lambda steps: f"{steps / 10:g}")):
        judge = Judge(field, TOKENS)
        verdict = judge(text.encode())
        if verdict.value is not None:
            neat = judge(spell(verdict.value).encode())
            assert neat == (verdict.value, None, ())
            assert verdict.repairs or visible(text) == text


@given(NUMBERS | TEXTS)
def test_a_verdict_is_a_value_or_a_reason_and_its_codes_are_known(text):
    for field in (DIMENSION, SCORE):
        value, reason, repairs = Judge(field, TOKENS)(text.encode())
        assert reason is None or (reason in REASONS and value is None and repairs == ())
        assert [name for name in REPAIRS if name in repairs] == list(repairs)
        assert (value is None and reason is None) == ("no_value" in repairs)


@given(strategies.binary(max_size=12))
def test_nothing_is_raised_for_any_bytes(raw):
    for field in (DIMENSION, SCORE):
        assert Judge(field, TOKENS)(raw).reason in {None, *REASONS}


@given(TEXTS | strategies.text())
def test_what_is_folded_stays_as_it_is(text):
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_a_step_that_is_left_out_can_be_made_up_for(text):
    for name in STEPS:
        assert fold(fold(text, name)) == fold(text)
