"""Rows in the binary form of COPY: numpy makes them, a column at a time.

The form: "Binary Format" of COPY in the manual of PostgreSQL. A row is the number of its fields,
and for each field its length (-1: null) and its bytes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from exams.warehouse.values import Optional, Values

_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_END = b"\xff\xff"
_ROWS = 1 << 12  # made at a time: they stay in the processor's cache
_NUL = "\u2400"  # stands for the character NUL, which the server's texts cannot have


class _Field(NamedTuple):
    """A column: per row its length in bytes and its content, padded to one width; or of all."""

    length: np.ndarray | int
    content: np.ndarray


def copied(columns: Mapping[str, Values]) -> Iterator[bytes]:
    """Yield what COPY is to be sent for a row per place of `columns`.

    Numbers are as wide as their column: int64 for bigint, int32 for integer.
    """
    size = rows(columns)
    yield _START
    for start in range(0, size, _ROWS):
        part = slice(start, min(start + _ROWS, size))
        yield _tuples([_field(values, part) for values in columns.values()], part.stop - start)
    yield _END


def rows(columns: Mapping[str, Values]) -> int:
    """Return how many rows the arrays of `columns` have."""
    arrays = (values for values in columns.values() if not isinstance(values, str))
    return next(len(v.numbers if isinstance(v, Optional) else v) for v in arrays)


def text(value: object) -> str:
    """Return a value as a text that the server can have."""
    return str(value).replace("\0", _NUL)


def _field(values: Values, part: slice) -> _Field:
    if isinstance(values, str):
        return _texts([_bytes(values)])
    if isinstance(values, Optional):
        numbers = _big_endian(values.numbers[part])
        return _Field(np.where(values.missing[part], -1, numbers.itemsize), numbers)
    if values.dtype == object:
        return _texts(map(_bytes, values[part]))
    numbers = _big_endian(values[part])
    return _Field(numbers.itemsize, numbers)


def _big_endian(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(numbers.dtype.newbyteorder(">"))


def _bytes(value: object) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else text(value).encode()


def _texts(values: Iterable[bytes | None]) -> _Field:
    every = list(values)
    length = np.array([-1 if value is None else len(value) for value in every])
    width = max(1, int(length.max(initial=0)))
    return _Field(length, np.array([value or b"" for value in every], f"S{width}"))


def _tuples(fields: list[_Field], size: int) -> bytes:
    form: list[tuple[str, str | np.dtype]] = [("fields", ">i2")]
    for at, field in enumerate(fields):
        form += [(f"length {at}", ">i4"), (f"content {at}", field.content.dtype)]
    whole = np.empty(size, form)
    whole["fields"] = len(fields)
    place, padding = 2, [np.empty((2, 0), np.int64)]
    for at, (length, content) in enumerate(fields):
        whole[f"length {at}"] = length
        whole[f"content {at}"] = content
        place += 4
        used = np.broadcast_to(np.maximum(length, 0), size)
        short = np.flatnonzero(used < content.itemsize)
        begin = place + short * whole.itemsize
        padding.append(np.array([begin + used[short], begin + content.itemsize]))
        place += content.itemsize
    return _without(whole.view(np.uint8).data, np.concatenate(padding, axis=1))


def _without(content: memoryview, ranges: np.ndarray) -> bytes:
    """Return the bytes of `content` that are in none of the ranges: 2 × n, begins and ends."""
    begin, end = ranges[:, np.argsort(ranges[0])].tolist()
    kept = zip([0, *end], [*begin, len(content)], strict=True)
    return b"".join([content[one:other] for one, other in kept])
