"""Tables and views of the warehouse that is a file. Light: needs no numpy."""

import sqlite3
from collections.abc import Callable, Collection

from exams.schema import Table, columns, create, document, quoted
from exams.warehouse.sql import UNDOCUMENT

__all__ = ["clear", "columns", "create", "document", "drop_all", "hexadecimal", "names"]
__all__ += ["patiently", "ready", "release", "retire", "set_release", "settle", "show", "tidy"]


def release(connection: sqlite3.Connection) -> int:
    """Return the number of the layout that the tables have."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def set_release(connection: sqlite3.Connection, number: int) -> None:
    """Note the number of the layout that the tables have."""
    connection.execute(f"PRAGMA user_version = {number}")


def ready(connection: sqlite3.Connection) -> None:
    """Make the connection ready for bulk, and for images (see `records`)."""
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA secure_delete = FAST")  # the pages are soon written anew
    connection.execute("ATTACH ':memory:' AS image")


def names(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what there is, by name: "table" or "view"."""
    found = "SELECT name, type FROM sqlite_master WHERE type <> 'index' ORDER BY name"
    return dict(connection.execute(found).fetchall())


def clear(
    connection: sqlite3.Connection, table: Table, view: Table, query: Callable[[str], str]
) -> Table:
    """Make `table` anew, without rows, and the `view` that shows what `query` selects of it.

    Return the table that is to be filled: itself. To drop a table takes no time, to delete its
    rows takes half as long as to insert them.
    """
    connection.execute(f"DROP TABLE IF EXISTS {quoted(table.name)}")
    create(connection, [table])
    show(connection, view.name, query(table.name))
    return table


def retire(connection: sqlite3.Connection, view: str, table: str) -> None:
    """Drop a view and the table that it shows, and what is said of them."""
    connection.execute(f"DROP VIEW {quoted(view)}")
    connection.execute(f"DROP TABLE {quoted(table)}")
    connection.executemany(UNDOCUMENT, [[view], [table]])


def drop_all(connection: sqlite3.Connection, kept: Collection[str]) -> None:
    """Drop all tables and views but those to be `kept`."""
    for name, kind in sorted(names(connection).items(), key=lambda item: item[1], reverse=True):
        if name not in kept:  # views first
            connection.execute(f"DROP {kind} {quoted(name)}")


def patiently(connection: sqlite3.Connection, change: Callable[[], None]) -> None:
    """Make a change to tables or views: who writes is alone here."""
    change()


def settle(connection: sqlite3.Connection) -> None:
    """Put what was made beside others in its place: here is none."""


def tidy(connection: sqlite3.Connection, show: Callable[[], None]) -> None:
    """Drop what is former: who reads a file sees one state of all of it, whatever is dropped."""


def show(connection: sqlite3.Connection, view: str, query: str | None) -> None:
    """Make a view show what `query` selects; None: there is to be no such view."""
    connection.execute(f"DROP VIEW IF EXISTS {quoted(view)}")
    if query:
        connection.execute(f"CREATE VIEW {quoted(view)} AS\n{query}")


def hexadecimal(column: str) -> str:
    """Return the expression for bytes as text: in lower case, null for none."""
    return f"nullif(lower(hex({column})), '')"
