"""What the API says of the tables: the words of the catalogue and of the data package."""

from typing import Any

from exams.catalog import title
from exams.datapackage import ABOUT
from exams.schema import DICTIONARY, Column
from exams.tables import TABLES

DATABASE = "published"
SERVED = (*TABLES, DICTIONARY)


def about() -> dict[str, Any]:
    """Return Datasette's metadata: each table and each column, with its unit."""
    tables = {
        table.name: {
            "title": title(table.name),
            "description": table.description,
            "columns": {column.name: _column(column) for column in table.columns},
        }
        for table in SERVED
    }
    return {
        "title": "Published exam results",
        "description": ABOUT,
        "databases": {DATABASE: {"tables": tables}},
    }


def _column(column: Column) -> str:
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description
