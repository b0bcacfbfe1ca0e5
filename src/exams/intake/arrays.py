"""Arrow arrays from and to numpy and bytes, without pyarrow's own conversions.

Those import pandas if they can, which takes half a second.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa


def of_numbers(numbers: np.ndarray) -> pa.Array:
    """Return whole or real numbers as an Arrow array; no copy."""
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def of_texts(texts: Iterable[bytes]) -> pa.Array:
    """Return texts as an Arrow array of binary."""
    texts = list(texts)
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.binary(), len(texts), buffers)


def of_optional(numbers: np.ndarray, missing: np.ndarray | None) -> pa.Array:
    """Return whole numbers as int32, null where `missing` is true."""
    data = pa.py_buffer(np.ascontiguousarray(numbers, np.int32))
    present = None if missing is None else np.packbits(~missing, bitorder="little")
    valid = None if present is None else pa.py_buffer(present)
    return pa.Array.from_buffers(pa.int32(), len(numbers), [valid, data])


def of_optional_texts(texts: Sequence[bytes | None]) -> pa.Array:
    """Return texts as an Arrow array of binary, None as null."""
    plain = of_texts(text or b"" for text in texts)
    present = np.packbits(np.array([text is not None for text in texts], bool), bitorder="little")
    buffers = [pa.py_buffer(present), *plain.buffers()[1:]]
    return pa.Array.from_buffers(pa.binary(), len(texts), buffers)


def to_numpy(numbers: pa.Array) -> np.ndarray:
    """Return an Arrow array of numbers without nulls as numpy, read-only; no copy."""
    return np.from_dlpack(numbers)


def distinct(numbers: np.ndarray) -> np.ndarray:
    """Return whole numbers from 0, ascending, each once; `np.unique` imports masked arrays."""
    ascending = np.sort(numbers)
    return ascending[np.diff(ascending, prepend=-1) > 0]


def to_optional(numbers: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers of 32 bits as int64, and where they are null: there, any number."""
    valid, data = numbers.buffers()
    end = numbers.offset + len(numbers)
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), count=end, bitorder="little")
    missing = bits[numbers.offset :] == 0
    found = np.frombuffer(data, np.int32, end)[numbers.offset :]
    return found.astype(np.int64), missing


def encoded(values: Iterable[bytes]) -> pa.DictionaryArray:
    """Return texts as a dictionary column: int32 codes, each text once."""
    codes: dict[bytes, int] = {}
    indices = [codes.setdefault(value, len(codes)) for value in values]
    return pa.DictionaryArray.from_arrays(of_numbers(np.array(indices, np.int32)), of_texts(codes))
