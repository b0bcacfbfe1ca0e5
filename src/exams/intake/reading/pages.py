"""What reading a Parquet file takes, told by its pages before pyarrow unpacks any of them.

What the footer says of sizes may be wrong. A page itself says to how many bytes it unpacks and
how many values it holds, and pyarrow takes that much memory. A page is a header in Thrift's
compact protocol, then its bytes: https://parquet.apache.org/docs/file-format

The footer is not asked through pyarrow, either: of some that are broken it ends the process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from exams.errors import ExamsError
from exams.intake.reading.thrift import fields_of
from exams.intake.reading.unpack import broken, too_large

ROWS = 50_000  # of a batch, at most
BATCH = 64 << 20  # bytes of its values
AT_ONCE = 256 << 20  # bytes of a page and the dictionary of each column, unpacked
MOST = 200_000  # pages
FOOTER = 3 << 20  # bytes; in memory a footer may take 230 times its size
_END = 8  # bytes behind the footer: its length, and PAR1
_HEADS = (4 << 10, 1 << 20)  # bytes within which the header of a page ends: mostly, always
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages
_ABOUT = {_DATA: 5, _DICTIONARY: 7, _DATA_2: 8}  # the field of a header that is about its kind
_CODED = {2, 8}  # encodings by codes of the dictionary
_UNBOUNDED = {6, 7}  # encodings by which a byte may stand for texts of any size
_ENTRY = 32  # bytes that an entry of a dictionary takes, however short
_CODE = 4


class Page(NamedTuple):
    """A page of a column; `size` is in bytes, unpacked."""

    kind: int
    size: int
    values: int
    encoding: int


@dataclass
class _Demand:
    """What a column takes: bytes of its largest page, dictionary and value."""

    as_codes: bool
    page: int = 0
    dictionary: int = 0
    value: float = _CODE

    def add(self, page: Page) -> None:
        if page.kind == _DICTIONARY:
            self.dictionary = max(self.dictionary, page.size + page.values * _ENTRY)
            return
        self.page = max(self.page, page.size)
        if page.encoding not in _CODED:
            self.value = max(self.value, page.size / max(page.values, 1))
        elif not self.as_codes:
            self.value = max(self.value, self.dictionary)  # which may have one large entry


def read_footer(file: BinaryIO, name: str) -> bytes:
    """Return the footer; raise E114 if there is none, E124 if it is too long."""
    size = file.seek(0, 2)
    file.seek(max(size - _END, 0))
    end = file.read(_END)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != b"PAR1" or length > size - _END - 4:
        raise broken(name, "a Parquet file")
    if length > FOOTER:
        raise _unusual(name, f"a footer of more than {FOOTER >> 20} MiB")
    file.seek(size - _END - length)
    return file.read(length)


def rows_at_once(file: BinaryIO, columns: Mapping[int, bool], name: str, limit: int) -> int:
    """Return how many rows can be read at a time in little memory.

    `columns`: the places of those that are read, and whether as codes and a dictionary. Raise
    E114 for a broken page, E115 if the pages unpack to more than `limit` bytes, a code for each
    value counted, E124 if no number of rows is small enough.
    """
    at_once = total = count = 0
    row: float = 0
    groups = _groups(read_footer(file, name), name)
    for place, as_codes in columns.items():
        column = _Demand(as_codes)
        for page in _pages(file, groups, place, name):
            column.add(page)
            count += 1
            total += max(page.size, page.values * _CODE)
            if total > limit:
                raise too_large(name, limit)
            if count > MOST:
                raise _unusual(name, f"more than {MOST:,} pages")
        at_once += column.page + column.dictionary
        row += column.value
    if at_once > AT_ONCE:
        raise _unusual(name, f"pages of more than {AT_ONCE >> 20} MiB to be unpacked at once")
    return max(1, min(ROWS, int(BATCH / max(row, 1))))


def _groups(footer: bytes, name: str) -> list[list[dict]]:
    """Return what the footer says of each column in each group of rows (ColumnMetaData)."""
    try:
        found, _ = fields_of(footer)
        return [[dict(chunk[3]) for chunk in group[1]] for group in found.get(4, [])]
    except (IndexError, KeyError, TypeError, ValueError):
        raise broken(name, "a Parquet file") from None


def _pages(file: BinaryIO, groups: list[list[dict]], place: int, name: str) -> Iterator[Page]:
    """Yield the pages of a column in all groups of rows, as pyarrow would come to them."""
    for chunks in groups:
        chunk = chunks[place] if place < len(chunks) else {}
        values, length, at, first = (_number(chunk, field) for field in (5, 7, 9, 11))
        at = first if 0 < first < at else at
        end = at + length
        while at < end and values > 0:
            page, at = _page(file, at, name)
            values -= 0 if page.kind == _DICTIONARY else page.values
            yield page


def _number(found: dict, field: int, missing: int = 0) -> int:
    number = found.get(field, missing)
    return number if isinstance(number, int) else -1


def _page(file: BinaryIO, at: int, name: str) -> tuple[Page, int]:
    """Return the page that starts at a place of the file, and where the next one does."""
    head, length = _head(file, at, name)
    kind, size, packed = (_number(head, place, -1) for place in (1, 2, 3))
    about = head.get(_ABOUT.get(kind, 0))
    about = about if isinstance(about, dict) else {}
    values, encoding = (_number(about, place) for place in (1, 4 if kind == _DATA_2 else 2))
    if min(kind, size, packed, values, encoding) < 0:
        raise broken(name, "a Parquet file")
    if encoding in _UNBOUNDED:
        raise _unusual(name, "texts in a delta encoding")
    return Page(kind, max(size, packed), values, encoding), at + length + packed


def _head(file: BinaryIO, at: int, name: str) -> tuple[dict, int]:
    """Return the header of a page, and its length in bytes."""
    for most in _HEADS:
        try:
            file.seek(at)
            return fields_of(file.read(most))
        except (IndexError, ValueError, OSError):  # cut off, or no header
            continue
    raise broken(name, "a Parquet file")


def _unusual(name: str, what: str) -> ExamsError:
    """Return the error for a file that takes too much memory for what it holds (E124)."""
    return ExamsError(
        "E124",
        f"{name} has {what}.",
        "Write it again with the usual settings (pandas, pyarrow), or deliver CSV.",
    )
