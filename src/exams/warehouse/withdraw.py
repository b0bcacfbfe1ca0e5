"""Takes a quarter out of the warehouse. Light: needs no pandas."""

from exams.moments import moment
from exams.places import Warehouse
from exams.schema import quoted
from exams.warehouse.dialect import Connection, structure
from exams.warehouse.offices import is_foreign
from exams.warehouse.results import drop_result, forget_records
from exams.warehouse.sql import OURS
from exams.warehouse.store import exists, is_former
from exams.warehouse.transaction import tidying

_KEPT = {"delivery"}  # the history of what came


def withdraw_quarter(warehouse: Warehouse, quarter: str) -> None:
    """Delete all that the warehouse holds of `quarter`, in one transaction.

    Its records, quarantine, cube, figures and receipt go, whatever its contract; its deliveries
    stay in the history, marked as removed. What another office has loaded is left alone. Raise
    E207 if the warehouse cannot be read, E210 if another writer keeps it.
    """
    if not exists(warehouse):
        return
    with tidying(warehouse) as connection:
        if is_former(connection, warehouse):
            forget_records(connection)
        elif not is_foreign(connection, warehouse, quarter):
            _delete(connection, quarter)


def _delete(connection: Connection, quarter: str) -> None:
    tables = _tables(connection)
    for table in tables["quarter"] - _KEPT:
        connection.execute(f"DELETE FROM {quoted(table)} WHERE quarter = ?", [quarter])
    current = connection.execute(
        "SELECT id FROM delivery WHERE quarter = ? AND removed IS NULL", [quarter]
    ).fetchall()
    now = moment()
    for (number,) in current:
        for table in tables["delivery"]:
            connection.execute(f"DELETE FROM {quoted(table)} WHERE delivery = ?", [number])
        connection.execute("UPDATE delivery SET removed = ? WHERE id = ?", [now, number])
    drop_result(connection, quarter)


def _tables(connection: Connection) -> dict[str, set[str]]:
    """Return our tables that have a column `quarter`, and those with a column `delivery`."""
    store = structure(connection)
    ours = connection.execute(OURS).fetchall()
    found: dict[str, set[str]] = {"quarter": set(), "delivery": set()}
    for table, kind in store.names(connection).items():
        for column in found.keys() & store.columns(connection, table).keys():
            if kind == "table" and (table,) in ours:
                found[column].add(table)
    return found
