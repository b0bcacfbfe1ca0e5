"""Writes to the warehouse: one transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from exams.contract import Contract
from exams.schema import create, document, quoted
from exams.warehouse.schema import results_sql, results_view, tables
from exams.warehouse.store import BUSY, guarded


@contextmanager
def writing(path: Path, contract: Contract) -> Iterator[Database]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    Tables are created; those of a contract with other fields or scales are emptied first. Raise
    E207 if the file cannot be read.
    """
    opened = closing(sqlite3.connect(path, timeout=BUSY, isolation_level=None))
    with guarded(path), opened as connection:
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN IMMEDIATE")
        try:
            database = Database(connection)
            _prepare(database, contract)
            yield database
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _prepare(database: Database, contract: Contract) -> None:
    connection = database.conn
    view = results_sql(contract)
    former = _sql_of(connection, "results")
    if former is not None and former != view:
        _forget_records(connection, contract)
    create(connection, tables(contract))
    if former != view:
        connection.execute(view)
    document(connection, [results_view(contract)])


def _forget_records(connection: sqlite3.Connection, contract: Contract) -> None:
    """Drop what was loaded under other fields or scales: every quarter is to be loaded anew.

    Columns of two contracts in one table would be read wrong. The history of deliveries stays.
    """
    connection.execute("DROP VIEW results")
    for table in reversed(tables(contract)):
        if table.name != "delivery":
            connection.execute(f"DROP TABLE IF EXISTS {quoted(table.name)}")
    connection.execute("DROP TABLE data_dictionary")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute("UPDATE delivery SET removed = ? WHERE removed IS NULL", [now])


def _sql_of(connection: sqlite3.Connection, name: str) -> str | None:
    found = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name]).fetchone()
    return found[0] if found else None
