"""The records of each quarter in a table of their own, and all of them in the view `results`.

A quarter is replaced whole: to drop a table takes no time, to delete its rows takes half as long
as to insert them. And each quarter has the columns of its own contract.
"""

import sqlite3
from dataclasses import dataclass

from exams.contract import Contract
from exams.moments import moment
from exams.schema import Column, Table, columns, create, document, quoted
from exams.warehouse.deliveries import LINE, QUARTER
from exams.warehouse.labelled import show_labelled
from exams.warehouse.schema import result_table
from exams.warehouse.store import LAYOUT

_PREFIX = "result_"
_KEYS = ("key", "profile")


def result_of(quarter: str) -> str:
    """Return the name of the table that holds the records of `quarter`."""
    return _PREFIX + quarter


def create_result(connection: sqlite3.Connection, contract: Contract, quarter: str) -> None:
    """Create the table for the records of `quarter` under its contract."""
    create(connection, [result_table(contract, result_of(quarter))])


def drop_result(connection: sqlite3.Connection, quarter: str) -> None:
    """Drop the table of `quarter`, and what is said of it."""
    name = result_of(quarter)
    connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
    connection.execute('DELETE FROM data_dictionary WHERE "table" = ?', [name])


def forget_records(connection: sqlite3.Connection) -> None:
    """Drop all that another release has made, but for the history of deliveries.

    Every quarter is to be loaded anew.
    """
    listed = connection.execute("SELECT type, name FROM sqlite_master WHERE type <> 'index'")
    for kind, name in sorted(listed.fetchall(), reverse=True):  # views first
        if name != "delivery":
            connection.execute(f"DROP {kind} {quoted(name)}")
        else:
            now = moment()
            connection.execute("UPDATE delivery SET removed = ? WHERE removed IS NULL", [now])
    connection.execute(f"PRAGMA user_version = {LAYOUT}")


def show_results(connection: sqlite3.Connection) -> None:
    """Make the view `results` show the records of every quarter, with every field of any.

    And the view `labelled`, which adds their score levels.
    """
    quarters = [_Quarter.read(connection, name) for name in _tables(connection)]
    connection.execute("DROP VIEW IF EXISTS results")
    connection.execute("DELETE FROM data_dictionary WHERE \"table\" = 'results'")
    if not quarters:
        show_labelled(connection)
        return
    dimensions = [name for name in columns(connection, "profile") if name != "id"]
    fields = dict.fromkeys(name for q in reversed(quarters) for name in q.kinds)
    fields = dict.fromkeys(name for name in fields if name not in dimensions)
    chosen = [q.select(dimensions, list(fields)) for q in quarters]
    connection.execute("CREATE VIEW results AS\n" + "\nUNION ALL\n".join(chosen))
    document(connection, [_described(connection, dimensions, quarters, list(fields))])
    show_labelled(connection)


@dataclass(frozen=True)
class _Quarter:
    """The table of a quarter: kind and decimals of its fields."""

    name: str
    kinds: dict[str, str]
    decimals: dict[str, int]

    @classmethod
    def read(cls, connection: sqlite3.Connection, table: str) -> "_Quarter":
        quarter = table.removeprefix(_PREFIX)
        kinds = {n: k for n, k in columns(connection, table).items() if n not in _KEYS}
        found = connection.execute(
            "SELECT name, decimals FROM contract_field WHERE quarter = ? AND role = 'score'",
            [quarter],
        )
        return cls(quarter, kinds, dict(found.fetchall()))

    def select(self, dimensions: list[str], fields: list[str]) -> str:
        """Return the query of the quarter's records, with nulls for fields it does not have."""
        shown = [
            f"'{self.name}' AS quarter, d.file, r.key & 4294967295 AS line",
            *(f"{self._level(name)} AS {quoted(name)}" for name in dimensions),
            *(f"{self._value(name)} AS {quoted(name)}" for name in fields),
        ]
        return (
            f"SELECT {', '.join(shown)} FROM {quoted(result_of(self.name))} r"
            " JOIN delivery d ON d.id = r.key >> 32 JOIN profile p ON p.id = r.profile"
        )

    def _level(self, name: str) -> str:
        """Return a dimension, which may be a score under the contract of this quarter."""
        return self._value(name) if name in self.kinds else f"p.{quoted(name)}"

    def _value(self, field: str) -> str:
        column = f"r.{quoted(field)}"
        if field not in self.kinds:
            return "NULL"
        if self.kinds[field] == "BLOB":
            return f"nullif(lower(hex({column})), '')"
        decimals = self.decimals.get(field, 0)
        return f"{column} / {10**decimals}.0" if decimals else column


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB ? ORDER BY name",
        [f"{_PREFIX}*"],
    )
    return [name for (name,) in found]


def _described(
    connection: sqlite3.Connection,
    dimensions: list[str],
    quarters: list[_Quarter],
    fields: list[str],
) -> Table:
    """Return the description of the view; of a field, that of the newest quarter which has it."""
    meanings = dict(
        connection.execute(
            'SELECT "column", description FROM data_dictionary'
            ' WHERE "table" = \'profile\' OR "table" GLOB ? ORDER BY "table"',
            [f"{_PREFIX}*"],
        ).fetchall()
    )
    shown = [QUARTER, Column("file", "TEXT", "Name of the file."), LINE]
    shown += [Column(name, "TEXT", meanings[name]) for name in dimensions]
    for name in fields:
        whole = not any(q.decimals.get(name) for q in quarters)
        blob = any(q.kinds.get(name) == "BLOB" for q in quarters)
        kind = "TEXT" if blob else "INTEGER" if whole else "REAL"
        shown.append(Column(name, kind, meanings[name]))
    what = "One row per loaded record, as people read it."
    return Table("results", what, tuple(shown), ("quarter", "file", "line"))
