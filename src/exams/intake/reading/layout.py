"""How a delivered file is laid out, by the look of its start."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.reading import encoding, unpack
from exams.intake.reading.arrivals import opened
from exams.intake.reading.blocks import line_ends
from exams.intake.reading.header import Header, fields_in, match_header, required
from exams.intake.reading.kinds import kind_of, written_as

START = 1 << 20  # bytes that are looked at; a header has to end within them
LOOK = 50  # lines among which a header is looked for
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_KINDS = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
Row = tuple[int, list[str]]  # the line on which a record ends, and its values


@dataclass(frozen=True)
class Layout:
    """How to read a file: `kind` is csv, xlsx or parquet, `packed` gzip, zip or empty.

    `encoding` (a codec of Python) and `delimiter` are those of a CSV file, else empty.
    """

    kind: str
    header: Header
    packed: str = ""
    encoding: str = ""
    delimiter: str = ""

    @property
    def read_as(self) -> str:
        """The layout in words, such as "gzip, CSV, Windows-1252, semicolon"."""
        words = [self.packed, _KINDS[self.kind], encoding.TITLES.get(self.encoding, "")]
        return ", ".join(w for w in [*words, _SEPARATORS.get(self.delimiter, "")] if w)


def inspect(path: Path, name: str, contract: Contract, limit: int) -> Layout:
    """Return the layout of a file by its start alone; errors call the file `name`.

    `limit` is the largest size in bytes to which a packed file may unpack. Raise E106 for an
    empty file, E110 for one of another kind, E111 if there is no header, E112 if something
    stands above it, E102 and E122 if it does not fit the contract, E119 for a NUL in it, E107
    for an unknown encoding, and for archives and workbooks what `unpack`, `excel` and
    `parquet` raise.
    """
    with opened(path, name) as file:
        start = unpack.first_bytes(iter(lambda: file.read(START), b""), START)
        if not start:
            raise no_record(name)
        kind = kind_of(start)
        if kind == "parquet":
            from exams.intake.reading import parquet  # noqa: PLC0415

            words = parquet.read_words(file, name, limit)
            return Layout("parquet", match_header(words, contract, name))
        if kind == "zip":
            members = unpack.directory(file, name)
            parts = {member.filename for member in members}
            if "xl/workbook.xml" in parts:
                from exams.intake.reading import excel  # noqa: PLC0415

                rows = list(islice(excel.read_rows(file, members, name, limit), LOOK))
                return Layout("xlsx", _header({"": rows}, contract, name)[1])
            if parts & {"[Content_Types].xml", "mimetype"}:
                raise _other_kind(name, "an Office document, but no .xlsx workbook")
        packed = kind if kind in ("gzip", "zip") else ""
        if packed:
            unpacked = unpack.text_chunks(file, packed, name, limit, len)
            start = unpack.first_bytes(unpacked, START)
            kind = kind_of(start)
        if kind:
            raise _other_kind(name, f"{packed} with {kind}" if packed else kind)
    return _text_layout(start, packed, contract, name)


def no_record(name: str) -> ExamsError:
    """Return the error for a file without any record (E106)."""
    return ExamsError("E106", f"{name} holds no record.", "Deliver the whole file.")


def _text_layout(start: bytes, packed: str, contract: Contract, name: str) -> Layout:
    text, code = _decoded(start, name)
    if not text.strip():
        raise no_record(name)
    rows = {separator: list(_records(text, separator)) for separator in _SEPARATORS}
    separator, header = _header(rows, contract, name, text)
    if len(start) == START and line_ends(text.encode()) < header.lines:
        raise _no_header(name, "the header does not end within the first MiB")
    return Layout("csv", header, packed, code, separator)


def _decoded(start: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file's start, and its encoding."""
    found = encoding.encoding_of(start)
    if found not in encoding.TITLES:
        raise encoding.undecodable(name, 1, f"this is {found.upper()}, which is not read")
    decoded = encoding.Decoded([start], found, whole=len(start) < START)
    text = b""
    try:
        for chunk in decoded:
            text += chunk
    except encoding.UndecodableError as error:
        raise encoding.undecodable(name, 1 + line_ends(text), error) from None
    return text.decode(), decoded.encoding


def _header(
    rows: dict[str, list[Row]], contract: Contract, name: str, text: str = ""
) -> tuple[str, Header]:
    """Return the separator under which the first record is the header, and that header."""
    first = {separator: listed[0][1] for separator, listed in rows.items() if listed}
    if not first:
        raise no_record(name)
    if any("\0" in word for words in first.values() for word in words):
        what = f"{name} line 1: there are NUL bytes in the header."
        raise ExamsError("E119", what, "Is it a text file? Save it as CSV in UTF-8.")
    needed = required(contract)
    found = {separator: fields_in(words, contract) for separator, words in first.items()}
    best = max(found, key=lambda separator: (found[separator] >= needed, len(found[separator])))
    if not found[best] >= needed:
        _check_above(rows, contract, name, text)
        if kind := written_as(text):
            raise _other_kind(name, kind)
        if not found[best]:
            raise _no_header(name, "no word of the first line names a column of the contract")
    lines = rows[best][0][0]
    return best, match_header(first[best], contract, name, lines)


def _check_above(rows: dict[str, list[Row]], contract: Contract, name: str, text: str) -> None:
    """Raise E112 if the header comes later than in the first record."""
    needed = required(contract)
    for listed in rows.values():
        for (before, _), (line, words) in pairwise(listed):
            if fields_in(words, contract) >= needed:
                where = before + 1 if text else line
                what = f"{name}: the header seems to be in line {where}, not in the first."
                raise ExamsError("E112", what, "Remove the lines above it.")


def _other_kind(name: str, kind: str) -> ExamsError:
    remedy = "Deliver CSV, Excel (.xlsx) or Parquet."
    return ExamsError("E110", f"{name} is {kind}, whatever its name says.", remedy)


def _no_header(name: str, why: str) -> ExamsError:
    remedy = "Put the names of the columns first, with commas, semicolons, tabs or pipes between."
    return ExamsError("E111", f"{name} has no header: {why}.", remedy)


def _records(text: str, separator: str) -> Iterator[Row]:
    """Yield the first records of a text, each with the line on which it ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for words in islice(reader, LOOK):
            yield reader.line_num, words
    except csv.Error:  # a value beyond all bounds: no header to be found behind it
        return
