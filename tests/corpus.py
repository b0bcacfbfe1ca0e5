"""One delivered file of each kind that intake has to read right, or to refuse in words.

`CORPUS` maps what is special about a file to a case. All cases are deliveries under CONTRACT;
each that is right holds RECORDS or the number of records that it says.
"""

import gzip
import io
import json
import os
import socket
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from given import SMALL

LIMIT = 8 << 20  # bytes to which a packed file may unpack

# The small exam, with a letter beyond ASCII among its levels.
_TRACK, *_SCORES = SMALL["fields"]
CONTRACT = {
    **SMALL,
    "fields": [
        {
            **_TRACK,
            "aliases": ["branch"],
            "constraints": {"required": True, "enum": ["north", "süd", "<b>"]},
        },
        *_SCORES,
    ],
}
RECORDS = [("north", 3, 4.5), ("süd", 10, None), ("north", 0, 6.0)]
TEXT = "track,points,mark\nnorth,3,4.5\nsüd,10,\nnorth,0,6.0\n"


@dataclass(frozen=True)
class Case:
    """A file and what becomes of it: `loads` records, `quarantined` lines, or `refused` (code).

    Of a refused file the message `says` something. `malformed` are those of the quarantined
    lines that have more or fewer columns than the header.
    """

    content: Callable[[], bytes]
    loads: int = 0
    quarantined: tuple[int, ...] = ()
    malformed: tuple[int, ...] = ()
    refused: str = ""
    says: str = ""
    file: str = "results.csv"
    read_as: str = "CSV, UTF-8, comma"

    def write(self, folder: Path) -> Path:
        """Write the file into `folder` and return its path."""
        path = folder / self.file
        path.write_bytes(self.content())
        return path


def right(content: str | bytes | Callable[[], bytes], read_as: str, **more) -> Case:
    """Return the case of a file that holds RECORDS, all of them right."""
    return Case(_maker(content), **{"loads": len(RECORDS), "read_as": read_as, **more})


def refused(content: str | bytes | Callable[[], bytes], code: str, says: str, **more) -> Case:
    """Return the case of a file that is refused."""
    return Case(_maker(content), refused=code, says=says, **more)


def held(content: str | bytes, loads: int, *quarantined: int, malformed=()) -> Case:
    """Return the case of a file with records for the quarantine."""
    return Case(_maker(content), loads, quarantined, tuple(malformed))


def _maker(content: str | bytes | Callable[[], bytes]) -> Callable[[], bytes]:
    if callable(content):
        return content
    return lambda: content.encode() if isinstance(content, str) else content


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive of `files`."""
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return made.getvalue()


def workbook(rows: str, **more: bytes) -> bytes:
    """Return an .xlsx file with `rows` (XML) in its first sheet, and with other parts."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>'
        '<sheet name="Results" sheetId="7" r:id="rId2"/>'
        '<sheet name="Other" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": "<Relationships>"
        f'<Relationship Id="rId1" Type="{_LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_LINKS}/worksheet" Target="/xl/worksheets/sheet2.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": "<worksheet><sheetData/></worksheet>",
        "xl/worksheets/sheet2.xml": f'<x:worksheet xmlns:x="{_MAIN}"><x:sheetData>'
        f"{rows}</x:sheetData></x:worksheet>",
        "xl/sharedStrings.xml": f"<sst>{''.join(f'<si>{text}</si>' for text in STRINGS)}</sst>",
    }
    return zipped({name: text.encode() for name, text in parts.items()} | more)


def row(number: int | str, *cells: str) -> str:
    """Return a row of a sheet; `number` may be empty."""
    return f'<row r="{number}">{"".join(cells)}</row>' if number else f"<row>{''.join(cells)}</row>"


def text(value: str) -> str:
    """Return a cell with its text in it."""
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRINGS = (
    "<t>track</t>",
    "<r><t>poi</t></r><r><t>nts</t></r><rPh><t>spoken</t></rPh>",
    "<t>mark</t>",
    "<t>north</t>",
)
HEADER = '<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c>'
SHEET = (  # an empty row is no record; a row or a cell may come without its place
    row(1, HEADER)
    + row(2, '<c r="A2" t="s"><v>3</v></c><c r="B2"><v>3</v></c><c r="C2"><v>4.5</v></c>')
    + row(3, '<c r="A3" s="1"/>')
    + row(5, text("s&#252;d"), "<c><f>5+5</f><v>10.0</v></c>", '<c r="C5" s="2"/>')
    + row(
        "", '<c r="A6" t="str"><v>north</v></c>', "<c><v>0</v></c><c><v>6.0000000000000000</v></c>"
    )
)


def table(**more: pa.Array) -> bytes:
    """Return a Parquet file with RECORDS, and with more columns."""
    tracks, points, marks = zip(*RECORDS, strict=True)
    columns = {
        "branch": pa.array(tracks).dictionary_encode(),
        "points": pa.array(points, pa.float64()),
        "mark": pa.array(marks, pa.float32()),
    }
    with io.BytesIO() as made:
        pq.write_table(pa.table(columns | more), made)
        return made.getvalue()


def many_alike(rows: int) -> bytes:
    """Return a Parquet file that is small because all its rows are alike."""
    codes = pa.repeat(pa.scalar(0, pa.int8()), rows)
    with io.BytesIO() as made:
        column = pa.DictionaryArray.from_arrays(codes, pa.array(["north"]))
        pq.write_table(pa.table({"track": column}), made)
        return made.getvalue()


def database() -> bytes:
    """Return an SQLite database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1")
        return connection.serialize()


def crowded_zip() -> bytes:
    """Return a zip archive whose list of files is longer than any that is meant."""
    names = {f"{number:05}{'x' * 200}.csv": b"" for number in range(5_000)}
    return zipped(names, zipfile.ZIP_STORED)


def lying_zip() -> bytes:
    """Return a zip archive that names a smaller size than its file has, with checksum."""
    whole = bytearray(zipped({"a.csv": (TEXT * 2).encode()}))
    at = whole.rindex(b"PK\x01\x02")
    part = TEXT.encode()
    struct.pack_into("<L", whole, at + 16, zipfile.crc32(part))
    struct.pack_into("<L", whole, at + 24, len(part))
    return bytes(whole)


def wide(records: int = 3, columns: int = 10_000) -> bytes:
    """Return a file with thousands of columns, and RECORDS in three of them."""
    more = ",".join(f"extra {number}" for number in range(columns - 3))
    rows = [line + "," + "x," * (columns - 4) + "x" for line in TEXT.splitlines()[1:]]
    return "\n".join([f"track,points,mark,{more}", *rows]).encode()


def with_values(value: bytes, column: str = "track") -> bytes:
    """Return a file with one value in its last record, on line 3."""
    cells = {"track": b"north", "points": b"1", "mark": b""} | {column: value}
    return b"track,points,mark\nnorth,3,4.5\n" + b",".join(cells.values()) + b"\n"


_LONG = b"north,1,2.5," + b"x" * 999 + b"\n"
LATE = b"track,points,mark,note\n" + _LONG * 1200 + "süd,1,2.5,\n".encode("cp1252")
PACKED = gzip.compress(TEXT.encode())
BOMB = b"track,points,mark,note\n" + _LONG * (LIMIT // 1000)

RIGHT = {
    "UTF-8": right(TEXT, "CSV, UTF-8, comma"),
    "UTF-8 with a byte order mark": right("\ufeff" + TEXT, "CSV, UTF-8, comma"),
    "UTF-16 LE": right(("\ufeff" + TEXT).encode("utf-16-le"), "CSV, UTF-16 LE, comma"),
    "UTF-16 BE": right(("\ufeff" + TEXT).encode("utf-16-be"), "CSV, UTF-16 BE, comma"),
    "UTF-16 LE without a mark": right(TEXT.encode("utf-16-le"), "CSV, UTF-16 LE, comma"),
    "UTF-16 BE without a mark": right(TEXT.encode("utf-16-be"), "CSV, UTF-16 BE, comma"),
    "Windows-1252": right(TEXT.encode("cp1252"), "CSV, Windows-1252, comma"),
    "Windows-1252 that shows late": Case(lambda: LATE, 1201, read_as="CSV, Windows-1252, comma"),
    "CRLF": right(TEXT.replace("\n", "\r\n"), "CSV, UTF-8, comma"),
    "CR": right(TEXT.replace("\n", "\r"), "CSV, UTF-8, comma"),
    "mixed line ends": right(
        "track,points,mark\r\nnorth,3,4.5\nsüd,10,\rnorth,0,6.0\r\n", "CSV, UTF-8, comma"
    ),
    "no line end at the end": right(TEXT.rstrip("\n"), "CSV, UTF-8, comma"),
    "semicolons": right(TEXT.replace(",", ";"), "CSV, UTF-8, semicolon"),
    "tabs": right(TEXT.replace(",", "\t"), "CSV, UTF-8, tab", file="results.txt"),
    "pipes": right(TEXT.replace(",", "|"), "CSV, UTF-8, pipe"),
    "columns in another order, by alias and title": right(
        "Mark;Branch;POINTS\n4.5;north;3\n;süd;10\n6.0;north;0\n", "CSV, UTF-8, semicolon"
    ),
    "every value in quotes": right(
        "".join(
            ",".join(f'"{value}"' for value in line.split(",")) + "\n" for line in TEXT.splitlines()
        ),
        "CSV, UTF-8, comma",
    ),
    "a line break in the header": right(
        'track,points,mark,"a\nnote"\nnorth,3,4.5,\nsüd,10,,\nnorth,0,6.0,\n', "CSV, UTF-8, comma"
    ),
    "line breaks, separators and quotes in a value": right(
        'track,points,mark,note\nnorth,3,4.5,"a\nb"\nsüd,10,,"1,2\r\n""3"""\nnorth,0,6.0,\n',
        "CSV, UTF-8, comma",
    ),
    "more columns than the contract has": right(
        "id,track,points,mark\n1,north,3,4.5\n2,süd,10,\n3,north,0,6.0\n", "CSV, UTF-8, comma"
    ),
    "a value of 1 MB": right(
        lambda: (
            TEXT.replace(",mark\n", ",mark,note\n")
            .replace("4.5", f"4.5,{'x' * 1_000_000}")
            .replace("10,", "10,,")
            .replace("6.0", "6.0,")
            .encode()
        ),
        "CSV, UTF-8, comma",
    ),
    "10,000 columns": right(wide, "CSV, UTF-8, comma"),
    "gzip": right(PACKED, "gzip, CSV, UTF-8, comma", file="results.csv.gz"),
    "gzip by its bytes alone": right(PACKED, "gzip, CSV, UTF-8, comma"),
    "gzip in two pieces": right(
        gzip.compress(TEXT[:30].encode()) + gzip.compress(TEXT[30:].encode()) + b"\0" * 512,
        "gzip, CSV, UTF-8, comma",
    ),
    "gzip of UTF-16 with semicolons": right(
        gzip.compress(TEXT.replace(",", ";").encode("utf-16")), "gzip, CSV, UTF-16 LE, semicolon"
    ),
    "zip": right(
        zipped(
            {"a/": b"", "a/r.csv": TEXT.encode(), "__MACOSX/a/._r.csv": b"x", ".DS_Store": b"x"}
        ),
        "zip, CSV, UTF-8, comma",
        file="results.zip",
    ),
    "zip without compression": right(
        zipped({"r.csv": TEXT.encode("cp1252")}, zipfile.ZIP_STORED),
        "zip, CSV, Windows-1252, comma",
    ),
    "zip whose file has no name": right(
        zipped({"nameless": TEXT.encode()}).replace(b"nameless", b"\0ameless"),
        "zip, CSV, UTF-8, comma",
    ),
    "zip with a note beside the CSV": right(
        zipped({"r.CSV": TEXT.encode(), "README.txt": b"x"}), "zip, CSV, UTF-8, comma"
    ),
    "Excel": right(lambda: workbook(SHEET), "Excel", file="results.xlsx"),
    "Excel without places of cells, some of them empty": right(
        lambda: workbook(
            row("", text("track"), text("note"), text("points"), text("mark"))
            + row("", text("north"), text(""), "<c><v>3</v></c><c><v>4.5</v></c>")
            + row("", text("süd"), "<c/><c><v>10</v></c>")
            + row("", text("north"), text("_xD83D__xDE00_"), "<c><v>0</v></c><c><v>6</v></c>")
        ),
        "Excel",
    ),
    "Parquet": right(
        lambda: table(sat=pa.array([1, 2, 3], pa.timestamp("ns"))),
        "Parquet",
        file="results.parquet",
    ),
}

QUARANTINED = {
    "ragged rows": held(
        "track,points,mark\nnorth,3\nnorth,3,4.5\nnorth,3,4.5,6\n", 1, 2, 4, malformed=(2, 4)
    ),
    "a row cut off at the end": held(TEXT + "nor", 3, 5, malformed=(5,)),
    "a footer with totals": held(TEXT + "Total,13,\n3 records\n", 3, 5, 6, malformed=(6,)),
    "blank lines": held("track,points,mark\n\nnorth,3,4.5\n\n", 1, 2, 4),
    "a NUL byte": held(with_values(b"nor\0th"), 1, 3),
    "1 MB where a level is due": held(with_values(b"x" * 1_000_000), 1, 3),
    "a formula": held(with_values(b"=1+1"), 1, 3),
    "HTML": held(with_values(b"<img src=x>"), 1, 3),
    "a control sequence": held(with_values(b"\x1b[2J"), 1, 3),
    "a quote in a value without quotes": held(with_values(b'6" nails'), 1, 3),
    "what is no number in Excel, and half a character": Case(
        lambda: workbook(
            SHEET
            + row(11, text("north"), "<c><v>1_0</v></c>")
            + row(12, text("north"), "<c><v>١</v></c>")
            + row(13, text("n_xD800_"), "<c><v>3</v></c>")
        ),
        3,
        (11, 12, 13),
        read_as="Excel",
    ),
    "an error value of Excel": Case(
        lambda: workbook(
            SHEET
            + row(11, text("north"), '<c t="e"><v>#N/A</v></c>')
            + row(12, '<c r="E12"><v>9</v></c>')
        ),
        3,
        (11, 12),
        (12,),
        read_as="Excel",
    ),
}

REFUSED = {
    "an empty file": refused(b"", "E106", "no record"),
    "blank lines alone": refused(b"\n\n \n", "E106", "no record"),
    "a header alone": refused("track,points,mark\n", "E106", "no record"),
    "no header": refused(TEXT.partition("\n")[2], "E111", "no word of the first line"),
    "a required column is missing": refused("track,mark\nnorth,4.5\n", "E102", "no column points"),
    "a column twice": refused("track,branch,points\nnorth,süd,3\n", "E102", "track occurs twice"),
    "a preamble": refused('Results\n"of\n2019"\n\n' + TEXT, "E112", "in line 5"),
    "a preamble in Excel": refused(
        lambda: workbook(row(1, text("Results")) + row(4, HEADER) + row(5, text("north"))),
        "E112",
        "in line 4",
    ),
    "the header a second time": refused(TEXT + TEXT, "E113", "line 5: the header"),
    "an HTML page": refused("<!DOCTYPE html>\n<table><td>track</table>", "E110", "an HTML page"),
    "XML": refused('<?xml version="1.0"?><a/>', "E110", "an XML document"),
    "JSON": refused(json.dumps([{"track": "north"}], indent=1), "E110", "a JSON document"),
    "a PNG image": refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "E110", "a PNG image"),
    "a PDF": refused(b"%PDF-1.7\n", "E110", "a PDF"),
    "an SQLite database": refused(database, "E110", "an SQLite database"),
    "an old Excel file": refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "E110", ".xls"),
    "an OpenDocument": refused(zipped({"mimetype": b"x", "content.xml": b"x"}), "E110", "Office"),
    "a 7z archive": refused(b"7z\xbc\xaf\x27\x1c\0\4", "E110", "a 7z archive"),
    "a zip in a gzip": refused(gzip.compress(zipped({"a.csv": b"x"})), "E110", "gzip with zip"),
    "NUL bytes in the header": refused(b"track,points,mark\0\nnorth,3,4.5\n", "E119", "NUL"),
    "UTF-32": refused(TEXT.encode("utf-32"), "E107", "UTF-32"),
    "no encoding at all": refused(b"track,points,mark\nnorth,3,\x81\n", "E107", "line 2"),
    "two encodings": refused(
        TEXT.encode() + "süd,1,1\n".encode("cp1252"), "E107", "line 5: this is not UTF-8"
    ),
    "half a character of UTF-16": refused(TEXT.encode("utf-16")[:-1], "E107", "UTF-16 LE"),
    "a quote left open": refused('track,points,mark\nnorth,1,2\n"süd,3,4\n', "E103", "line 3"),
    "a quote that swallows records": refused(
        'track,points,mark\nnorth,1,2\n"süd,3,4\nnorth,3,4\nsüd",3,4\n', "E103", "line 3"
    ),
    "a quote inside a value in quotes": refused(
        'track,points,mark\nnorth,1,2\n"s"üd,3,4\n', "E108", "line 3"
    ),
    "a record of over 8 MiB": refused(
        lambda: with_values(b"x" * (9 << 20)), "E118", "line 3: the record has no end"
    ),
    "a broken gzip": refused(PACKED[:-9], "E114", "gzip"),
    "a gzip with garbage behind it": refused(PACKED + b"garbage", "E114", "gzip"),
    "a broken zip": refused(zipped({"a.csv": TEXT.encode()})[:-9], "E114", "zip"),
    "a zip with another size than it says": refused(lying_zip, "E114", "zip"),
    "a zip with a list of files without end": refused(crowded_zip, "E114", "zip"),
    "a zip with a password": refused(
        lambda: zipped({"a.csv": b"x"}).replace(
            b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"
        ),
        "E117",
        "password",
    ),
    "an empty zip": refused(zipped({}), "E116", "0 files"),
    "a zip with two files": refused(zipped({"a.csv": b"x", "b.csv": b"x"}), "E116", "2 files"),
    "a gzip bomb": refused(lambda: gzip.compress(BOMB, 1), "E115", "larger than"),
    "a zip bomb": refused(lambda: zipped({"a.csv": BOMB}), "E115", "larger than"),
    "an Excel bomb": refused(lambda: workbook(SHEET + " " * (LIMIT + 1)), "E115", "larger than"),
    "an Excel file with entities": refused(
        lambda: workbook(
            SHEET,
            **{"xl/sharedStrings.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><sst><si>&b;</si></sst>'},
        ),
        "E114",
        "Excel",
    ),
    "a broken Excel file": refused(lambda: workbook(SHEET + "<row>"), "E114", "Excel"),
    "a text of Excel before the first one": refused(
        lambda: workbook(SHEET + row(11, '<c t="s"><v>-1</v></c>')), "E114", "Excel"
    ),
    "a row of Excel beyond all sheets": refused(
        lambda: workbook(SHEET + row(10**11, text("north"))), "E114", "Excel"
    ),
    "a broken Parquet file": refused(lambda: table()[:-30], "E114", "Parquet"),
    "a Parquet file with lists": refused(
        lambda: table(all=pa.array([[1], [2], []])), "E123", "column all"
    ),
    "a Parquet bomb": refused(lambda: many_alike(3_000_000), "E115", "larger than"),
}
CORPUS = RIGHT | QUARANTINED | REFUSED


def folder(path: Path) -> None:
    """Make a folder."""
    path.mkdir()


def outward_link(path: Path) -> None:
    """Make a link to a file elsewhere."""
    target = path.parents[1] / "elsewhere.csv"
    target.write_text(TEXT)
    path.symlink_to(target)


def unix_socket(path: Path) -> None:
    """Make a socket."""
    with closing(socket.socket(socket.AF_UNIX)) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket must be short
        made.bind(path.name)
        os.chdir(here)


# What may lie in a folder without being a file; each is refused with E105 and its kind.
NO_FILES: dict[str, Callable[[Path], None]] = {
    "a folder": folder,
    "a named pipe": os.mkfifo,
    "a socket": unix_socket,
    "a link": outward_link,
}
# Names that a file may have, and how they are shown.
NAMES = {
    'it\'s "quoted".csv': 'it\'s "quoted".csv',
    "new\nline.csv": "new\\x0aline.csv",
    "\x1b[31mred.csv": "\\x1b[31mred.csv",
    "\u202efdp.csv": "\\u202efdp.csv",
    "\U0001f469\u200d\U0001f393 süd.csv": "\U0001f469\u200d\U0001f393 süd.csv",
    "n" * 200 + ".csv": "n" * 200 + ".csv",
    os.fsdecode(b"s\xfcd.csv"): "s\\xfcd.csv",
    "-rf.csv": "-rf.csv",
}
