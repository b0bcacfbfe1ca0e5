"""Records of a Parquet file, as a CSV file would hold them."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exams.errors import ExamsError
from exams.intake.arrays import encoded, of_numbers, to_numpy
from exams.intake.reading.encoding import undecodable
from exams.intake.reading.header import Header
from exams.intake.reading.unpack import broken, too_large
from exams.intake.reading.values import text_of

ROWS = 50_000  # of a batch
_BROKEN = (pa.ArrowException, OSError)


def read_words(file: BinaryIO, name: str, limit: int) -> list[str]:
    """Return the names of the columns.

    Raise E114 for a broken file, E115 for one that unpacks to more than `limit` bytes by its
    own account, E123 if a column holds lists or records.
    """
    found = _opened(file, name)
    sizes = [found.metadata.row_group(i).total_byte_size for i in range(found.num_row_groups)]
    rows, width = found.metadata.num_rows, found.metadata.num_columns
    if max(sum(sizes), 4 * rows * width) > limit:  # a code for each value, however well packed
        raise too_large(name, limit)
    for column in found.schema_arrow:
        if pa.types.is_nested(column.type):
            what = f"{name}: column {column.name} holds lists or records, not values."
            raise ExamsError("E123", what, "Deliver a plain table.")
    return found.schema_arrow.names


def read_parquet(file: BinaryIO, header: Header, name: str) -> Iterator[pa.RecordBatch]:
    """Yield the records as batches: `line` (row + 1), then the places of the header.

    Raise E107 for text that is not UTF-8, E114 for a broken file.
    """
    columns = [header.words[place] for place in header.places.values()]
    line = 2
    try:
        for batch in _opened(file, name).iter_batches(ROWS, columns=columns, use_threads=False):
            lines = of_numbers(np.arange(line, line + len(batch), dtype=np.int32))
            kept = [_as_text(batch.column(word)) for word in columns]
            line += len(batch)
            yield pa.record_batch([lines, *kept], ["line", *header.places])
    except _BROKEN:
        raise broken(name, "a Parquet file") from None
    except UnicodeDecodeError:
        raise undecodable(name, line, "a value in this row or below is not UTF-8") from None


def read_table(file: BinaryIO, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records as their line (row + 1) and every value as text."""
    line = 2
    for batch in _opened(file, name).iter_batches(ROWS, use_threads=False):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield line, [text_of(cell).decode(errors="replace") for cell in cells]
            line += 1


def _opened(file: BinaryIO, name: str) -> pq.ParquetFile:
    file.seek(0)
    try:
        return pq.ParquetFile(file)
    except _BROKEN:
        raise broken(name, "a Parquet file") from None


def _as_text(column: pa.Array) -> pa.DictionaryArray:
    """Return a column as text; raise UnicodeDecodeError for other bytes than UTF-8."""
    if pa.types.is_dictionary(column.type) and pa.types.is_temporal(column.type.value_type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = [text_of(value) for value in column.dictionary.to_pylist()]
    for word in words:
        word.decode()
    texts = encoded([*words, b""])  # the last stands for null
    codes = to_numpy(column.indices.cast(pa.int32()).fill_null(len(words)))
    indices = of_numbers(to_numpy(texts.indices)[codes])
    return pa.DictionaryArray.from_arrays(indices, texts.dictionary)
