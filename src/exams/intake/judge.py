"""The rules: what a raw value of a field means, or why it cannot be taken.

They run over the distinct values of a column only, so they cost the same for a thousand
records as for a thousand million.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from exams.contract import Field
from exams.contract.words import fold

REASONS = {
    "missing": "The value is empty or a missing-value token, and the field is required.",
    "unknown_level": "The value is no level of the dimension, nor a synonym of one.",
    "not_a_number": "The value is not a plain decimal number.",
    "too_precise": "The number has more decimals than the field allows.",
    "below_minimum": "The number is below the field's minimum.",
    "above_maximum": "The number is above the field's maximum.",
    "blank_record": "No field of the record has a value.",
    "wrong_number_of_columns": "The record has more or fewer columns than the header.",
}

REPAIRS: dict[str, str] = {}

_NUMBER = re.compile(r"(-?[0-9]{1,9})(?:\.([0-9]{1,9}))?")


class Verdict(NamedTuple):
    """What a raw value means, or why it cannot be taken, and the repairs that it took."""

    value: int | None
    reason: str | None
    repairs: tuple[str, ...] = ()


class Judge:
    """The rules of one field. `judge(raw)` gives (value, None) or (None, reason code).

    The value of a dimension is the index of its level, of a score its steps; None where a
    field that is not required is missing.
    """

    def __init__(self, field: Field, missing_values: Iterable[str]) -> None:
        self.field = field
        self.missing = {fold(token) for token in missing_values} | {""}
        index = {level: number for number, level in enumerate(field.levels)}
        self.levels = {fold(level): number for level, number in index.items()}
        self.levels |= {fold(word): index[level] for word, level in field.synonyms}

    def __call__(self, raw: bytes) -> Verdict:
        """Judge one raw value."""
        word = fold(raw.decode("utf-8"))
        if word in self.levels:  # first: a level may be spelt like a missing-value token
            return Verdict(self.levels[word], None)
        if word in self.missing:
            return Verdict(None, "missing" if self.field.required else None)
        if self.field.levels:
            return Verdict(None, "unknown_level")
        return self._number(word)

    def _number(self, word: str) -> Verdict:
        match = _NUMBER.fullmatch(word)
        if not match:
            return Verdict(None, "not_a_number")
        whole, fraction = match[1], (match[2] or "").rstrip("0")
        if len(fraction) > self.field.decimals:
            return Verdict(None, "too_precise")
        steps = int(whole + fraction.ljust(self.field.decimals, "0"))
        if steps < self.field.minimum:
            return Verdict(None, "below_minimum")
        if steps > self.field.maximum:
            return Verdict(None, "above_maximum")
        return Verdict(steps, None)
