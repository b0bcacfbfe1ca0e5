"""Writes to the warehouse: one transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from exams.contract import Contract
from exams.schema import create, document
from exams.warehouse.schema import results_sql, results_view, tables
from exams.warehouse.store import BUSY, guarded


@contextmanager
def writing(path: Path, contract: Contract) -> Iterator[Database]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    Tables are created, and columns added that the contract has gained. Raise E207 if the file
    cannot be read.
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
    declared = tables(contract)
    create(connection, declared)
    for table in declared:
        present = database.table(table.name).columns_dict
        for column in table.columns:
            if column.name not in present:
                kind = {"TEXT": str, "REAL": float}.get(column.type, int)
                database.table(table.name).add_column(column.name, kind)
    view = results_sql(contract)
    if view != _sql_of(connection, "results"):
        connection.execute("DROP VIEW IF EXISTS results")
        connection.execute(view)
    document(connection, [results_view(contract)])


def _sql_of(connection: sqlite3.Connection, name: str) -> str | None:
    found = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name]).fetchone()
    return found[0] if found else None
