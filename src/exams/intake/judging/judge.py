"""The rules: what a raw value of a field means, or why it cannot be taken.

They run over the distinct values of a column only, so they cost the same for a thousand
records as for a thousand million.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from exams.contract import Field
from exams.contract.words import STEPS, fold

# Why a record goes to quarantine. docs/reason-codes.md is made of these.
REASONS = {
    "missing": "The value is empty or a missing-value token, and the field is required.",
    "unknown_level": "The value is no level of the dimension, nor a synonym of one.",
    "not_a_number": "The value is not a plain decimal number.",
    "too_precise": "The number has more decimals than the field allows.",
    "below_minimum": "The number is below the field's minimum.",
    "above_maximum": "The number is above the field's maximum.",
    "duplicate": "An earlier record of the quarter has this identifier, which shall be unique.",
    "blank_record": "No field of the record has a value.",
    "wrong_number_of_columns": "The record has more or fewer columns than the header.",
    "corrects_nothing": "The record it names is not in quarantine: there is nothing to correct.",
    "corrected_twice": "An earlier record has corrected the record it names already.",
}
REMEDIES = {
    "missing": "Fill the value in, or make the field optional in the contract.",
    "unknown_level": "Correct the value, or add it to the contract as a level or synonym.",
    "not_a_number": "Write digits, and a point before decimals.",
    "too_precise": "Round as the exam's rules say, or allow more decimals in the contract.",
    "below_minimum": "Correct the number, or the minimum in the contract.",
    "above_maximum": "Correct the number, or the maximum in the contract.",
    "duplicate": "Remove the record, or correct its identifier.",
    "blank_record": "Remove the record from the file.",
    "wrong_number_of_columns": "Put values that hold a separator or a line end in quotes.",
    "corrects_nothing": "Remove the record, or correct which delivery and line it names.",
    "corrected_twice": "Keep the one record that is right.",
}
# What is changed in a value before it is taken; each change is counted and reported.
REPAIRS = {
    "trimmed": "Space around it, repeated inside it, non-breaking or zero-width was taken out.",
    "quotes": "Curly quotes were made straight.",
    "full_width": "Full-width digits were made plain.",
    "escaped": "The apostrophe that a spreadsheet puts before a leading =, +, - or @ was removed.",
    "case": "Capitals and small letters were taken as the same.",
    "synonym": "The value is a synonym that the contract has for a level.",
    "number_form": "Leading zeros, or zeros after the last decimal, were left out: 72.0 is 72.",
    "no_value": "Empty or a missing-value token: the field is not required, and has no value.",
}
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


class Verdict(NamedTuple):
    """What a raw value means: `value`, or the `reason` code why it cannot be taken.

    The value of a dimension is the index of its level, of a score its steps; None where a
    field that is not required is missing. `repairs` names every change without which the value
    would not have been taken, in the order of REPAIRS; a refused value has none.
    """

    value: int | None
    reason: str | None = None
    repairs: tuple[str, ...] = ()


_MISSING = Verdict(None, "missing")
_NO_VALUE = Verdict(None, None, ("no_value",))
_REFUSED = {reason: Verdict(None, reason) for reason in REASONS}


class Judge:
    """The rules of one dimension or score.

    A value is taken for a level, a synonym or a missing-value token if both are the same to
    `fold` (contract/words.py), thus after `trimmed`, `quotes`, `full_width`, `escaped` and
    `case`. The same goes for a number, which may be of another `number_form`, too. A sign +, a
    decimal comma, an exponent, a percent sign, a fraction and digits of other scripts are never
    repaired.
    """

    def __init__(self, field: Field, missing_values: Iterable[str]) -> None:
        self.field = field
        index = {level: number for number, level in enumerate(field.levels)}
        words = dict.fromkeys((*missing_values, ""), _MISSING if field.required else _NO_VALUE)
        words |= {word: Verdict(index[lv], None, ("synonym",)) for word, lv in field.synonyms}
        words |= {level: Verdict(number) for level, number in index.items()}
        self.folded: dict[str, Verdict] = {}
        self.spellings: dict[str, list[str]] = {}
        for word, verdict in words.items():
            key = fold(word)
            if self.folded.get(key) != verdict:  # a level spelt like a missing-value token
                self.folded[key], self.spellings[key] = verdict, []
            self.spellings[key].append(word)
        known = self.spellings.items()
        self.exact = {word.encode(): self.folded[key] for key, same in known for word in same}

    def __call__(self, raw: bytes) -> Verdict:
        """Judge one raw value; whatever it holds, nothing is raised."""
        verdict = self.exact.get(raw)
        if verdict is not None:
            return verdict
        text = raw.decode("utf-8", "surrogateescape")
        key = fold(text)
        verdict = self.folded.get(key)
        if verdict is None:
            verdict = _REFUSED["unknown_level"] if self.field.levels else self._number(key)
        if verdict.reason:
            return verdict
        needed = min((_needed(text, word) for word in self.spellings.get(key, [key])), key=len)
        return verdict._replace(repairs=(*needed, *verdict.repairs)) if needed else verdict

    def _number(self, text: str) -> Verdict:
        match = _NUMBER.fullmatch(text)
        if not match:
            return _REFUSED["not_a_number"]
        sign, digits, fraction = match[1], match[2], match[3] or ""
        decimals = self.field.decimals
        if len(fraction.rstrip("0")) > decimals:
            return _REFUSED["too_precise"]
        whole = digits.lstrip("0") or "0"
        # Nine digits are beyond every bound; int() would refuse thousands.
        steps = int(sign + whole[:9] + fraction[:decimals].ljust(decimals, "0"))
        if steps < self.field.minimum:
            return _REFUSED["below_minimum"]
        if steps > self.field.maximum:
            return _REFUSED["above_maximum"]
        plain = whole == digits and len(fraction) <= decimals and (steps or not sign)
        return Verdict(steps) if plain else Verdict(steps, None, ("number_form",))


def _needed(text: str, word: str) -> tuple[str, ...]:
    """Return the repairs without any one of which `text` would not be taken for `word`."""
    if text == word:
        return ()
    return tuple(name for name in STEPS if fold(text, name) != fold(word, name))
