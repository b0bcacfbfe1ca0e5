"""Inserts columns of whole numbers: a row is bound as few numbers, which SQL takes apart.

To bind a value costs more than to shift and mask it. And Python binds under its lock, which
keeps the other stages waiting; SQLite computes outside of it.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from exams.schema import quoted
from exams.warehouse.values import Optional, Values

_ROWS = 200  # of one statement: the fastest measured
_BITS = 63  # of a word, so that it is never negative
_FULL = _BITS + 1


def insert_columns(
    connection: sqlite3.Connection, table: str, columns: Mapping[str, Values]
) -> None:
    """Insert a row per place of the arrays in `columns`, which are by column name."""
    row = _Row()
    made = ", ".join([row.take(values) for values in columns.values()])
    rows = np.column_stack(row.bound)
    width = rows.shape[1]
    names = ", ".join(map(quoted, columns))
    start = f"INSERT INTO {quoted(table)} ({names}) SELECT {made} FROM (VALUES "
    one = f"({', '.join('?' * width)})"
    whole = len(rows) // _ROWS * _ROWS
    many = rows[:whole].reshape(-1, _ROWS * width).tolist()
    connection.executemany(f"{start}{', '.join([one] * _ROWS)})", many)
    connection.executemany(f"{start}{one})", rows[whole:].tolist())


@dataclass
class _Row:
    """What is bound for each row: words, which hold numbers side by side, and objects."""

    bound: list[np.ndarray] = field(default_factory=list)
    used: int = _FULL  # bits of the last one

    def take(self, values: Values) -> str:
        """Take a column, and return how SQL makes its values of what is bound."""
        if isinstance(values, str):
            return "'" + values.replace("'", "''") + "'"
        if isinstance(values, Optional):
            numbers = np.where(values.missing, 0, values.numbers)
            low = int(numbers.min(initial=0)) - 1
            code = self._pack(np.where(values.missing, 0, numbers - low))
            return f"CASE WHEN {code} THEN {code} + {low} END"
        low = int(values.min()) if len(values) and values.dtype != object else 0
        if values.dtype == object or int(values.max(initial=low)) - low >> _BITS:
            self.bound.append(values)
            self.used = _FULL
            return f"column{len(self.bound)}"
        return f"{self._pack(values - low)} + {low}"

    def _pack(self, codes: np.ndarray) -> str:
        """Put whole numbers from 0 upwards into the last word, or one more if it is full."""
        bits = int(codes.max(initial=0)).bit_length()
        if self.used + bits > _BITS:
            self.bound.append(np.zeros(len(codes), np.int64))
            self.used = 0
        self.bound[-1] |= codes.astype(np.int64) << self.used
        self.used += bits
        return f"(column{len(self.bound)} >> {self.used - bits} & {(1 << bits) - 1})"
