"""Arrow arrays from and to plain values.

pyarrow's own `pa.array` and `to_numpy` import pandas, which takes half a second.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def integers(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Return whole numbers as int32; null where `missing` is true."""
    data = np.ascontiguousarray(values, np.int32)
    present = None if missing is None else np.packbits(~missing, bitorder="little")
    buffers = [None if present is None else pa.py_buffer(present), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.int32(), len(data), buffers)


def words(values: Sequence[bytes | None]) -> pa.Array:
    """Return byte strings as binary; None is null."""
    ends = np.cumsum([0, *(len(value or b"") for value in values)], dtype=np.int64)
    present = np.packbits(np.array([v is not None for v in values], bool), bitorder="little")
    data = b"".join(value or b"" for value in values)
    buffers = [pa.py_buffer(present), pa.py_buffer(ends), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(values), buffers)


def plain(column: pa.Array) -> np.ndarray:
    """Return a column of int32 as numbers; those of nulls mean nothing."""
    data = np.frombuffer(column.buffers()[1], np.int32)
    return data[column.offset : column.offset + len(column)]


def absent(column: pa.Array) -> np.ndarray | None:
    """Return where a column is null; None: nowhere."""
    if not column.null_count:
        return None
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)] == 0
