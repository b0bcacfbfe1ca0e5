"""Writes to the warehouse: one transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exams.contract import Contract
from exams.files import closed
from exams.schema import create
from exams.warehouse.results import forget_records
from exams.warehouse.schema import tables
from exams.warehouse.store import BUSY, LAYOUT, guarded, release


@contextmanager
def writing(path: Path, contract: Contract) -> Iterator[sqlite3.Connection]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    What the contract needs is created, closed to other users. Raise E207 if the file cannot be
    read.
    """
    opened = closing(sqlite3.connect(closed(path), timeout=BUSY, isolation_level=None))
    with guarded(path), opened as connection:
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN IMMEDIATE")
        try:
            _prepare(connection, contract)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _prepare(connection: sqlite3.Connection, contract: Contract) -> None:
    if release(connection) != LAYOUT:
        forget_records(connection)
    create(connection, tables(contract))
