"""The records of each quarter in a table of their own, and all of them in the view `results`.

A quarter is replaced whole; and each quarter has the columns of its own contract.
"""

from dataclasses import dataclass

from exams.contract import Contract
from exams.moments import moment
from exams.schema import Column, Table, quoted
from exams.warehouse.deliveries import LINE, QUARTER
from exams.warehouse.dialect import Connection, structure
from exams.warehouse.labelled import show_labelled
from exams.warehouse.schema import result_table
from exams.warehouse.sql import cast, in_units
from exams.warehouse.store import LAYOUT

_PREFIX = "result_"
_KEYS = ("key", "profile")


def result_of(quarter: str) -> str:
    """Return the name of the table that holds the records of `quarter`."""
    return _PREFIX + quarter


def clear_result(connection: Connection, contract: Contract, quarter: str) -> Table:
    """Return the table to be filled with the records of `quarter` under its contract: empty.

    It takes its place, if it is not there already, with `show_results`.
    """
    table = result_table(contract, result_of(quarter))
    filled = structure(connection).clear(connection, table)
    _undocument(connection, table.name)
    structure(connection).document(connection, [table])
    return filled


def count_results(connection: Connection, quarter: str) -> int:
    """Return how many records of `quarter` are loaded."""
    name = result_of(quarter)
    if name not in structure(connection).names(connection):
        return 0
    return int(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])


def drop_result(connection: Connection, quarter: str) -> None:
    """Drop the table of `quarter`, which is not loaded any more, and what is said of it.

    The views go first and in the same moment: nobody waits for them while the table is read.
    """
    store, name = structure(connection), result_of(quarter)

    def change() -> None:
        _show(connection)
        store.drop(connection, name)

    store.patiently(connection, change)
    _undocument(connection, name)


def _undocument(connection: Connection, name: str) -> None:
    connection.execute('DELETE FROM data_dictionary WHERE "table" = ?', [name])


def forget_records(connection: Connection) -> None:
    """Drop all that another release has made, but for the history of deliveries.

    Every quarter is to be loaded anew.
    """
    store = structure(connection)
    history = "delivery"
    if history in store.names(connection):
        now = moment()
        connection.execute("UPDATE delivery SET removed = ? WHERE removed IS NULL", [now])
    store.drop_all(connection, [history])
    store.set_release(connection, LAYOUT)


def show_results(connection: Connection) -> None:
    """Make the view `results` show the records of every loaded quarter, with every field of any.

    And the view `labelled`, which adds their score levels.
    """
    structure(connection).patiently(connection, lambda: _show(connection))


def _show(connection: Connection) -> None:
    store = structure(connection)
    store.settle(connection)
    quarters = [_Quarter.read(connection, name) for name in _tables(connection)]
    _undocument(connection, "results")
    if not quarters:
        store.show(connection, "labelled", None)
        store.show(connection, "results", None)
        show_labelled(connection)
        return
    dimensions = [name for name in store.columns(connection, "profile") if name != "id"]
    fields = dict.fromkeys(name for q in reversed(quarters) for name in q.kinds)
    shown = _described(connection, dimensions, quarters, [f for f in fields if f not in dimensions])
    chosen = [q.select(dimensions, shown) for q in quarters]
    store.show(connection, "results", "\nUNION ALL\n".join(chosen))
    store.document(connection, [shown])
    show_labelled(connection)


@dataclass(frozen=True)
class _Quarter:
    """The table of a quarter: kind and decimals of its fields."""

    name: str
    kinds: dict[str, str]
    decimals: dict[str, int]
    pseudonym: str  # expression for one, of a column {}

    @classmethod
    def read(cls, connection: Connection, table: str) -> "_Quarter":
        quarter = table.removeprefix(_PREFIX)
        store = structure(connection)
        kinds = {n: k for n, k in store.columns(connection, table).items() if n not in _KEYS}
        found = connection.execute(
            "SELECT name, decimals FROM contract_field WHERE quarter = ? AND role = 'score'",
            [quarter],
        )
        return cls(quarter, kinds, dict(found.fetchall()), store.hexadecimal("{}"))

    def select(self, dimensions: list[str], view: Table) -> str:
        """Return the query of the quarter's records, with nulls for fields it does not have."""
        of_file, fields = view.columns[:3], view.columns[3 + len(dimensions) :]
        shown = [
            f"'{self.name}' AS quarter, d.file, r.key & 4294967295 AS {of_file[2].name}",
            *(f"{self._level(name)} AS {quoted(name)}" for name in dimensions),
            *(f"{self._value(f.name, f.type)} AS {quoted(f.name)}" for f in fields),
        ]
        return (
            f"SELECT {', '.join(shown)} FROM {quoted(result_of(self.name))} r"
            " JOIN delivery d ON d.id = r.key >> 32 JOIN profile p ON p.id = r.profile"
        )

    def _level(self, name: str) -> str:
        """Return a dimension, which may be a score under the contract of this quarter."""
        return self._value(name, "TEXT") if name in self.kinds else f"p.{quoted(name)}"

    def _value(self, field: str, kind: str) -> str:
        column = f"r.{quoted(field)}"
        if field not in self.kinds:
            return cast("NULL", kind)
        if self.kinds[field] == "BLOB":
            return self.pseudonym.format(column)
        value = in_units(column, self.decimals.get(field, 0))
        return value if kind == "REAL" else cast(value, kind)


def _tables(connection: Connection) -> list[str]:
    """Return the tables of the loaded quarters, oldest first."""
    found = connection.execute("SELECT quarter FROM loaded ORDER BY quarter").fetchall()
    there = structure(connection).names(connection)
    return [name for (quarter,) in found if (name := result_of(quarter)) in there]


def _described(
    connection: Connection, dimensions: list[str], quarters: list[_Quarter], fields: list[str]
) -> Table:
    """Return the description of the view; of a field, that of the newest quarter which has it."""
    names = ["profile", *(result_of(q.name) for q in quarters)]
    marks = ", ".join("?" * len(names))
    meanings = dict(
        connection.execute(
            'SELECT "column", description FROM data_dictionary'
            f' WHERE "table" IN ({marks}) ORDER BY "table"',
            names,
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
