"""Records of the first sheet of an Excel workbook (.xlsx), as a CSV file would hold them.

The sheet is read as a stream, so that memory does not depend on its size, and an error value
(#N/A) stays what it is.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import getsizeof
from typing import BinaryIO
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from exams.intake.arrays import encoded, of_numbers
from exams.intake.reading import unpack
from exams.intake.reading.blocks import BLOCK, RECORD
from exams.intake.reading.delimited import Malformed, overlong
from exams.intake.reading.formats import showing
from exams.intake.reading.header import Header
from exams.intake.reading.values import text_of

ROWS = 50_000  # of a batch, at most
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_STRINGS, _STYLES = "xl/sharedStrings.xml", "xl/styles.xml"
_SMALL = 4 << 20  # bytes of the parts that only list something
_LAST_ROW, _COLUMNS = 1 << 20, 16_384  # of a sheet, at most
_DECIMAL = re.compile("[-+.0-9Ee]+")  # float() takes 1_0 and digits of other scripts, too
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how a workbook writes control characters
_KIND = "an Excel workbook"
_STRINGS_LIMIT = 512 << 20  # bytes of texts that are held in memory
_PLACE = 8  # bytes that a cell takes in a list, however empty: a row may have thousands
_BITE = 16 << 10  # bytes of a part at a time: a few may be a row as wide as a sheet
SheetRow = tuple[int, list[str]]  # its number in the sheet, and its cells up to the last value


def read_rows(
    file: BinaryIO, members: Iterable[zipfile.ZipInfo], name: str, limit: int
) -> Iterator[SheetRow]:
    """Yield the rows of the first sheet that hold any value.

    Raise E114 if the workbook is broken, E115 if it unpacks to more than `limit` bytes, E117
    for a password, E118 for a row of more than RECORD bytes.
    """
    book = _Book(file, {member.filename: member for member in members}, name, limit)
    try:
        yield from book.rows()
    except (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError):
        raise unpack.broken(name, _KIND) from None


def read_excel(
    rows: Iterable[SheetRow], header: Header, malformed: Malformed
) -> Iterator[pa.RecordBatch]:
    """Yield the records below the header as batches: `line` (row of the sheet), the places.

    Rows with more columns than the header go to `malformed`.
    """
    lines: list[int] = []
    records: list[list[str]] = []
    size = 0
    for line, cells in rows:
        if line <= header.lines:
            continue
        if len(cells) > header.width:
            malformed.append((line, ",".join(cells)))
            size += len(malformed[-1][1])
        else:
            lines.append(line)
            records.append(cells + [""] * (header.width - len(cells)))
            size += sum(map(len, cells)) + _PLACE * header.width
        if len(lines) == ROWS or size > BLOCK:
            yield _batch(lines, records, header)
            lines, records, size = [], [], 0
    yield _batch(lines, records, header)


def _batch(lines: list[int], records: list[list[str]], header: Header) -> pa.RecordBatch:
    columns = [encoded(r[place].encode() for r in records) for place in header.places.values()]
    return pa.record_batch(
        [of_numbers(np.array(lines, np.int32)), *columns], ["line", *header.places]
    )


@dataclass
class _Book:
    """An open workbook and its parts."""

    file: BinaryIO
    members: dict[str, zipfile.ZipInfo]
    name: str
    limit: int

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows of the first sheet."""
        shared = _Cells([], self.name)
        if _STRINGS in self.members:
            for _ in self._parsed(_STRINGS, shared):
                pass
        cells = _Cells(shared.strings, self.name, self._formats())
        for _ in self._parsed(self._first_sheet(), cells):
            yield from cells.rows
            cells.rows.clear()

    def _parsed(self, part: str, cells: "_Cells") -> Iterator[None]:
        """Show the elements of a part to `cells`; yield after each chunk."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = cells.start
        parser.EndElementHandler = cells.end
        parser.CharacterDataHandler = cells.data
        parser.StartDoctypeDeclHandler = _refuse  # entities can grow without bounds
        for chunk in self._chunks(part, self.limit):
            for start in range(0, len(chunk), _BITE):
                bite = chunk[start : start + _BITE]
                parser.Parse(bite, False)
                cells.check(len(bite))
                yield
        parser.Parse(b"", True)

    def _first_sheet(self) -> str:
        """Return the part that holds the first sheet of cells (the first may be a chart)."""
        links = {
            link.get("Id"): posixpath.normpath(posixpath.join("/xl", link.get("Target", "")))[1:]
            for link in self._tree(_LINKS)
            if link.get("Type", "").endswith("/worksheet")
        }
        sheets = [e for e in self._tree(_BOOK).iter() if e.tag.rpartition("}")[2] == "sheet"]
        ids = [value for e in sheets for key, value in e.items() if key.endswith("}id")]
        return next(links[i] for i in ids if i in links)

    def _formats(self) -> dict[str, str]:
        return showing(self._tree(_STYLES)) if _STYLES in self.members else {}

    def _tree(self, part: str) -> ElementTree.Element:
        return ElementTree.fromstring(b"".join(self._chunks(part, min(self.limit, _SMALL))))

    def _chunks(self, part: str, limit: int) -> Iterator[bytes]:
        return unpack.unzipped(self.file, self.members[part], self.name, limit)


class _Cells:
    """Gathers the texts and the rows of a part of a workbook from its elements."""

    def __init__(
        self, strings: list[str], name: str, formats: Mapping[str, str] | None = None
    ) -> None:
        self.strings, self.name, self.formats = strings, name, formats or {}
        self.rows: list[SheetRow] = []
        self.cells: list[str] = []
        self.number = self.column = self.next = self.size = self.waited = 0
        self.kind = self.style = ""
        self.text: list[str] = []
        self.reading = self.spoken = self.over = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of an element that opens."""
        tag = _local(tag)
        if tag in ("v", "t"):
            self.reading = not self.spoken
        elif tag == "c":
            self.text = []
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.column = _column(attributes["r"]) if "r" in attributes else self.next
            self.next = self.column + 1
        elif tag == "row":
            self.cells, self.next = [], 0
            number = int(attributes.get("r", self.number + 1))
            if not self.number < number <= _LAST_ROW:
                raise ValueError("rows out of order, or beyond a sheet")
            self.number = number
        elif tag == "si":
            self.text = []
        elif tag == "rPh":  # how a word is spoken
            self.spoken = True

    def data(self, text: str) -> None:
        """Take note of text."""
        if self.reading:
            self.text.append(text)

    def end(self, tag: str) -> None:
        """Take note of an element that closes."""
        tag = _local(tag)
        if tag in ("v", "t"):
            self.reading = False
        elif tag == "c":
            self._end_cell("".join(self.text))
        elif tag == "row":
            self.waited = 0
            if self.cells:
                self.rows.append((self.number, self.cells))
        elif tag == "si":
            self.strings.append(_unescaped("".join(self.text)))
            self.size += getsizeof(self.strings[-1]) + _PLACE
            self.waited = 0
        elif tag == "rPh":
            self.spoken = False
        elif tag == "sheetData":
            self.over = True

    def check(self, size: int) -> None:
        """Count `size` more bytes; raise E118 where no row ends, E115 for too many texts."""
        self.waited += size
        if self.waited > RECORD and not self.over:
            raise overlong(self.name, self.number)
        if self.size > _STRINGS_LIMIT:
            raise unpack.too_large(self.name, _STRINGS_LIMIT)

    def _end_cell(self, text: str) -> None:
        if not text:
            return
        if self.column < len(self.cells):
            raise ValueError("cells out of order")
        if self.kind == "s":
            text = self.strings[_place_of(text)]
        elif self.kind == "n":
            text = _number(text)
            if shown := self.formats.get(self.style):
                text = f"{text} as {shown}"  # a percentage, a date: not the plain number
        elif self.kind == "b":
            text = text_of(text == "1").decode()
        elif self.kind in ("str", "inlineStr"):
            text = _unescaped(text)
        if gap := self.column - len(self.cells):
            self.cells += [""] * gap
        self.cells.append(text)


def _column(reference: str) -> int:
    """Return the place of a cell such as B7 in its row, from 0."""
    return _place(reference.rstrip("0123456789"))


@lru_cache(_COLUMNS)
def _place(letters: str) -> int:
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise ValueError("no such cell")
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    if place > _COLUMNS:
        raise ValueError("no such column")
    return place - 1


@lru_cache(1000)
def _local(tag: str) -> str:
    """Return the name of an element without the prefix of its namespace."""
    return tag.rpartition(":")[2]


@lru_cache(10_000)
def _number(text: str) -> str:
    return text_of(float(text)).decode() if _DECIMAL.fullmatch(text) else text


def _place_of(text: str) -> int:
    place = int(text)
    if place < 0:  # Python would count from the end
        raise ValueError("no such text")
    return place


def _unescaped(text: str) -> str:
    """Return a text without escapes; as it is if they are half a character of UTF-16."""
    if "_x" not in text:
        return text
    units = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    try:
        return units.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text


def _refuse(*_: object) -> None:
    raise ValueError("a workbook declares no document type")
