"""Records of delimited text, a block at a time: each with its line, none swallowed by a quote.

A block ends where a record ends, so each can be reconciled by itself: its physical lines are
its records and the line ends inside their quoted values, or the file is refused.
"""

import csv as plain_csv
import io
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyarrow import csv

from exams.errors import ExamsError
from exams.intake.arrays import of_numbers, to_numpy
from exams.intake.flow import side_by_side
from exams.intake.reading.blocks import (
    RECORD,
    NoRecordError,
    below,
    line_ends,
    records_in_blocks,
    smaller_blocks,
)
from exams.intake.reading.header import Header

KEPT = pa.dictionary(pa.int32(), pa.binary())
Malformed = list[tuple[int, str]]  # line and text of records with more or fewer columns


def read_delimited(
    chunks: Iterable[bytes], header: Header, delimiter: str, name: str, malformed: Malformed
) -> Iterator[pa.RecordBatch]:
    """Yield the records of UTF-8 text, header included, as batches: `line`, then the places.

    Records with another number of columns go to `malformed`. Raise E101 for what cannot be
    read, E103 if records and lines do not add up, E108 for a quote inside a value, E118 for a
    record of more than RECORD bytes.
    """
    for batch, bad in side_by_side(_blocks(chunks, header, delimiter, name)):
        malformed += bad
        yield batch


def _blocks(
    chunks: Iterable[bytes], header: Header, delimiter: str, name: str
) -> Iterator[Callable[[], tuple[pa.RecordBatch, Malformed]]]:
    """Yield, for each block of records, what reads it."""
    line = 1 + header.lines
    try:
        for data in records_in_blocks(below(chunks, header.lines), delimiter):
            whole = _Block(data, line, header, delimiter, name)
            for part in smaller_blocks(data, whole.lines, delimiter):
                block = whole if part is data else _Block(part, line, header, delimiter, name)
                line += block.lines
                yield block.read
    except NoRecordError as error:
        where = f"{name} line {line + error.below}"
        if error.code == "E118":
            raise overlong(name, line) from None
        if error.code == "E103":
            raise _unclear(where, "a quote never closes") from None
        remedy = "Double it, and put the value in quotes."
        raise ExamsError("E108", f"{where}: a quote stands inside a value.", remedy) from None


def overlong(name: str, line: int) -> ExamsError:
    """Return the error for a record of more than RECORD bytes (E118)."""
    what = f"{name} line {line}: the record has no end within {RECORD >> 20} MiB."
    return ExamsError("E118", what, "Is a quote left open?")


def _unclear(where: str, why: str) -> ExamsError:
    what = f"{where}: {why}; the lines cannot be told apart into records."
    return ExamsError("E103", what, "Is a quote left open?")


class _Block:
    """Whole records, the first of which starts on `line` of the file `name`."""

    def __init__(self, data: bytes, line: int, header: Header, delimiter: str, name: str) -> None:
        self.data, self.line, self.header = data, line, header
        self.delimiter, self.name = delimiter, name
        self.quoted = b'"' in data
        self.lines = line_ends(data) + (not data.endswith((b"\n", b"\r")))

    def read(self) -> tuple[pa.RecordBatch, Malformed]:
        """Return the well-formed records and the malformed ones."""
        table, bad = self._parsed(list(self.header.places.values()))
        total = len(table) + len(bad)
        if self.lines != total:  # there are line ends inside of values, wherever they are
            starts = self._starts_by_value(bad, total)
        else:
            starts = np.arange(self.line, self.line + total, dtype=np.int32)
        at = np.array([number - 1 for number, _ in bad], np.int64)
        line = np.delete(starts, at) if bad else starts
        columns = [_whole(column) for column in table.columns]
        batch = pa.record_batch([of_numbers(line), *columns], ["line", *self.header.places])
        return batch, [(int(starts[n - 1]), text) for n, text in bad]

    def _parsed(self, places: list[int]) -> tuple[pa.Table, Malformed]:
        """Return the columns at `places`, and number (from 1) and text of malformed records."""
        bad: Malformed = []

        def malformed(row: csv.InvalidRow) -> str:
            bad.append((row.number, row.text))
            return "skip"

        names = [str(place) for place in range(self.header.width)]
        kept = set(self.header.places.values())
        types = {str(place): KEPT if place in kept else pa.binary() for place in places}
        try:
            table = csv.read_csv(
                pa.BufferReader(self.data),
                csv.ReadOptions(
                    column_names=names, block_size=len(self.data) + 1, use_threads=False
                ),
                csv.ParseOptions(
                    delimiter=self.delimiter,
                    newlines_in_values=self.quoted,
                    ignore_empty_lines=False,
                    invalid_row_handler=malformed,
                ),
                csv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    strings_can_be_null=False,
                    null_values=[],
                ),
            )
        except pa.ArrowInvalid:
            what = f"{self.name}: a record in line {self.line} or below cannot be read."
            raise ExamsError("E101", what, "Is a quote left open?") from None
        return table, bad

    def _starts_by_value(self, bad: Malformed, total: int) -> np.ndarray:
        """Return on which line each record starts, by the line ends inside its values."""
        table, _ = self._parsed(list(range(self.header.width)))
        at = np.array([number - 1 for number, _ in bad], np.int64)
        good = np.delete(np.arange(total), at)
        heights = np.ones(total, np.int64)
        swallowed = [n - 1 for n, text in bad if self._swallows(text)]
        heights[at] += np.array([line_ends(text.encode()) for _, text in bad], np.int64)
        for column in table.columns:
            ends, holds = self._inside(_whole(column))
            heights[good] += ends
            swallowed += good[holds].tolist()
        starts = (self.line + np.cumsum(heights) - heights).astype(np.int32)
        if swallowed:
            where = f"{self.name} line {starts[min(swallowed)]}"
            raise _unclear(where, "a value in quotes holds whole records")
        if heights.sum() != self.lines:
            where = f"{self.name} line {self.line} or below"
            raise _unclear(where, "lines and records do not add up")
        return starts

    def _inside(self, values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Return, per value, the line ends inside of it, and whether it holds a record."""
        coded = pa.types.is_dictionary(values.type)
        words = values.dictionary if coded else values
        ends, holds = np.zeros(len(words), np.int64), np.zeros(len(words), bool)
        if line_ends(words.buffers()[2].to_pybytes() if words.buffers()[2] else b""):
            for at, word in enumerate(words.to_pylist()):
                ends[at] = line_ends(word)
                holds[at] = ends[at] and self._holds_record(word)
        codes = to_numpy(values.indices) if coded else slice(None)
        return ends[codes], holds[codes]

    def _swallows(self, text: str) -> bool:
        """Say whether a value of a malformed record holds a line that looks like a record."""
        records = plain_csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        return any(self._holds_record(v.encode()) for values in records for v in values)

    def _holds_record(self, value: bytes) -> bool:
        """Say whether a line inside of a value looks like a record: quotes have swallowed it."""
        least = max(self.header.width - 1, 1)
        mark = self.delimiter.encode()
        return value.count(mark) >= least and any(
            line.count(mark) >= least for line in value.splitlines()[1:]
        )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
