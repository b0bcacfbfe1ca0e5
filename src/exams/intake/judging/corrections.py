"""Corrections: records that were in quarantine, delivered again.

Each names the record that it stands for: the delivery, by the start of its SHA-256, and the
line. The bytes of a file say what its lines are, so a name that has changed does no harm, and a
correction of a file that was itself replaced corrects nothing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from exams.intake.arrays import distinct, of_numbers
from exams.intake.judging.records import WHOLE, Records
from exams.intake.reading.header import CORRECTS

DELIVERY, LINE = CORRECTS
_NONE = np.empty(0, np.int32)
RESOLVED = pa.schema([("delivery", pa.int32()), ("line", pa.int32()), ("by", pa.int32())])


def reference(sha256: str) -> str:
    """Return the word by which a corrections file names a delivery; no spreadsheet alters it."""
    return f"sha256:{sha256[:12]}"


@dataclass
class Quarantined:
    """Which records of a quarter are in quarantine, and which of these stand corrected."""

    numbers: dict[str, int] = field(default_factory=dict)  # delivery by reference
    lines: dict[int, np.ndarray] = field(default_factory=dict)  # rising
    answered: dict[int, set[int]] = field(default_factory=dict)

    def add(self, number: int, sha256: str, lines: Iterable[np.ndarray]) -> None:
        """Take note of the lines of delivery `number` that are in quarantine."""
        self.numbers[reference(sha256)] = number
        self.lines[number] = distinct(np.concatenate([_NONE, *lines]))
        self.answered[number] = set()

    def copy(self) -> "Quarantined":
        """Return the same; what is added to one is not added to the other."""
        answered = {number: set(lines) for number, lines in self.answered.items()}
        return Quarantined(dict(self.numbers), dict(self.lines), answered)

    def resolve(self, records: Records, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return which record each of `records` stands for; refuse those that stand for none."""
        nothing, twice, found = [], [], []
        for row, (delivery, line) in enumerate(zip(*_targets(batch), strict=True)):
            number = self.numbers.get(delivery, 0)
            if not self._holds(number, line):
                nothing.append(row)
            elif line in self.answered[number]:
                twice.append(row)
            else:
                self.answered[number].add(line)
                found.append((number, line, int(records.line[row])))
        records.refuse(np.array(nothing, int), WHOLE, "corrects_nothing")
        records.refuse(np.array(twice, int), WHOLE, "corrected_twice")
        columns = zip(*found, strict=True) if found else ((), (), ())
        arrays = [of_numbers(np.array(column, np.int32)) for column in columns]
        return pa.RecordBatch.from_arrays(arrays, schema=RESOLVED)

    def _holds(self, number: int, line: int) -> bool:
        lines = self.lines.get(number, _NONE)
        place = bisect_left(lines, line)
        return place < len(lines) and lines[place] == line


def in_order(references: Mapping[int, set[int]]) -> list[int]:
    """Return corrections files so that each comes after those that it corrects.

    references: per delivery number, those that its records name.
    """
    waiting, order = dict(sorted(references.items())), []
    while waiting:
        free = [n for n, named in waiting.items() if not (named - {n}) & waiting.keys()]
        chosen = (free or list(waiting))[0]
        order.append(chosen)
        del waiting[chosen]
    return order


def named_deliveries(batch: pa.RecordBatch) -> set[str]:
    """Return the references to deliveries in a batch of a corrections file."""
    return {_word(raw) for raw in batch.column(DELIVERY).dictionary.to_pylist()}


def _targets(batch: pa.RecordBatch) -> tuple[list[str], list[int]]:
    columns = [batch.column(name) for name in (DELIVERY, LINE)]
    deliveries, lines = ([_word(raw) for raw in c.dictionary.to_pylist()] for c in columns)
    numbers = [_line(word) for word in lines]
    at_delivery, at_line = (c.indices.to_pylist() for c in columns)
    return [deliveries[at] for at in at_delivery], [numbers[at] for at in at_line]


def _line(word: str) -> int:
    """Return the line that a word names, as a spreadsheet may have changed it: '12 or 12.0."""
    digits = word.removeprefix("'").removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 11 else 0


def _word(raw: bytes) -> str:
    return raw.decode("utf-8").strip().casefold()
