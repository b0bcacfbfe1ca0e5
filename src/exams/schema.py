"""Tables and columns with their meaning: written once, created and documented from here."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: SQL type (TEXT, INTEGER, REAL or BLOB), meaning (of null, too) and unit."""

    name: str
    type: str
    description: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A table: `description` starts with "One row per"; `key` names the primary key."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...] = ()  # (column, table, column)
    clustered: bool = False  # rows lie in the order of the key, without an index beside them

    def sql(self) -> str:
        """Return the statement that creates the table."""
        lines = [f"{quoted(c.name)} {c.type}" for c in self.columns]
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, self.key))})")
        lines += [
            f"FOREIGN KEY ({quoted(column)}) REFERENCES {quoted(table)}({quoted(other)})"
            for column, table, other in self.references
        ]
        end = "\n) WITHOUT ROWID" if self.clustered else "\n)"
        return f"CREATE TABLE IF NOT EXISTS {quoted(self.name)} (\n  " + ",\n  ".join(lines) + end


DICTIONARY = Table(
    "data_dictionary",
    "One row per table (column empty) and per column of this database: what it means.",
    (
        Column("table", "TEXT", "Table or view."),
        Column("column", "TEXT", "Column; empty for the table itself."),
        Column("type", "TEXT", "SQL type; empty for the table itself."),
        Column("unit", "TEXT", "Unit of measure; empty where there is none."),
        Column("description", "TEXT", "Meaning, and the meaning of null where it can occur."),
    ),
    ("table", "column"),
)


def quoted(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def create(connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Create the tables and columns that are missing, and write the data dictionary anew.

    Columns that are no longer asked for stay as they are.
    """
    tables = [*tables, DICTIONARY]
    for table in tables:
        connection.execute(table.sql())
        present = columns(connection, table.name)
        for column in table.columns:
            if column.name not in present:
                added = f"{quoted(column.name)} {column.type}"
                connection.execute(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {added}")
    document(connection, tables)


def columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return the columns that a table has, in order, and their types."""
    found = connection.execute("SELECT name, type FROM pragma_table_info(?)", [table])
    return dict(found.fetchall())


def document(connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Write the rows of `data_dictionary` for `tables` (replaced, if they are there)."""
    rows = [
        row
        for table in tables
        for row in [
            (table.name, "", "", "", table.description),
            *((table.name, c.name, c.type, c.unit, c.description) for c in table.columns),
        ]
    ]
    connection.executemany(
        "INSERT INTO data_dictionary VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " type = excluded.type, unit = excluded.unit, description = excluded.description",
        rows,
    )
