"""Judged columns, and what is counted of them: repairs, unknown levels, the range of scores."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import compress, islice

import numpy as np
import pyarrow as pa

from exams.intake.arrays import to_numpy
from exams.intake.judging.judge import Verdict

_FIRST = 5  # lines noted for each reason
_COUNTED = 1_000  # distinct unknown values: more are as bad
_LONG = 32  # bytes; of a longer one its SHA-256 is kept


@dataclass
class Column:
    """A judged column: `value` per record, and where it is refused, missing or empty.

    A mask is None where it is false everywhere. Of a dimension, the value is what the level
    adds to the number of the profile; of a score, its steps. `words` are the distinct raw
    values, with the verdict on each; `index` says which one a record has.
    """

    name: str
    words: list[bytes]
    index: np.ndarray
    verdicts: list[Verdict]
    value: np.ndarray
    refused: np.ndarray | None
    missing: np.ndarray | None
    empty: np.ndarray | None


@dataclass
class Tally:
    """Counts over the records of one delivery so far.

    clean, quarantined: records. reasons: records by (field, reason), and with `first` the
    lines of the first few. repairs: clean records by (field, repair). unknown: by dimension,
    records with a value that is no level, and some of these values (private). seen: lowest and
    highest value by field, in clean records.
    """

    clean: int = 0
    quarantined: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    repairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    strange: dict[str, set[bytes]] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, column: Column, keep: np.ndarray) -> None:
        """Count the column of the clean records, those at the places `keep`."""
        counts = np.bincount(column.index[keep], minlength=len(column.words))
        values = []
        for verdict, n in zip(column.verdicts, counts.tolist(), strict=True):
            if n and verdict.repairs:
                self.repairs.update({(column.name, repair): n for repair in verdict.repairs})
            if n and verdict.value is not None:
                values.append(verdict.value)
        if values:
            low, high = self.seen.get(column.name, (values[0], values[0]))
            self.seen[column.name] = min(low, *values), max(high, *values)

    def add(self, later: "Tally") -> None:
        """Add the counts over later records of the delivery."""
        self.clean += later.clean
        self.quarantined += later.quarantined
        self.reasons.update(later.reasons)
        self.repairs.update(later.repairs)
        self.unknown.update(later.unknown)
        for key, lines in later.first.items():
            first = self.first.setdefault(key, [])
            first += lines[: _FIRST - len(first)]
        for name, words in later.strange.items():
            strange = self.strange.setdefault(name, set())
            strange.update(islice(words - strange, _COUNTED - len(strange)))
        for name, (low, high) in later.seen.items():
            lowest, highest = self.seen.get(name, (low, high))
            self.seen[name] = min(low, lowest), max(high, highest)

    def hold(self, rows: pa.RecordBatch) -> None:
        """Count the reasons in quarantine rows of one column; a record may have several."""
        column = next((name.as_py().decode() for name in rows.column("column")), "")
        reasons = rows.column("reason").to_pylist()
        for reason, n in Counter(reasons).items():
            key = column, reason.decode()
            self.reasons[key] += n
            first = self.first.setdefault(key, [])
            if len(first) < _FIRST:
                lines = compress(to_numpy(rows.column("line")), (r == reason for r in reasons))
                first += map(int, islice(lines, _FIRST - len(first)))

    def count_unknown(self, column: Column) -> None:
        """Count the records, all of them in quarantine, whose value is no level."""
        if column.refused is None:
            return
        counts = np.bincount(column.index[column.refused], minlength=len(column.words))
        for word, verdict, n in zip(column.words, column.verdicts, counts.tolist(), strict=True):
            if n and verdict.reason == "unknown_level":
                self.unknown[column.name] += n
                strange = self.strange.setdefault(column.name, set())
                if len(strange) < _COUNTED:
                    short = len(word) <= _LONG
                    strange.add(word if short else sha256(word).digest())
