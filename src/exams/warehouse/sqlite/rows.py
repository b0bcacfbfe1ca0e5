"""Writes rows into the warehouse that is a file."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from exams.schema import quoted
from exams.warehouse.sqlite.packed import insert_columns
from exams.warehouse.sqlite.records import Records

__all__ = ["Records", "insert", "insert_columns"]

_VALUES = 1_000  # bound by one INSERT at most


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column of `table`, many to a statement."""
    width = len(connection.execute(f"SELECT * FROM {quoted(table)} LIMIT 0").description)
    rest = iter(rows)
    while chunk := list(islice(rest, max(_VALUES // width, 1))):
        connection.execute(
            _statement(quoted(table), width, len(chunk)), [v for row in chunk for v in row]
        )


def _statement(into: str, width: int, rows: int) -> str:
    one = f"({', '.join('?' * width)})"
    return f"INSERT INTO {into} VALUES {', '.join([one] * rows)}"
