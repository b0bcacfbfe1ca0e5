"""Reads a delivered CSV file: every physical record, with its line, as bytes.

Nothing is interpreted and nothing is lost: the records are reconciled with the lines of the
file, so that a quote left open cannot swallow any.
"""

import csv as plain_csv
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.header import Header, match_header

BLOCK = 8 << 20  # bytes read at a time; a larger record is refused
_BOM = b"\xef\xbb\xbf"


@dataclass
class Tally:
    """What a file turned out to hold; complete once its last batch was read."""

    received: int = 0
    malformed: list[tuple[int, str]] = field(default_factory=list)  # (line, text)
    ignored: tuple[str, ...] = ()  # header words that no field of the contract claims


class _Counting:
    """A file whose newlines are counted as it is read, a few blocks ahead at most."""

    closed = False

    def __init__(self, path: Path, skip: int) -> None:
        self.room = threading.Semaphore(4)  # else pyarrow holds 32 blocks in memory
        self.file = path.open("rb", buffering=0)
        self.file.seek(skip)
        self.newlines, self.last = 0, b""

    def read(self, size: int = -1) -> bytes:
        self.room.acquire(timeout=1)
        data = self.file.read(size) or b""
        self.newlines += data.count(b"\n")
        self.last = data[-1:] or self.last
        return data

    @property
    def lines(self) -> int:
        return self.newlines + (self.last not in (b"\n", b""))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        self.file.close()
        self.closed = True


def read_records(path: Path, contract: Contract, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the well-formed records of a file as batches; fill `tally` on the way.

    A batch has `line` (int32, the physical line on which the record starts; the header is
    line 1) and a dictionary of raw bytes for each field that the contract keeps. Raise E101
    for a file that cannot be read, E102 for a header that lacks a column, E103 if records and
    lines do not add up.
    """
    header, skip = _header(path, contract)
    tally.ignored = header.ignored
    source = _Counting(path, skip)
    try:
        yield from _batches(source, header, tally, path.name)
    except pa.ArrowInvalid:
        raise ExamsError(
            "E101", f"{path.name}: a record cannot be read.", "Is a quote left open?"
        ) from None
    finally:
        source.close()


def _batches(
    source: _Counting, header: Header, tally: Tally, name: str
) -> Iterator[pa.RecordBatch]:
    def malformed(row: csv.InvalidRow) -> str:
        tally.malformed.append((row.number, row.text))
        return "skip"

    good = 0  # well-formed records so far
    long: list[tuple[int, int]] = []  # (place among them, newlines inside it)
    for batch in _open(source, header, malformed):
        order = np.arange(good, good + len(batch))
        breaks = _inner_newlines(batch)
        before = sum(count for _, count in long) + np.cumsum(breaks) - breaks
        line = order + 2 + before + _lines_before(tally.malformed, order)
        long += [(good + int(at), int(breaks[at])) for at in np.flatnonzero(breaks)]
        good += len(batch)
        source.room.release()
        kept = [batch.column(place) for place in header.places.values()]
        yield pa.record_batch([pa.array(line.astype(np.int32)), *kept], ["line", *header.places])
    tally.received = good + len(tally.malformed)
    inner = sum(count for _, count in long) + sum(t.count("\n") for _, t in tally.malformed)
    open_quote = any(text.count('"') % 2 for _, text in tally.malformed)
    if open_quote or source.lines != header.lines + tally.received + inner:
        what = f"{name}: the {source.lines:,} lines of the file cannot be told apart into records."
        raise ExamsError("E103", what, "Is a quote left open?")
    tally.malformed = _numbered(tally.malformed, long)


def _open(source: _Counting, header: Header, malformed: object) -> csv.CSVStreamingReader:
    names = [str(place) for place in range(header.width)]
    return csv.open_csv(
        pa.PythonFile(source, "r"),
        csv.ReadOptions(
            column_names=names, skip_rows=header.lines, block_size=BLOCK, use_threads=False
        ),
        csv.ParseOptions(
            newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=malformed
        ),
        csv.ConvertOptions(
            column_types={name: pa.dictionary(pa.int32(), pa.binary()) for name in names},
            strings_can_be_null=False,
            null_values=[],
        ),
    )


def _header(path: Path, contract: Contract) -> tuple[Header, int]:
    """Return the header of the file and the bytes of a byte order mark before it."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    skip = len(_BOM) if start.startswith(_BOM) else 0
    try:
        first = start[skip:].splitlines()[:1]
        text = first[0].decode("utf-8") if first else ""
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or "\0" in text:
        raise ExamsError(
            "E101", f"{path.name}: there is no header to read.", "Deliver CSV in UTF-8."
        )
    return match_header(next(plain_csv.reader([text])), contract, path.name), skip


def _inner_newlines(batch: pa.RecordBatch) -> np.ndarray:
    """Return, per record, the newlines inside its quoted values."""
    total = np.zeros(len(batch), np.int64)
    for column in batch.columns:
        words = column.dictionary.to_pylist()
        if any(b"\n" in word for word in words):
            counts = np.array([word.count(b"\n") for word in words])
            total += counts[column.indices.to_numpy()]
    return total


def _lines_before(malformed: list[tuple[int, str]], order: np.ndarray) -> np.ndarray:
    """Return the lines that malformed records take up before each good record in `order`.

    pyarrow numbers a malformed record among all records, the header being 1.
    """
    if not malformed:
        return np.zeros(len(order), np.int64)
    goods_before = [number - 2 - place for place, (number, _) in enumerate(malformed)]
    before = np.searchsorted(goods_before, order, side="right")
    breaks = np.cumsum([0] + [text.count("\n") for _, text in malformed])
    return before + breaks[before]


def _numbered(
    malformed: list[tuple[int, str]], long: list[tuple[int, int]]
) -> list[tuple[int, str]]:
    """Return malformed records with the line on which each starts, instead of its number."""
    numbered, inner = [], 0
    for place, (number, text) in enumerate(malformed):
        before = sum(count for at, count in long if at < number - 2 - place)
        numbered.append((number + before + inner, text))
        inner += text.count("\n")
    return numbered
