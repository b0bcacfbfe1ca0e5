"""Writes rows into the warehouse that is on a server: with COPY, whose binary form numpy makes.

Its format: "Binary Format" of COPY in the manual of PostgreSQL.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from psycopg.copy import QueuedLibpqWriter

from exams.schema import Table, quoted
from exams.warehouse.postgresql.catalog import columns as columns_of
from exams.warehouse.postgresql.opening import Session
from exams.warehouse.values import Optional, Values

_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"  # its length: -1
_ROWS = 1 << 15  # made at a time
_WIDE = 64  # characters or bytes
_NUL = "\u2400"  # stands for the character NUL, which the server's texts cannot have


class Records:
    """Inserts rows into `table`."""

    def __init__(self, session: Session, table: Table) -> None:
        self.session, self.table = session, table
        self.counts = Counter[int]()  # by delivery, as the server says

    def insert(self, columns: Mapping[str, Values]) -> None:
        """Insert one row per place of `columns`, by name: all are of one delivery."""
        key = columns["key"]
        assert isinstance(key, np.ndarray)
        inserted = insert_columns(self.session, self.table.name, columns)
        if len(key):
            self.counts[int(key[0]) >> 32] += inserted

    def count(self, delivery: int) -> int:
        """Return how many records of a delivery the table has: what the server has taken."""
        return self.counts[delivery]


def insert(session: Session, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column of `table`."""
    _insert_rows(session, table, columns_of(session, table), rows)


def _insert_rows(
    session: Session, table: str, columns: Iterable[str], rows: Iterable[Sequence[Any]]
) -> int:
    kinds = columns_of(session, table)
    made = [_MADE[kinds[name]] for name in columns]
    cursor = session.connection.cursor()
    with cursor.copy(_copy(table, columns, "TEXT")) as copy:
        for row in rows:
            pairs = zip(made, row, strict=True)
            copy.write_row([None if value is None else make(value) for make, value in pairs])
    return cursor.rowcount


def insert_columns(session: Session, table: str, columns: Mapping[str, Values]) -> int:
    """Insert a row per place of the arrays in `columns`, which are by column name.

    Return how many rows the server has taken.
    """
    size = next(len(_numbers(values)) for values in columns.values() if not isinstance(values, str))
    if any(map(_is_wide, columns.values())):
        every = [repeat(v, size) if isinstance(v, str) else _plain(v) for v in columns.values()]
        return _insert_rows(session, table, columns, zip(*every, strict=True))
    cursor = session.connection.cursor()
    statement = _copy(table, columns, "BINARY")
    # Rows are made while others are on their way.
    with cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy:
        copy.write(_START)
        for start in range(0, size, _ROWS):
            part = slice(start, min(start + _ROWS, size))
            copy.write(_tuples([_field(values, part) for values in columns.values()]))
        copy.write(_END)
    return cursor.rowcount


def _copy(table: str, columns: Iterable[str], form: str) -> Any:
    names = ", ".join(map(quoted, columns))
    return f"COPY {quoted(table)} ({names}) FROM STDIN (FORMAT {form})"


def _text(value: object) -> str:
    return str(value).replace("\0", _NUL)


_MADE: dict[str, Callable[[Any], Any]] = {
    "TEXT": _text,
    "INTEGER": int,
    "REAL": float,
    "BLOB": bytes,
}


class _Field(NamedTuple):
    """A column of COPY: for each row bytes of one width, its length before it; how many count."""

    content: np.ndarray
    used: np.ndarray | None  # bytes of each row, if not all


def _numbers(values: np.ndarray | Optional) -> np.ndarray:
    return values.numbers if isinstance(values, Optional) else values


def _plain(values: np.ndarray | Optional) -> Iterable[Any]:
    if isinstance(values, Optional):
        pairs = zip(values.numbers.tolist(), values.missing.tolist(), strict=True)
        return (None if missing else number for number, missing in pairs)
    return values.tolist()


def _is_wide(values: Values) -> bool:
    """Say whether there is a long text, or bytes: then rows of one width would take much space."""
    if isinstance(values, str | Optional) or values.dtype != object:
        return False
    return max((len(value) for value in values if value is not None), default=0) > _WIDE


def _field(values: Values, part: slice) -> _Field:
    size = part.stop - part.start
    if isinstance(values, str):
        one = _texts([_text(values).encode()], 1)
        return _Field(np.broadcast_to(one.content, (size, one.content.shape[1])), None)
    if isinstance(values, Optional):
        content = _integers(values.numbers[part])
        missing = values.missing[part]
        content[missing, :4] = np.frombuffer(_NULL, np.uint8)
        return _Field(content, np.where(missing, 4, content.shape[1]))
    if values.dtype == object:
        return _texts(map(_bytes, values[part]), size)
    return _Field(_integers(values[part]), None)


def _integers(numbers: np.ndarray) -> np.ndarray:
    content = np.empty((len(numbers), 12), np.uint8)
    content[:, :4] = (0, 0, 0, 8)
    content[:, 4:] = numbers.astype(">i8").view(np.uint8).reshape(-1, 8)
    return content


def _bytes(value: object) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else _text(value).encode()


def _texts(values: Iterable[bytes | None], size: int) -> _Field:
    made = [_NULL if v is None else len(v).to_bytes(4, "big") + v for v in values]
    used = np.fromiter(map(len, made), np.int64, size)
    width = int(used.max(initial=0))
    flat = np.frombuffer(b"".join(v.ljust(width, b"\0") for v in made), np.uint8)
    return _Field(flat.reshape(size, width), None if used.min(initial=width) == width else used)


def _tuples(fields: Sequence[_Field]) -> bytes:
    """Return rows as COPY takes them: the number of their fields, then field by field."""
    rows = len(fields[0].content)
    head = np.broadcast_to(np.frombuffer(len(fields).to_bytes(2, "big"), np.uint8), (rows, 2))
    whole = np.concatenate([head, *(field.content for field in fields)], axis=1)
    if all(field.used is None for field in fields):
        return whole.tobytes()
    kept = [np.ones((rows, 2), bool)]
    for content, used in fields:
        there = np.arange(content.shape[1])[None]
        kept.append(there < (np.full(rows, len(there.T)) if used is None else used)[:, None])
    return whole[np.concatenate(kept, axis=1)].tobytes()
