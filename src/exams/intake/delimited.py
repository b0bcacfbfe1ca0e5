"""Records of delimited text, a block at a time: each with its line, none swallowed by a quote.

A block ends where a record ends, so each can be reconciled by itself: its physical lines are
its records and the line ends inside their quoted values, or the file is refused.
"""

import csv as plain_csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pyarrow as pa
from pyarrow import csv

from exams.errors import ExamsError
from exams.intake.arrays import of_numbers, to_numpy
from exams.intake.header import Header

BLOCK = 4 << 20  # bytes that are read as one
RECORD = 8 << 20  # bytes that a record may have at most
KEPT = pa.dictionary(pa.int32(), pa.binary())
Malformed = list[tuple[int, str]]  # line and text of records with more or fewer columns

plain_csv.field_size_limit(RECORD)  # else a value of 128 KiB is an error
_LINE_END = re.compile(rb"\r\n|\n|\r")


class _OverlongError(Exception):
    """A record does not end."""


def line_ends(data: bytes) -> int:
    """Return the number of line ends: LF, CR, and CRLF as one."""
    if b"\r" not in data:
        return data.count(b"\n")
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def read_delimited(
    chunks: Iterable[bytes], header: Header, delimiter: str, name: str, malformed: Malformed
) -> Iterator[pa.RecordBatch]:
    """Yield the records of UTF-8 text, header included, as batches: `line`, then the places.

    Records with another number of columns go to `malformed`. Raise E101 for what cannot be
    read, E103 if records and lines do not add up, E108 for a quote inside a value, E118 for a
    record of more than RECORD bytes.
    """
    line = 1 + header.lines
    try:
        for block in _blocks(chunks, header.lines):
            batch, bad, lines = _Block(block, line, header, delimiter, name).read()
            malformed += bad
            line += lines
            yield batch
    except _OverlongError:
        raise overlong(name, line) from None


def overlong(name: str, line: int) -> ExamsError:
    """Return the error for a record of more than RECORD bytes (E118)."""
    what = f"{name} line {line}: the record has no end within {RECORD >> 20} MiB."
    return ExamsError("E118", what, "Is a quote left open?")


def _blocks(chunks: Iterable[bytes], skip: int) -> Iterator[bytes]:
    """Yield whole records in blocks, without the first `skip` lines."""
    held = b""
    for chunk in _gathered(chunks):
        data = held + chunk if held else chunk
        end = _last_end(data)
        if len(held) > RECORD or (held and len(held) + _first_end(chunk) > RECORD):
            raise _OverlongError
        held = data[end:]
        if end:
            block = data[_behind(data, skip) : end]
            skip = 0
            if block:
                yield block
    if len(held) > RECORD:
        raise _OverlongError
    if held := held[_behind(held, skip) :]:
        yield held


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield chunks of at least BLOCK bytes, but for the last."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= BLOCK:
            yield b"".join(parts) if len(parts) > 1 else chunk
            parts, size = [], 0
    if size:
        yield b"".join(parts)


def _last_end(data: bytes) -> int:
    """Return where the last whole record of `data` ends, 0 if none does.

    That is behind a line end with as many quotes before it as close.
    """
    odd = data.count(b'"') % 2
    for mark, stop in ((b"\n", len(data)), (b"\r", len(data) - 1)):  # CR: an LF may follow
        inside, end = odd, len(data)
        while (at := data.rfind(mark, 0, stop)) >= 0:
            inside ^= data.count(b'"', at, end) % 2
            if not inside:
                return at + 1
            stop = end = at  # noqa: PLW2901
    return 0


def _first_end(data: bytes) -> int:
    found = _LINE_END.search(data)
    return found.end() if found else len(data)


def _behind(data: bytes, lines: int) -> int:
    """Return where the first `lines` lines of `data` end."""
    ends = [found.end() for found in islice(_LINE_END.finditer(data), lines)]
    return 0 if not lines else ends[-1] if len(ends) == lines else len(data)


class _Block:
    """Whole records, the first of which starts on `line` of the file `name`."""

    def __init__(self, data: bytes, line: int, header: Header, delimiter: str, name: str) -> None:
        self.data, self.line, self.header = data, line, header
        self.delimiter, self.name = delimiter, name
        self.quoted = b'"' in data

    def read(self) -> tuple[pa.RecordBatch, Malformed, int]:
        """Return the well-formed records, the malformed ones, and the number of lines."""
        if self.quoted and not self._quotes_fit():
            self._check_quotes()
        table, bad = self._parsed(list(self.header.places.values()))
        total = len(table) + len(bad)
        lines = line_ends(self.data) + (not self.data.endswith((b"\n", b"\r")))
        if lines != total:  # there are line ends inside of values, wherever they are
            starts = self._starts_by_value(bad, total, lines)
        else:
            starts = np.arange(self.line, self.line + total, dtype=np.int32)
        at = np.array([number - 1 for number, _ in bad], np.int64)
        line = np.delete(starts, at) if bad else starts
        columns = [_whole(column) for column in table.columns]
        batch = pa.record_batch([of_numbers(line), *columns], ["line", *self.header.places])
        return batch, [(int(starts[n - 1]), text) for n, text in bad], lines

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

    def _starts_by_value(self, bad: Malformed, total: int, lines: int) -> np.ndarray:
        """Return on which line each record starts, by the line ends inside its values."""
        table, _ = self._parsed(list(range(self.header.width)))
        at = np.array([number - 1 for number, _ in bad], np.int64)
        good = np.delete(np.arange(total), at)
        heights = np.ones(total, np.int64)
        swallowed = [n - 1 for n, text in bad if self._holds_record(text.encode())]
        heights[at] += np.array([line_ends(text.encode()) for _, text in bad], np.int64)
        for column in table.columns:
            ends, holds = self._inside(_whole(column))
            heights[good] += ends
            swallowed += good[holds].tolist()
        starts = (self.line + np.cumsum(heights) - heights).astype(np.int32)
        if swallowed:
            raise self._unclear(
                int(starts[min(swallowed)]), "a value in quotes holds whole records"
            )
        if heights.sum() != lines:
            raise self._unclear(self.line, "from here on lines and records do not add up")
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

    def _holds_record(self, value: bytes) -> bool:
        """Say whether a line inside of a value looks like a record: quotes have swallowed it."""
        least = max(self.header.width - 1, 1)
        mark = self.delimiter.encode()
        return value.count(mark) >= least and any(
            line.count(mark) >= least for line in value.splitlines()[1:]
        )

    def _quotes_fit(self) -> bool:
        """Say whether each quote opens or closes a value, or is doubled inside of one."""
        data = np.frombuffer(self.data, np.uint8)
        quotes = np.flatnonzero(data == ord('"'))
        if len(quotes) % 2:
            return False
        beside = np.zeros(256, bool)
        beside[[ord(c) for c in ('"', "\n", "\r", self.delimiter)]] = True
        # At either end of the block, `clip` takes the quote itself for its neighbour.
        before = data.take(quotes[0::2] - 1, mode="clip")
        behind = data.take(quotes[1::2] + 1, mode="clip")
        return bool(beside[before].all() and beside[behind].all())

    def _check_quotes(self) -> None:
        """Raise E108 if a value goes on behind its closing quote, E103 if one never closes.

        Quotes inside of a value without quotes are part of it: they pass.
        """
        text = io.StringIO(self.data.decode(), newline="")
        records = plain_csv.reader(text, delimiter=self.delimiter, strict=True)
        before = 0
        try:
            for _ in records:
                before = records.line_num
        except plain_csv.Error as error:
            if "end of data" in str(error):
                raise self._unclear(self.line + before, "a quote never closes") from None
            what = f"{self.name} line {self.line + records.line_num - 1}: a quote stands inside"
            remedy = "Double it, and put the value in quotes."
            raise ExamsError("E108", f"{what} a value.", remedy) from None

    def _unclear(self, line: int, why: str) -> ExamsError:
        what = f"{self.name} line {line}: {why}; the lines cannot be told apart into records."
        return ExamsError("E103", what, "Is a quote left open?")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
