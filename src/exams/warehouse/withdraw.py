"""Takes a quarter out of the warehouse. Light: needs no pandas."""

import sqlite3
from pathlib import Path

from exams.moments import moment
from exams.schema import quoted
from exams.warehouse.results import drop_result, forget_records, show_results
from exams.warehouse.store import LAYOUT, changing, release

_KEPT = {"delivery"}  # the history of what came


def withdraw_quarter(path: Path, quarter: str) -> None:
    """Delete all that the warehouse holds of `quarter`, in one transaction.

    Its records, quarantine, cube, figures and receipt go, whatever its contract; its deliveries
    stay in the history, marked as removed. Raise E207 if the warehouse cannot be read, E210 if
    another writer keeps it.
    """
    if not path.is_file():
        return
    with changing(path) as connection:
        if release(connection) != LAYOUT:
            forget_records(connection)
        else:
            _delete(connection, quarter)


def _delete(connection: sqlite3.Connection, quarter: str) -> None:
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
    show_results(connection)


def _tables(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the tables that have a column `quarter`, and those with a column `delivery`."""
    found: dict[str, set[str]] = {"quarter": set(), "delivery": set()}
    for column, table in connection.execute(
        "SELECT c.name, m.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND c.name IN ('quarter', 'delivery')"
    ):
        found[column].add(table)
    return found
