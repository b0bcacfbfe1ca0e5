"""Writes to the warehouse: one transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from exams.contract import Contract
from exams.schema import create, quoted
from exams.warehouse.results import show_results
from exams.warehouse.schema import tables
from exams.warehouse.store import BUSY, guarded

_LAYOUT = 2  # of the tables; records that lie in another one are loaded anew


@contextmanager
def writing(path: Path, contract: Contract) -> Iterator[sqlite3.Connection]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    What the contract needs is created. Raise E207 if the file cannot be read.
    """
    opened = closing(sqlite3.connect(path, timeout=BUSY, isolation_level=None))
    with guarded(path), opened as connection:
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN IMMEDIATE")
        try:
            _prepare(connection, contract)
            yield connection
            show_results(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _prepare(connection: sqlite3.Connection, contract: Contract) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] != _LAYOUT:
        _forget_records(connection)
        connection.execute(f"PRAGMA user_version = {_LAYOUT}")
    create(connection, tables(contract))


def _forget_records(connection: sqlite3.Connection) -> None:
    """Drop what was loaded by another release: every quarter is to be loaded anew.

    The history of deliveries stays.
    """
    listed = connection.execute("SELECT type, name FROM sqlite_master WHERE type <> 'index'")
    for kind, name in sorted(listed.fetchall(), reverse=True):  # views first
        if name != "delivery":
            connection.execute(f"DROP {kind} {quoted(name)}")
        else:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute("UPDATE delivery SET removed = ? WHERE removed IS NULL", [now])
