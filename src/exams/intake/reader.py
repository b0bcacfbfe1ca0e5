"""Reads a delivered CSV file: every physical record, with its line, as bytes.

Nothing is interpreted and nothing is lost: the records are reconciled with the lines of the
file, so that a quote left open cannot swallow any.
"""

import codecs
import csv as plain_csv
import hashlib
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
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

    sha256: str = ""
    received: int = 0
    malformed: list[tuple[int, str]] = field(default_factory=list)  # (line, text)
    ignored: tuple[str, ...] = ()  # header words that no field of the contract claims


class _Watched:
    """A file that is looked at while it is read: hash, lines, quotes, and that it is UTF-8."""

    closed = False

    def __init__(self, path: Path, skip: int) -> None:
        self.room = threading.Semaphore(4)  # else pyarrow holds 32 blocks in memory
        self.name = path.name
        self.file = path.open("rb", buffering=0)
        self.hash = hashlib.sha256(self.file.read(skip))
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.ends = self.quotes = self.loose = 0
        self.last = b"\n"

    def read(self, size: int = -1) -> bytes:
        # A batch makes room for a block, but a block may end in no batch: do not wait for ever.
        self.room.acquire(timeout=1)
        data = self.file.read(size) or b""
        self.hash.update(data)
        try:
            self.decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            line = self.ends + line_ends(data[: error.start]) + 1
            raise ExamsError(
                "E107", f"{self.name} line {line}: this is not UTF-8.", "Save it as CSV in UTF-8."
            ) from None
        seen = self.last + data
        self.ends += line_ends(seen) - line_ends(self.last)
        self.quotes += data.count(b'"')
        self.loose += loose_quotes(seen) - loose_quotes(self.last)
        self.last = data[-1:] or self.last
        return data

    @property
    def lines(self) -> int:
        """Lines read so far; the first line end stands before the file."""
        return self.ends + (self.last not in (b"\n", b"\r"))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        self.file.close()
        self.closed = True


def line_ends(data: bytes) -> int:
    """Return the number of line ends: LF, CR, and CRLF as one."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def loose_quotes(data: bytes) -> int:
    """Return by how much the quotes outnumber those beside a comma or a line end.

    0 where each quote opens or closes a value; quotes doubled inside a value count, too.
    """
    beside = (b',"', b'",', b'\n"', b'"\n', b'\r"', b'"\r')
    return data.count(b'"') - sum(data.count(pair) for pair in beside)


def read_records(path: Path, contract: Contract, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the well-formed records of a file as batches; fill `tally` on the way.

    A batch has `line` (int32, the physical line on which the record starts; the header is
    line 1) and a dictionary of raw bytes for each field that the contract keeps. Raise E101
    for a file that cannot be read, E102 for a header that lacks a column, E103 if records and
    lines do not add up, E107 for other bytes than UTF-8, E108 for a quote inside a value.
    """
    header, skip, rest = _header(path, contract)
    tally.ignored = header.ignored
    source = _Watched(path, skip)
    try:
        if rest:
            yield from _batches(source, header, tally, path.name)
        else:
            source.read()  # pyarrow takes a header alone for an error
    except pa.ArrowInvalid:
        raise ExamsError(
            "E101", f"{path.name}: a record cannot be read.", "Is a quote left open?"
        ) from None
    finally:
        source.close()
    if source.loose:
        _check_quotes(path)
    tally.sha256 = source.hash.hexdigest()


def _batches(source: _Watched, header: Header, tally: Tally, name: str) -> Iterator[pa.RecordBatch]:
    def malformed(row: csv.InvalidRow) -> str:
        tally.malformed.append((row.number, row.text))
        return "skip"

    good = inner = 0  # well-formed records, and newlines inside them, so far
    long: list[tuple[int, int]] = []  # (place among them, newlines inside it)
    for batch in _open(source, header, malformed):
        order = np.arange(good, good + len(batch))
        breaks = _inner_newlines(batch, header.width, name)
        before = inner + np.cumsum(breaks) - breaks
        line = order + 2 + before + _lines_before(tally.malformed, order)
        long += [(good + int(at), int(breaks[at])) for at in np.flatnonzero(breaks)]
        good, inner = good + len(batch), inner + int(breaks.sum())
        source.room.release()
        kept = [batch.column(place) for place in header.places.values()]
        yield pa.record_batch([pa.array(line.astype(np.int32)), *kept], ["line", *header.places])
    tally.received = good + len(tally.malformed)
    _check_swallowed((text.encode() for _, text in tally.malformed), header.width, name)
    inner += sum(_ends(text) for _, text in tally.malformed)
    if source.quotes % 2 or source.lines != header.lines + tally.received + inner:
        what = f"{name}: the {source.lines:,} lines of the file cannot be told apart into records."
        raise ExamsError("E103", what, "Is a quote left open?")
    tally.malformed = _numbered(tally.malformed, long)


def _open(source: _Watched, header: Header, malformed: object) -> csv.CSVStreamingReader:
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


def _header(path: Path, contract: Contract) -> tuple[Header, int, bool]:
    """Return the header, the bytes of a byte order mark before it, and whether more follows."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    skip = len(_BOM) if start.startswith(_BOM) else 0
    lines = start[skip:].splitlines()
    try:
        text = lines[0].decode("utf-8") if lines else ""
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or "\0" in text:
        raise ExamsError(
            "E101", f"{path.name}: there is no header to read.", "Deliver CSV in UTF-8."
        )
    words = next(plain_csv.reader([text]))
    return match_header(words, contract, path.name), skip, len(lines) > 1


def _check_quotes(path: Path) -> None:
    """Raise E108 if a value goes on behind its closing quote: pyarrow would drop the quotes."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = plain_csv.reader(file, strict=True)
        try:
            for _ in records:
                pass
        except plain_csv.Error:
            raise ExamsError(
                "E108",
                f"{path.name} line {records.line_num}: a quote stands inside a value.",
                "Double it, and put the value in quotes.",
            ) from None


def _inner_newlines(batch: pa.RecordBatch, width: int, name: str) -> np.ndarray:
    """Return, per record, the newlines inside its quoted values."""
    total = np.zeros(len(batch), np.int64)
    for column in batch.columns:
        words = column.dictionary.to_pylist()
        counts = [line_ends(word) for word in words]
        if any(counts):
            _check_swallowed(words, width, name)
            total += np.array(counts)[column.indices.to_numpy()]
    return total


def _check_swallowed(words: Iterable[bytes], width: int, name: str) -> None:
    """Raise E103 if a value holds a line that looks like a record: quotes have swallowed it."""
    commas = max(width - 1, 1)
    if any(line.count(b",") >= commas for word in words for line in word.splitlines()[1:]):
        raise ExamsError(
            "E103", f"{name}: a value in quotes holds whole records.", "Is a quote left open?"
        )


def _lines_before(malformed: list[tuple[int, str]], order: np.ndarray) -> np.ndarray:
    """Return the lines that malformed records take up before each good record in `order`.

    pyarrow numbers a malformed record among all records, the header being 1.
    """
    if not malformed:
        return np.zeros(len(order), np.int64)
    goods_before = [number - 2 - place for place, (number, _) in enumerate(malformed)]
    before = np.searchsorted(goods_before, order, side="right")
    breaks = np.cumsum([0] + [_ends(text) for _, text in malformed])
    return before + breaks[before]


def _numbered(
    malformed: list[tuple[int, str]], long: list[tuple[int, int]]
) -> list[tuple[int, str]]:
    """Return malformed records with the line on which each starts, instead of its number."""
    places = [place for place, _ in long]
    breaks = np.cumsum([0, *(count for _, count in long)])
    numbered, inner = [], 0
    for place, (number, text) in enumerate(malformed):
        before = int(breaks[bisect_left(places, number - 2 - place)])
        numbered.append((number + before + inner, text))
        inner += _ends(text)
    return numbered


def _ends(text: str) -> int:
    return line_ends(text.encode())
