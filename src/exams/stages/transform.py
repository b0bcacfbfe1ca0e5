"""transform: every record is either clean or in quarantine, with all of its reasons."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.judge import Judge, Verdict
from exams.intake.parts import (
    emptied,
    read_manifest,
    read_part,
    write_manifest,
    write_part,
)
from exams.statistics.cube import Cube, radix, strides

QUARANTINE = pa.schema(
    [
        ("line", pa.int32()),
        ("column", pa.string()),
        ("value", pa.binary()),
        ("reason", pa.string()),
    ]
)


@dataclass
class Judged:
    """What became of a quarter's records.

    files: file, received, clean, quarantined. reasons: file, column, reason, records.
    """

    files: pd.DataFrame
    reasons: pd.DataFrame


@dataclass
class _Rules:
    """The contract's rules, and what they said of each raw value so far."""

    contract: Contract
    judges: dict[str, Judge] = field(init=False)
    known: dict[str, dict[bytes, Verdict]] = field(init=False)

    def __post_init__(self) -> None:
        kept = self.contract.kept
        self.judges = {f.name: Judge(f, self.contract.missing_values) for f in kept}
        self.known = {f.name: {} for f in kept}

    def verdicts(self, name: str, words: list[bytes]) -> list[Verdict]:
        known = self.known[name]
        for word in words:
            if word not in known:
                known[word] = self.judges[name](word)
        return [known[word] for word in words]


def transform(raw: Path, contract: Contract, out: Path) -> Judged:
    """Judge the records in `raw`; write clean parts, quarantine parts and the cube into `out`.

    Raise E202 if a file's records are not all either clean or in quarantine.
    """
    emptied(out)
    rules, cube = _Rules(contract), Cube.empty(contract)
    files, deliveries = [], []
    reasons: list[tuple[str, str, str, int]] = []
    for delivery in read_manifest(raw):
        held = [_malformed(raw / delivery.malformed)]
        parts, clean = [], 0
        for name in delivery.parts:
            table, wrong = _judge_part(raw / name, rules, cube)
            parts.append(write_part(out / f"clean-{name}", table, table.column_names[1:]))
            clean += len(table)
            held.append(wrong)
        quarantine = pa.concat_tables(held).sort_by([("line", "ascending")])
        away = write_part(out / f"quarantine-{delivery.malformed}", quarantine)
        quarantined = len(quarantine.column("line").unique())
        if delivery.received != clean + quarantined:
            raise ExamsError(
                "E202",
                f"{delivery.file}: {delivery.received:,} records were received, but "
                f"{clean:,} are clean and {quarantined:,} in quarantine.",
                "Nothing was handed on; keep the file and report this defect.",
            )
        files.append((delivery.file, delivery.received, clean, quarantined))
        reasons += _reasons(delivery.file, quarantine)
        deliveries.append(replace(delivery, parts=tuple(parts), malformed=away))
    cube.save(out / "cube.npz")
    write_manifest(out, deliveries)
    return Judged(
        pd.DataFrame(files, columns=["file", "received", "clean", "quarantined"]),
        pd.DataFrame(reasons, columns=["file", "column", "reason", "records"]),
    )


def _judge_part(path: Path, rules: _Rules, cube: Cube) -> tuple[pa.Table, pa.Table]:
    """Return the clean and the quarantined records of a part; add the clean ones to the cube."""
    contract = rules.contract
    names = [f.name for f in contract.kept]
    batch = read_part(path, names).combine_chunks()
    line = batch.column("line").to_numpy()
    judged = {name: _judge_column(name, batch.column(name).chunk(0), rules) for name in names}
    blank = np.logical_and.reduce([column.empty for column in judged.values()])
    wrong = [judged[name].refusals(name, line, ~blank) for name in names]
    size = int(blank.sum())
    wrong.append(_held(line[blank], "*", [b""] * size, ["blank_record"] * size))
    bad = blank | np.logical_or.reduce([column.refused for column in judged.values()])
    keep = np.flatnonzero(~bad)
    profile = _profiles(contract, judged)[keep]
    scores = {s.name: judged[s.name].kept(keep) for s in contract.scores}
    cube.add(profile, scores)
    columns = {"line": line[keep], "profile": profile.astype(np.int32)}
    columns |= {name: pa.array(steps, mask=missing) for name, (steps, missing) in scores.items()}
    return pa.table(columns), pa.concat_tables(wrong)


@dataclass
class _Column:
    """A judged column: `values` (int32), where they are `missing` or `refused`, and why.

    `empty` is where nothing was delivered, be it allowed or not.
    """

    values: np.ndarray
    missing: np.ndarray
    refused: np.ndarray
    empty: np.ndarray
    words: list[bytes]
    index: np.ndarray
    reasons: list[str | None]

    def kept(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        missing = self.missing[rows]
        return self.values[rows], missing if missing.any() else None

    def refusals(self, name: str, line: np.ndarray, among: np.ndarray) -> pa.Table:
        rows = np.flatnonzero(self.refused & among)
        at = self.index[rows].tolist()
        values, reasons = [self.words[i] for i in at], [self.reasons[i] for i in at]
        return _held(line[rows], name, values, reasons)


def _judge_column(name: str, column: pa.DictionaryArray, rules: _Rules) -> _Column:
    words, index = column.dictionary.to_pylist(), column.indices.to_numpy()
    verdicts = rules.verdicts(name, words)
    reasons = [verdict.reason for verdict in verdicts]
    refused = np.array([reason is not None for reason in reasons], bool)[index]
    absent = np.array([verdict.value is None for verdict in verdicts], bool)[index] & ~refused
    unstated = np.array([reason == "missing" for reason in reasons], bool)[index]
    values = np.array([verdict.value or 0 for verdict in verdicts], np.int32)[index]
    return _Column(values, absent, refused, absent | unstated, words, index, reasons)


def _held(
    line: np.ndarray, column: str, values: Sequence[bytes], reasons: Sequence[str | None]
) -> pa.Table:
    """Return quarantine rows of one column (*: of whole records)."""
    arrays = [line, [column] * len(line), values, reasons]
    return pa.table(
        [pa.array(array, kind) for array, kind in zip(arrays, QUARANTINE.types, strict=True)],
        schema=QUARANTINE,
    )


def _profiles(contract: Contract, judged: dict[str, _Column]) -> np.ndarray:
    """Return the number of each record's profile; no value has the last code."""
    total = np.zeros(len(next(iter(judged.values())).values), np.int64)
    for dimension, stride in zip(contract.dimensions, strides(contract).values(), strict=True):
        column = judged[dimension.name]
        codes = np.where(column.missing, radix(dimension) - 1, column.values)
        total += codes.astype(np.int64) * stride
    return total


def _malformed(path: Path) -> pa.Table:
    """Return the records that are no records of the header, as quarantine rows."""
    found = read_part(path)
    values = [text.encode() for text in found.column("value").to_pylist()]
    reasons = ["wrong_number_of_columns"] * len(found)
    return _held(found.column("line").to_numpy(), "*", values, reasons)


def _reasons(file: str, quarantine: pa.Table) -> Iterator[tuple[str, str, str, int]]:
    counts = quarantine.group_by(["column", "reason"]).aggregate([("line", "count")])
    rows: Iterable[dict[str, object]] = counts.sort_by(
        [("column", "ascending"), ("reason", "ascending")]
    ).to_pylist()
    for row in rows:
        yield file, str(row["column"]), str(row["reason"]), int(str(row["line_count"]))
