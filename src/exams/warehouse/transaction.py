"""Writes to the warehouse: one transaction, all of it or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from exams.contract import Contract
from exams.errors import ExamsError
from exams.places import Warehouse
from exams.warehouse.dialect import Connection, opening, structure
from exams.warehouse.results import forget_records, has_former, tidy_results
from exams.warehouse.schema import tables
from exams.warehouse.store import changing, is_former


@contextmanager
def writing(warehouse: Warehouse, contract: Contract) -> Iterator[Connection]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    What the contract needs is created. Raise as `changing`.
    """
    with tidying(warehouse) as connection:
        store = structure(connection)
        store.ready(connection)
        if is_former(connection, warehouse):
            forget_records(connection)
        store.create(connection, tables(contract))
        yield connection


@contextmanager
def tidying(warehouse: Warehouse) -> Iterator[Connection]:
    """Yield the warehouse as `changing`; then drop former tables that nobody can see any more.

    That is a transaction of its own. Whatever stops it, the work is done: the next one will tidy.
    """
    with changing(warehouse) as connection:
        yield connection
        left = has_former(connection)
    if left:
        with suppress(ExamsError), opening(warehouse).changing(warehouse, 0) as connection:
            tidy_results(connection)
