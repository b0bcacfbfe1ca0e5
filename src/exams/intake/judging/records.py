"""The rules of a contract at work on whole columns: which records are clean, which are not, why.

A rule runs once for each distinct raw value; its verdict is carried back to the records through
the dictionary codes of the column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from exams.contract import Contract, Field
from exams.contract.profiles import radix, strides
from exams.intake.arrays import (
    of_numbers,
    of_optional,
    of_optional_texts,
    of_texts,
    to_numpy,
)
from exams.intake.judging.columns import Column, Tally
from exams.intake.judging.identifiers import is_missing
from exams.intake.judging.judge import Judge, Verdict

QUARANTINE = pa.schema(
    [
        ("line", pa.int32()),
        ("column", pa.binary()),
        ("value", pa.binary()),
        ("reason", pa.binary()),
    ]
)
WHOLE = "*"  # the column of a reason that concerns the whole record


@dataclass
class Records:
    """Judged records of one batch. `bad` is true where a record has a reason in `wrong`,
    `blank` where it has no value at all (None: nowhere)."""

    line: np.ndarray
    columns: dict[str, Column]
    bad: np.ndarray
    blank: np.ndarray | None = None
    wrong: list[pa.RecordBatch] = field(default_factory=list)

    def refuse(self, rows: np.ndarray, column: str, reason: str) -> None:
        """Send whole records to quarantine; no value is kept."""
        if len(rows):
            size = len(rows)
            self.wrong.append(held(self.line[rows], column, [b""] * size, [reason] * size))
            self.bad[rows] = True


class Rules:
    """The contract's rules, and what they said of each raw value so far."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.strides = strides(contract)
        self.shown = not contract.identifiers  # else a row that has slipped could tell one
        self.judges = {f.name: Judge(f, contract.missing_values) for f in contract.kept}
        self.known: dict[str, dict[bytes, Verdict]] = {f.name: {} for f in contract.kept}

    def judge(self, batch: pa.RecordBatch) -> Records:
        """Judge the records of a batch of the extract stage."""
        line = to_numpy(batch.column("line"))
        kept = self.contract.kept
        columns = {f.name: self._column(f, batch.column(f.name)) for f in kept}
        blank = _everywhere([c.empty for c in columns.values()])
        if blank is not None and self.contract.identifiers:
            blank = blank & self._anonymous(batch)
        records = Records(line, columns, np.zeros(len(line), bool), blank)
        for column in columns.values():
            if column.refused is not None:
                records.bad |= column.refused
                refused = column.refused if blank is None else column.refused & ~blank
                records.wrong.append(_refusals(column, line, refused, self.shown))
        if blank is not None:
            records.refuse(np.flatnonzero(blank), WHOLE, "blank_record")
        return records

    def _anonymous(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return where a record has no identifier either."""
        empty = []
        for column in (batch.column(f.name) for f in self.contract.identifiers):
            words = column.dictionary.to_pylist()
            absent = np.array([is_missing(w, self.contract.missing_values) for w in words], bool)
            empty.append(absent[to_numpy(column.indices)])
        return np.logical_and.reduce(empty)

    def _column(self, kept: Field, column: pa.DictionaryArray) -> Column:
        words, index = column.dictionary.to_pylist(), to_numpy(column.indices)
        verdicts = self._verdicts(kept.name, words)
        if kept.role == "dimension":
            step, none = self.strides[kept.name], radix(kept) - 1
        else:
            step, none = 1, 0
        values = [(none if v.value is None else v.value) * step for v in verdicts]
        refused = np.array([v.reason is not None for v in verdicts], bool)
        missing = np.array([v.value is None for v in verdicts], bool) & ~refused
        empty = missing | np.array([v.reason == "missing" for v in verdicts], bool)
        masks = (mask[index] if mask.any() else None for mask in (refused, missing, empty))
        return Column(kept.name, words, index, verdicts, np.array(values, np.int32)[index], *masks)

    def _verdicts(self, name: str, words: list[bytes]) -> list[Verdict]:
        known, judge = self.known[name], self.judges[name]
        if len(known) > _REMEMBERED:
            known.clear()
        verdicts = []
        for word in words:
            verdict = known.get(word)
            if verdict is None:
                verdict = judge(word)
                if len(word) <= _SHORT:
                    known[word] = verdict
            verdicts.append(verdict)
        return verdicts


@dataclass
class Clean:
    """The clean records of a batch; scores: steps by name, and where they are missing."""

    line: np.ndarray
    profile: np.ndarray
    scores: dict[str, tuple[np.ndarray, np.ndarray | None]]
    pseudonyms: dict[str, list[bytes | None]]

    def batch(self) -> pa.RecordBatch:
        """Return them as the part that load reads: line, profile, scores, pseudonyms."""
        scores = [of_optional(steps, missing) for steps, missing in self.scores.values()]
        digests = [of_optional_texts(column) for column in self.pseudonyms.values()]
        arrays = [of_numbers(self.line), of_numbers(self.profile), *scores, *digests]
        return pa.record_batch(arrays, ["line", "profile", *self.scores, *self.pseudonyms])


def clean_records(
    contract: Contract,
    records: Records,
    pseudonyms: Mapping[str, Sequence[bytes | None]],
    tally: Tally,
) -> Clean:
    """Return the records that have no reason against them; count all in `tally`."""
    keep = np.flatnonzero(~records.bad)
    columns = records.columns
    profile = np.zeros(len(keep), np.int32)
    for dimension in contract.dimensions:
        profile += columns[dimension.name].value[keep]
    scores = {}
    for score in contract.scores:
        column = columns[score.name]
        missing = None if column.missing is None else column.missing[keep]
        scores[score.name] = column.value[keep], missing
    for column in columns.values():
        tally.count(column, keep)
        tally.count_unknown(column)
    tally.clean += len(keep)
    named = {name: [digests[row] for row in keep.tolist()] for name, digests in pseudonyms.items()}
    return Clean(records.line[keep], profile, scores, named)


def held(
    line: np.ndarray, column: str, values: Sequence[bytes], reasons: Sequence[str]
) -> pa.RecordBatch:
    """Return quarantine rows of one column."""
    coded = [reason.encode() for reason in reasons]
    arrays = [of_texts(texts) for texts in ([column.encode()] * len(line), values, coded)]
    return pa.RecordBatch.from_arrays([of_optional(line, None), *arrays], schema=QUARANTINE)


NOTHING_HELD = held(np.zeros(0), WHOLE, [], [])


def _refusals(column: Column, line: np.ndarray, refused: np.ndarray, shown: bool) -> pa.RecordBatch:
    rows = np.flatnonzero(refused)
    at = column.index[rows].tolist()
    values = [column.words[i] if shown else b"" for i in at]
    return held(line[rows], column.name, values, [column.verdicts[i].reason or "" for i in at])


def _everywhere(masks: Sequence[np.ndarray | None]) -> np.ndarray | None:
    found = [mask for mask in masks if mask is not None]
    if len(found) < len(masks):
        return None
    every = np.logical_and.reduce(found)
    return every if every.any() else None


_REMEMBERED = 100_000  # distinct values of a column; more, or long ones, would fill the memory
_SHORT = 100  # bytes of one
