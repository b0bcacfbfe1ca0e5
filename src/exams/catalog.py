"""The catalogue of published.db: what its tables hold, to be searched, and how they are linked."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from exams.protection import PROTECTION, Counted, Derived, Exempt, Summed
from exams.schema import Table, columns, quoted
from exams.tables import CATALOG, TABLES

_SEARCHED = ["name", "title", "description", "dimensions", "measures"]


def write_catalog(connection: sqlite3.Connection) -> None:
    """Write the catalogue anew, with its full text index and the foreign keys of all tables."""
    database = Database(connection)
    catalog = database.table(CATALOG.name)
    catalog.delete_where()
    catalog.insert_all([_entry(connection, table) for table in TABLES if table != CATALOG])
    if catalog.detect_fts() is None:
        catalog.enable_fts(_SEARCHED, create_triggers=True)
    missing = [
        (table.name, "quarter", "publication", "quarter")
        for table in TABLES
        if table.name not in (CATALOG.name, "publication")
        and not database.table(table.name).foreign_keys
    ]
    if missing:
        database.add_foreign_keys(missing)


def title(table: str) -> str:
    """Return the name of a table for people."""
    return table.replace("_", " ").capitalize()


def _entry(connection: sqlite3.Connection, table: Table) -> dict[str, Any]:
    hidden = "sum(suppressed)" if "suppressed" in columns(connection, table.name) else "0"
    rows, away, first, last = connection.execute(
        f"SELECT count(*), coalesce({hidden}, 0), min(quarter), max(quarter)"
        f" FROM {quoted(table.name)}"
    ).fetchone()
    named = [c.name for c in table.columns]
    return {
        "name": table.name,
        "title": title(table.name),
        "description": table.description,
        "dimensions": json.dumps([name for name in named if name in table.key]),
        "measures": json.dumps([name for name in named if name not in (*table.key, "suppressed")]),
        "rows": rows,
        "hidden": away,
        "sources": json.dumps(list(_sources(table.name))),
        "first_quarter": first,
        "last_quarter": last,
    }


def _sources(name: str) -> Iterator[str]:
    """Yield what a table is made of: other published tables, or a part of the warehouse."""
    declared = PROTECTION[name]
    if isinstance(declared, Derived):
        yield from dict.fromkeys(source.table for source in declared.sources)
    elif isinstance(declared, Summed):
        yield declared.source
    elif isinstance(declared, Counted):
        yield "results"
    elif isinstance(declared, Exempt):
        yield declared.source
