"""Records of a Parquet file, as a CSV file would hold them."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exams.errors import ExamsError
from exams.intake.arrays import encoded, of_numbers, to_numpy
from exams.intake.reading.encoding import undecodable
from exams.intake.reading.header import Header
from exams.intake.reading.pages import BATCH, read_footer, rows_at_once
from exams.intake.reading.unpack import broken, too_large
from exams.intake.reading.values import text_of

_BUFFER = 1 << 20  # bytes of a column that are read at a time
_BROKEN = (pa.ArrowException, OSError)


def read_words(file: BinaryIO, name: str, limit: int) -> list[str]:
    """Return the names of the columns.

    Raise E107 for names that are not UTF-8, E114 for a broken file, E115 for one that unpacks
    to more than `limit` bytes by its own account, E123 if a column holds lists or records, E124
    if the footer is too long.
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


def read_parquet(file: BinaryIO, header: Header, name: str, limit: int) -> Iterator[pa.RecordBatch]:
    """Yield the records as batches: `line` (row + 1), then the places of the header.

    Raise E107 for text that is not UTF-8, E114 for a broken file, E115 for one that unpacks to
    more than `limit` bytes, E124 for one that takes too much memory.
    """
    columns = [header.words[place] for place in header.places.values()]
    line, unpacked = 2, 0
    try:
        for batch in _batches(file, columns, name, limit):
            lines = of_numbers(np.arange(line, line + len(batch), dtype=np.int32))
            kept = [_as_text(column) for column in batch.columns]
            line += len(batch)
            whole = pa.record_batch([lines, *kept], ["line", *header.places])
            for part, size in _parts(whole):
                unpacked += size
                if unpacked > limit:
                    raise too_large(name, limit)
                yield part
    except UnicodeDecodeError:
        raise undecodable(name, line, "a value in this row or below is not UTF-8") from None


def read_table(file: BinaryIO, name: str, limit: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the records as their line (row + 1) and every value as text."""
    line = 2
    for batch in _batches(file, _opened(file, name).schema_arrow.names, name, limit):
        columns = []
        for column in batch.columns:
            words, codes = _words(column)
            texts = [word.decode(errors="replace") for word in words]
            columns.append([texts[code] for code in codes])
        for cells in zip(*columns, strict=True):
            yield line, list(cells)
            line += 1


def _opened(file: BinaryIO, name: str, as_codes: Sequence[str] = ()) -> pq.ParquetFile:
    read_footer(file, name)
    file.seek(0)
    try:
        return pq.ParquetFile(file, read_dictionary=list(as_codes), buffer_size=_BUFFER)
    except _BROKEN:
        raise broken(name, "a Parquet file") from None
    except UnicodeDecodeError:
        raise undecodable(name, 1, "the name of a column is not UTF-8") from None


def _batches(
    file: BinaryIO, columns: Sequence[str], name: str, limit: int
) -> Iterator[pa.RecordBatch]:
    """Yield `columns`, texts as codes and a dictionary: one text may stand in all rows."""
    schema = _opened(file, name).schema_arrow
    texts = [field.name for field in schema if _is_text(field.type)]
    places = {i: word in texts for i, word in enumerate(schema.names) if word in columns}
    try:
        rows = rows_at_once(file, places, name, limit)
        found = _opened(file, name, texts)
        for batch in found.iter_batches(rows, columns=list(columns), use_threads=False):
            if not all(map(_in_bounds, batch.columns)):
                raise broken(name, "a Parquet file")
            yield batch
    except _BROKEN:
        raise broken(name, "a Parquet file") from None


def _parts(batch: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Cut a batch where its texts, each written out, grow beyond BATCH; with their bytes."""
    sizes = np.zeros(len(batch), np.int64)
    for column in batch.columns[1:]:
        lengths = np.array([len(word) for word in column.dictionary.to_pylist()], np.int64)
        sizes += lengths[to_numpy(column.indices)]
    ends = np.cumsum(sizes)
    start = before = 0
    while start < len(batch):
        end = max(int(np.searchsorted(ends, before + BATCH, "right")), start + 1)
        yield batch.slice(start, end - start), int(ends[end - 1]) - before
        start, before = end, int(ends[end - 1])


def _in_bounds(column: pa.Array) -> bool:
    """Say whether codes are those of the dictionary, which pyarrow takes for granted."""
    if not pa.types.is_dictionary(column.type):
        return True
    codes = to_numpy(column.indices.drop_null())
    return not len(codes) or 0 <= codes.min() <= codes.max() < len(column.dictionary)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return kind in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary())


def _as_text(column: pa.Array) -> pa.DictionaryArray:
    """Return a column as text; raise UnicodeDecodeError for other bytes than UTF-8."""
    words, codes = _words(column)
    for word in words:
        word.decode()
    texts = encoded(words)
    indices = of_numbers(to_numpy(texts.indices)[codes])
    return pa.DictionaryArray.from_arrays(indices, texts.dictionary)


def _words(column: pa.Array) -> tuple[list[bytes], np.ndarray]:
    """Return the values of a column as texts, and for each row which of them it has."""
    if pa.types.is_dictionary(column.type) and pa.types.is_temporal(column.type.value_type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = column.dictionary
    codes = to_numpy(column.indices.cast(pa.int32()).fill_null(len(values)))
    if len(values) > len(codes):  # of a dictionary for many rows, what these have
        used, codes = np.unique(codes, return_inverse=True)
        values = values.take(of_numbers(used[used < len(values)]))
    return [*map(text_of, values.to_pylist()), b""], codes  # the last stands for null
