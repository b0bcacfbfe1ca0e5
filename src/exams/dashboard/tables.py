"""Published tables, as the dashboard's page of data shows them: by the catalogue's names."""

import json
from typing import Any

from exams import published
from exams.errors import ExamsError
from exams.places import Places
from exams.schema import Table

_KINDS = {"TEXT": "text", "INTEGER": "integer", "REAL": "number"}
_LISTED = ("name", "title", "description", "rows", "hidden", "first_quarter", "last_quarter")


def catalog(places: Places) -> list[dict[str, Any]]:
    """Return what is known of each published table: the catalogue's columns, sources as a list."""
    rows = published.read(places.published, "catalog")
    known = _declared()
    return [
        {name: row[name] for name in _LISTED} | {"sources": json.loads(row["sources"] or "[]")}
        for row in rows
        if row["name"] in known
    ]


def table(places: Places, name: str, quarter: str | None = None) -> dict[str, Any]:
    """Return a table of the catalogue, of one quarter or of all.

    Keys: name, quarter, columns (name, kind, unit, description; key: it names the row), rows
    (lists, in the columns' order). Raise E307 for any other name, which may come from a browser.
    """
    if name not in {entry["name"] for entry in catalog(places)}:
        raise ExamsError("E307", "There is no published table of this name.", "Choose another.")
    declared = _declared()[name]
    rows = published.read(places.published, name, quarter)
    return {
        "name": name,
        "quarter": quarter,
        "columns": [
            {"name": c.name, "kind": _KINDS[c.type], "unit": c.unit}
            | {"description": c.description, "key": c.name in declared.key}
            for c in declared.columns
        ],
        "rows": [[row[c.name] for c in declared.columns] for row in rows],
    }


def _declared() -> dict[str, Table]:
    return {table.name: table for table in published.TABLES}
