"""Blocks of delimited text: each starts and ends with a record, whatever quotes it holds."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

BLOCK = 8 << 20  # bytes that are read as one
RECORD = 8 << 20  # bytes that a record may have at most
LINES = 1 << 18  # of a block, more or less: millions of blank records would fill the memory

csv.field_size_limit(RECORD)  # else a value of 128 KiB is an error
_LINE_END = re.compile(rb"\r\n|\n|\r")


class NoRecordError(Exception):
    """The text cannot be told apart into records: `code` says why, `below` how far down."""

    def __init__(self, code: str, below: int = 0) -> None:
        self.code, self.below = code, below


def line_ends(data: bytes) -> int:
    """Return the number of line ends: LF, CR, and CRLF as one."""
    feeds = _count(data, b"\n")
    return feeds if b"\r" not in data else feeds + data.count(b"\r") - data.count(b"\r\n")


def _count(data: bytes, byte: bytes) -> int:
    if len(data) < 1 << 12:
        return data.count(byte)
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord(byte)))  # thrice as fast


def below(chunks: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """Yield a text in chunks of at least BLOCK bytes, without its first lines: the header."""
    gathered = _gathered(chunks)
    start, ends = b"", list[int]()
    for chunk in gathered:
        start += chunk
        ends = [found.end() for found in islice(_LINE_END.finditer(start), lines)]
        if len(ends) == lines and ends[-1] < len(start):  # behind a CR, an LF may follow
            break
    if len(ends) == lines and (rest := start[ends[-1] :]):
        yield rest
    yield from gathered


def records_in_blocks(chunks: Iterable[bytes], delimiter: str) -> Iterator[bytes]:
    """Yield whole records in blocks; raise NoRecordError where there is none."""
    held = b""
    for chunk in chunks:
        if len(held) > RECORD or (held and len(held) + _first_end(chunk) > RECORD):
            raise NoRecordError("E118")
        if b'"' in held or b'"' in chunk or not (end := chunk.rfind(b"\n") + 1):
            data = held + chunk
            end = _quoted_end(data, delimiter)
            block, held = data[:end], data[end:]
        else:
            block, held = b"".join([held, memoryview(chunk)[:end]]), chunk[end:]
        if block:
            yield block
    if len(held) > RECORD:
        raise NoRecordError("E118")
    if held:
        if b'"' in held and not _quotes_fit(held, delimiter):
            _read_end(held, delimiter, last=True)
        yield held


def smaller_blocks(data: bytes, lines: int, delimiter: str) -> Iterator[bytes]:
    """Yield a block of so many `lines` as blocks of about LINES of them; itself if it has less."""
    if lines <= LINES:
        return iter([data])
    return records_in_blocks(_pieces(data, len(data) * LINES // lines), delimiter)


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield pieces of at least `size` bytes that end with a line: no character is cut."""
    start = 0
    while start < len(data):
        found = _LINE_END.search(data, start + size)
        end = found.end() if found else len(data)
        yield data[start:end]
        start = end


def _quoted_end(data: bytes, delimiter: str) -> int:
    """Return where the last whole record of `data` ends, 0 if none does."""
    end = _last_end(data)
    fine = b'"' not in data or _quotes_fit(data[:end] if end else data, delimiter)
    return end if fine else _read_end(data, delimiter)


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


def _quotes_fit(text: bytes, delimiter: str) -> bool:
    """Say whether each quote opens or closes a value, or is doubled inside of one."""
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == ord('"'))
    if len(quotes) % 2:
        return False
    beside = np.zeros(256, bool)
    beside[[ord(c) for c in ('"', "\n", "\r", delimiter)]] = True
    # At either end of the text, `clip` takes the quote itself for its neighbour.
    before = data.take(quotes[0::2] - 1, mode="clip")
    behind = data.take(quotes[1::2] + 1, mode="clip")
    return bool(beside[before].all() and beside[behind].all())


def _read_end(data: bytes, delimiter: str, last: bool = False) -> int:
    """Return where the last whole record ends, slowly, and whatever quotes there are.

    Quotes inside of a value without quotes are part of it: they pass. Raise NoRecordError
    (E108) if a value goes on behind its closing quote, (E103) if the `last` one never closes.
    """
    end = done = at = 0

    def lines() -> Iterator[str]:
        nonlocal at
        for line in io.StringIO(data.decode(), newline=""):
            at += len(line.encode())
            yield line

    records = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        for _ in records:
            if at < len(data) or data.endswith(b"\n"):  # behind a CR, an LF may follow
                end, done = at, records.line_num
    except csv.Error as error:
        if "expected after" in str(error):
            raise NoRecordError("E108", records.line_num - 1) from None
        if last:
            raise NoRecordError("E103", done) from None
    return end
