"""The records of a delivered file with all of their values, as texts: to show, not to load."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from exams.intake.reading.arrivals import opened
from exams.intake.reading.encoding import Decoded
from exams.intake.reading.layout import Layout
from exams.intake.reading.unpack import directory, text_chunks

Record = tuple[int, list[str]]  # the line on which it starts, as `read_records` counts, and cells


def read_cells(path: Path, name: str, layout: Layout, limit: int) -> Iterator[Record]:
    """Yield the records of a file below its header: line, and every value as it was delivered.

    `limit` is the largest size in bytes to which it may unpack.
    """
    header = layout.header.lines
    with opened(path, name) as file:
        if layout.kind == "csv":
            chunks = text_chunks(file, layout.packed, name, limit, len)
            found = _delimited(Decoded(chunks, layout.encoding), layout.delimiter)
        elif layout.kind == "xlsx":
            from exams.intake.reading.excel import read_rows  # noqa: PLC0415

            found = read_rows(file, directory(file, name), name, limit)
        else:
            from exams.intake.reading.parquet import read_table  # noqa: PLC0415

            found = read_table(file, name, limit)
        yield from (record for record in found if record[0] > header)


def _delimited(chunks: Iterable[bytes], delimiter: str) -> Iterator[Record]:
    reader = csv.reader(_lines(chunks), delimiter=delimiter)
    line = 1
    for cells in reader:
        yield line, cells
        line = reader.line_num + 1


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield physical lines with their ends."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).splitlines(keepends=True) or [b""]
        yield from (line.decode() for line in whole)
    yield from (line.decode() for line in rest.splitlines(keepends=True))
