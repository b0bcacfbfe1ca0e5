"""Writes to the warehouse: one transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exams.contract import Contract
from exams.files import closed
from exams.schema import create
from exams.warehouse.results import forget_records
from exams.warehouse.schema import tables
from exams.warehouse.store import LAYOUT, changing, release


@contextmanager
def writing(path: Path, contract: Contract) -> Iterator[sqlite3.Connection]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    What the contract needs is created, closed to other users. Raise as `changing`.
    """
    with changing(closed(path)) as connection:
        connection.execute("PRAGMA cache_size = -65536")
        _prepare(connection, contract)
        yield connection


def _prepare(connection: sqlite3.Connection, contract: Contract) -> None:
    if release(connection) != LAYOUT:
        forget_records(connection)
    create(connection, tables(contract))
