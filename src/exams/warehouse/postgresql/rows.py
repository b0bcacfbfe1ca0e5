"""Writes rows into the warehouse that is on a server, with COPY."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from exams.schema import quoted
from exams.warehouse.postgresql import binary
from exams.warehouse.postgresql.catalog import columns as columns_of
from exams.warehouse.postgresql.opening import Session
from exams.warehouse.values import Optional, Values

_WIDE = 64  # characters or bytes


class Records:
    """Inserts rows into a numbered `table`: numbers have 32 bits there, but for the key.

    They are counts of a quarter's students, steps of scales and numbers of profiles.
    """

    def __init__(self, session: Session, table: str) -> None:
        self.session, self.table = session, table
        self.taken = Counter[int]()  # by delivery, as the server says

    def insert(self, columns: Mapping[str, Values]) -> None:
        """Insert one row per place of `columns`, by name: all are of one delivery or quarter."""
        key = columns["key"]
        assert isinstance(key, np.ndarray)
        narrow = {name: v if v is key else _narrow(v) for name, v in columns.items()}
        inserted = insert_columns(self.session, self.table, narrow)
        if len(key):
            self.taken[int(key[0]) >> 32] += inserted

    def counts(self, deliveries: Sequence[int]) -> list[int]:
        """Return how many records of each delivery the table has: what the server has taken."""
        return [self.taken[delivery] for delivery in deliveries]


def _narrow(values: Values) -> Values:
    """Return whole numbers as int32; raise OverflowError if one does not fit."""
    if isinstance(values, Optional):
        return Optional(_int32(values.numbers), values.missing)
    return values if isinstance(values, str) or values.dtype == object else _int32(values)


def _int32(numbers: np.ndarray) -> np.ndarray:
    narrow = numbers.astype(np.int32)
    if not np.array_equal(narrow, numbers):
        raise OverflowError("A number has more than 32 bits.")
    return narrow


def insert(session: Session, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column of `table`."""
    _insert_rows(session, table, columns_of(session, table), rows)


def _insert_rows(
    session: Session, table: str, kinds: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> int:
    made = [_MADE[kind] for kind in kinds.values()]
    cursor = session.connection.cursor()
    with cursor.copy(_copy(table, kinds, "TEXT")) as copy:
        for row in rows:
            pairs = zip(made, row, strict=True)
            copy.write_row([None if value is None else make(value) for make, value in pairs])
    return cursor.rowcount


def insert_columns(session: Session, table: str, columns: Mapping[str, Values]) -> int:
    """Insert a row per place of the arrays in `columns`, which are by column name.

    Return how many rows the server has taken.
    """
    if any(map(_is_wide, columns.values())):
        size = binary.rows(columns)
        every = [repeat(v, size) if isinstance(v, str) else _plain(v) for v in columns.values()]
        kinds = columns_of(session, table)
        given = {name: kinds[name] for name in columns}
        return _insert_rows(session, table, given, zip(*every, strict=True))
    cursor = session.connection.cursor()
    with cursor.copy(_copy(table, columns, "BINARY")) as copy:
        for rows in binary.copied(columns):
            copy.write(rows)
    return cursor.rowcount


def _copy(table: str, columns: Iterable[str], form: str) -> Any:
    names = ", ".join(map(quoted, columns))
    return f"COPY {quoted(table)} ({names}) FROM STDIN (FORMAT {form})"


_MADE: dict[str, Callable[[Any], Any]] = {
    "TEXT": binary.text,
    "INTEGER": int,
    "REAL": float,
    "BLOB": bytes,
}


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
