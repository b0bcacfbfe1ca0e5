"""Reads a delivered file: every physical record, with its line, as bytes.

Nothing is interpreted and nothing is lost, whatever kind of file it is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from exams.contract.words import plain
from exams.errors import ExamsError
from exams.intake.arrays import of_numbers, of_texts, to_numpy
from exams.intake.reading.arrivals import opened
from exams.intake.reading.blocks import line_ends
from exams.intake.reading.delimited import Malformed, read_delimited
from exams.intake.reading.encoding import Decoded, UndecodableError, undecodable
from exams.intake.reading.header import Header
from exams.intake.reading.layout import Layout, no_record
from exams.intake.reading.unpack import directory, text_chunks

# The modules for Parquet and Excel are imported when such a file comes: they take a while.


@dataclass
class Tally:
    """What a file turned out to hold; complete once its last batch was read.

    `malformed` has line and text of each record with more or fewer columns than the header.
    They count as received; whoever reads may take them out of the list after each batch.
    `read_as` says how the file was read: its encoding may show late. `position` is how far the
    file has been read, in bytes.
    """

    sha256: str = ""
    received: int = 0
    malformed: Malformed = field(default_factory=list)
    read_as: str = ""
    position: int = 0


def read_records(
    path: Path, name: str, layout: Layout, tally: Tally, limit: int
) -> Iterator[pa.RecordBatch]:
    """Yield the well-formed records of a file as batches; fill `tally` on the way.

    A batch has `line` (int32: the physical line on which the record starts, counted from 1;
    the row of a sheet; the row of a Parquet file + 1), then a dictionary of raw UTF-8 for each
    field; of an optional field without a column all values are empty. Errors call the file
    `name`; `limit` is the largest size in bytes to which it may unpack.

    Raise E106 if there is no record, E107 for bytes that are not text, E109 if the file changes
    meanwhile, E113 if the header comes a second time, and what `delimited`, `excel`, `parquet`
    and `unpack` raise.
    """
    bad: Malformed = []
    tally.read_as = layout.read_as
    with opened(path, name) as file:
        for batch in _batches(file, layout, name, limit, tally, bad):
            _check_repeated(batch, layout.header, name)
            tally.received += len(batch) + len(bad)
            tally.malformed += bad
            bad.clear()
            tally.position = file.tell()
            yield _with_absent(batch, layout.header)
        if not tally.received:
            raise no_record(name)
        if not tally.sha256:
            file.seek(0)
            tally.sha256 = hashlib.file_digest(file, "sha256").hexdigest()


def _batches(
    file: FileIO, layout: Layout, name: str, limit: int, tally: Tally, bad: Malformed
) -> Iterator[pa.RecordBatch]:
    if layout.kind == "parquet":
        from exams.intake.reading.parquet import read_parquet  # noqa: PLC0415

        return read_parquet(file, layout.header, name, limit)
    if layout.kind == "xlsx":
        from exams.intake.reading.excel import read_excel, read_rows  # noqa: PLC0415

        rows = read_rows(file, directory(file, name), name, limit)
        return read_excel(rows, layout.header, bad)
    return _delimited(file, layout, name, limit, tally, bad)


def _delimited(
    file: FileIO, layout: Layout, name: str, limit: int, tally: Tally, bad: Malformed
) -> Iterator[pa.RecordBatch]:
    digest = hashlib.sha256()
    chunks = text_chunks(file, layout.packed, name, limit, digest.update)
    text = Decoded(chunks, layout.encoding)
    try:
        yield from read_delimited(text, layout.header, layout.delimiter, name, bad)
    except UndecodableError as error:
        again = text_chunks(file, layout.packed, name, limit, len)
        line = _line_behind(Decoded(again, layout.encoding))
        raise undecodable(name, line, error) from None
    tally.read_as = replace(layout, encoding=text.encoding).read_as
    if layout.packed != "zip":  # whose bytes are not read in order
        tally.sha256 = digest.hexdigest()


def _line_behind(text: Iterable[bytes]) -> int:
    """Return the line on which a text stops that cannot be decoded any further."""
    line, last = 1, b""
    try:
        for chunk in text:
            line += line_ends(last + chunk) - line_ends(last)
            last = chunk[-1:] or last
    except UndecodableError:
        pass
    return line


def _check_repeated(batch: pa.RecordBatch, header: Header, name: str) -> None:
    """Raise E113 if a record has the words of the header in all of its fields."""
    columns = [(batch.column(field), header.words[place]) for field, place in header.places.items()]
    columns.sort(key=lambda column: len(column[0].dictionary))  # the cheapest first
    alike = np.ones(len(batch), bool)
    for column, word in columns:
        values = column.dictionary.to_pylist()
        codes = [code for code, v in enumerate(values) if plain(v.decode()) == plain(word)]
        if not codes:
            return
        alike &= np.isin(to_numpy(column.indices), codes)
    if alike.any():
        line = batch.column("line")[int(alike.argmax())].as_py()
        what = f"{name} line {line}: the header comes a second time."
        raise ExamsError("E113", what, "Deliver one table with one header.")


def _with_absent(batch: pa.RecordBatch, header: Header) -> pa.RecordBatch:
    """Add a column of empty values for each optional field that the file lacks."""
    codes = of_numbers(np.zeros(len(batch), np.int32))
    empty = pa.DictionaryArray.from_arrays(codes, of_texts([b""]))
    for name in header.absent:
        batch = batch.append_column(name, empty)
    return batch
