"""Writes to the warehouse: one transaction, all of it or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from exams.contract import Contract
from exams.places import Warehouse
from exams.warehouse.dialect import Connection, structure
from exams.warehouse.results import forget_records, tidy_results
from exams.warehouse.schema import tables
from exams.warehouse.store import changing, is_former


@contextmanager
def writing(warehouse: Warehouse, contract: Contract) -> Iterator[Connection]:
    """Yield the warehouse in ONE transaction: all that is done in it stays, or nothing.

    What the contract needs is created. Raise as `changing`.
    """
    with changing(warehouse) as connection:
        store = structure(connection)
        store.ready(connection)
        if is_former(connection, warehouse):
            forget_records(connection)
        store.create(connection, tables(contract))
        yield connection
        tidy_results(connection)
