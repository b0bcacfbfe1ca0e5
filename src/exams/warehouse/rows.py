"""How rows are written in each of the two stores."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from exams.warehouse.dialect import Connection
from exams.warehouse.sqlite import rows as in_file
from exams.warehouse.values import Values


class Bulk(Protocol):
    """Enters many rows, part by part, such as the records of a quarter."""

    def insert(self, columns: Mapping[str, Values]) -> None:
        """Insert one row per place of `columns`, by name; others of the table's have no value.

        The keys, from 0 to 2^56, ascend and are new; of records: delivery << 32 | line.
        """

    def counts(self, deliveries: Sequence[int]) -> list[int]:
        """Return how many records of each delivery the table has, when all are in.

        It is fastest if the largest is the last.
        """


def insert(connection: Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column of `table`."""
    _rows(connection).insert(connection, table, rows)


def insert_columns(connection: Connection, table: str, columns: Mapping[str, Values]) -> None:
    """Insert a row per place of the arrays in `columns`, which are by column name."""
    _rows(connection).insert_columns(connection, table, columns)


def records(connection: Connection, table: str) -> Bulk:
    """Return what enters rows into `table`, whose first column is its INTEGER key."""
    return _rows(connection).Records(connection, table)


class _Rows(Protocol):
    def insert(self, connection: Any, table: str, rows: Iterable[Sequence[Any]], /) -> None: ...
    def insert_columns(
        self, connection: Any, table: str, columns: Mapping[str, Values], /
    ) -> Any: ...
    def Records(self, connection: Any, table: str, /) -> Bulk: ...


def _rows(connection: Connection) -> _Rows:
    if isinstance(connection, sqlite3.Connection):
        return in_file
    from exams.warehouse.postgresql import rows as on_server  # noqa: PLC0415

    return on_server
