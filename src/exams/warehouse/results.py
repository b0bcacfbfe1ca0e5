"""The records of each quarter in a table of their own, and all of them in the view `results`.

A quarter is replaced whole; and each quarter has the columns of its own contract: its table has a
view of its own, `labelled_2019Q1`, that tells what they mean. The views `results` and `labelled`
put these together.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from exams.contract import Contract
from exams.moments import moment
from exams.schema import Column, Table, quoted
from exams.warehouse.dialect import Connection, structure
from exams.warehouse.labelled import KEY, labelled_query, labelled_view
from exams.warehouse.schema import result_table
from exams.warehouse.sql import FORMER, UNDOCUMENT, as_text, cast
from exams.warehouse.store import LAYOUT

_RECORDS, _LABELLED = "result_", "labelled_"  # begin the names of a quarter's table and view
_WIDER = ("INTEGER", "REAL", "TEXT")


def result_of(quarter: str) -> str:
    """Return the name of the table that holds the records of `quarter`."""
    return _RECORDS + quarter


def clear_result(connection: Connection, contract: Contract, quarter: str) -> Table:
    """Return the table to be filled with the records of `quarter` under its contract: empty.

    It takes its place, if it is not there already, with `show_results`.
    """
    store = structure(connection)

    def query(table: str) -> str:
        return labelled_query(contract, quarter, table, store.hexadecimal)

    table, view = _described(contract, quarter)
    return store.clear(connection, table, view, query)


def count_results(connection: Connection, quarter: str) -> int:
    """Return how many records of `quarter` are loaded."""
    name = result_of(quarter)
    if name not in structure(connection).names(connection):
        return 0
    return int(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])


def drop_result(connection: Connection, quarter: str) -> None:
    """Drop the table of `quarter`, which is not loaded any more, and what is said of it."""
    store = structure(connection)
    if result_of(quarter) not in store.names(connection):
        return
    connection.execute(f"DELETE FROM {quoted(result_of(quarter))}")

    def change() -> None:
        store.retire(connection, _LABELLED + quarter, result_of(quarter))
        _show(connection)

    store.patiently(connection, change)


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


def show_results(connection: Connection, contract: Contract, quarter: str) -> None:
    """Make the views show the records of every loaded quarter; `quarter` was just filled."""
    store = structure(connection)

    def change() -> None:
        store.settle(connection)
        for table in _described(contract, quarter):
            connection.execute(UNDOCUMENT, [table.name])
            store.document(connection, [table])
        _show(connection)

    store.patiently(connection, change)


def has_former(connection: Connection) -> bool:
    """Say whether there are tables that only former transactions may see rows of."""
    return any(FORMER in name for name in structure(connection).names(connection))


def tidy_results(connection: Connection) -> None:
    """Drop former tables of records that nobody can see any more."""
    structure(connection).tidy(connection, lambda: _show(connection))


def _described(contract: Contract, quarter: str) -> tuple[Table, Table]:
    """Return the table of a quarter's records, and the view of it."""
    table = result_table(contract, result_of(quarter))
    return table, labelled_view(contract, _LABELLED + quarter)


@dataclass(frozen=True)
class _Arm:
    """The view of a quarter's records, as it is described; `levels` are in `labelled` alone."""

    view: str
    fields: dict[str, Column]
    levels: dict[str, Column]

    def without(self, fields: Collection[str]) -> "_Arm":
        """Return it without levels whose names are those of `fields` of other quarters."""
        kept = {name: column for name, column in self.levels.items() if name not in fields}
        return replace(self, levels=kept)

    def select(self, shown: Iterable[Column]) -> str:
        """Return the query of its records, with nulls for columns that it does not have."""
        values = [f"{self._value(column)} AS {quoted(column.name)}" for column in shown]
        return f"SELECT {', '.join(values)} FROM {quoted(self.view)}"

    def _value(self, column: Column) -> str:
        own = (self.levels | self.fields).get(column.name)
        value = quoted(column.name) if own else "NULL"
        if own and own.type == column.type:
            return value
        return as_text(value) if own and own.type == "REAL" else cast(value, column.type)


def _show(connection: Connection) -> None:
    """Make the views `results`, with every field of any quarter, and `labelled`."""
    arms = _arms(connection)
    fields = _together([arm.fields for arm in arms], _first(connection))
    arms = [arm.without(fields) for arm in arms]
    levels = _together([arm.levels for arm in arms], [])
    what = "One row per loaded record, as people read it."
    _show_all(connection, Table("results", what, tuple(fields.values()), KEY), arms)
    what = "One row per loaded record, as in results, with its score levels."
    labelled = Table("labelled", what, (*fields.values(), *levels.values()), KEY)
    _show_all(connection, labelled, arms)


def _show_all(connection: Connection, view: Table, arms: list[_Arm]) -> None:
    store = structure(connection)
    connection.execute(UNDOCUMENT, [view.name])
    oldest_first = [arm.select(view.columns) for arm in reversed(arms)]
    store.show(connection, view.name, "\nUNION ALL\n".join(oldest_first) or None)
    if arms:
        store.document(connection, [view])


def _arms(connection: Connection) -> list[_Arm]:
    """Return the views of quarters that there are, newest first, and those of former records."""
    query = (
        'SELECT "table", "column", type, description, unit FROM data_dictionary'
        " WHERE \"column\" <> '' ORDER BY rowid"
    )
    described: dict[str, list[Column]] = {}
    for table, *column in connection.execute(query).fetchall():
        described.setdefault(table, []).append(Column(*column))
    there = structure(connection).names(connection)
    views = [name for name in there if name.startswith(_LABELLED) and name in described]
    arms = []
    for view in sorted(views, key=lambda name: (FORMER not in name, name), reverse=True):
        held = {column.name for column in described[_RECORDS + view.removeprefix(_LABELLED)]}
        columns = described[view]
        last = max(at for at, column in enumerate(columns) if column.name in held)
        parts = columns[: last + 1], columns[last + 1 :]
        arms.append(_Arm(view, *({c.name: c for c in part} for part in parts)))
    return arms


def _first(connection: Connection) -> list[str]:
    """Return the columns that come first in a view: those of the file, and the dimensions."""
    dimensions = structure(connection).columns(connection, "profile")
    return [*KEY, *(name for name in dimensions if name != "id")]


def _together(every: list[dict[str, Column]], first: list[str]) -> dict[str, Column]:
    """Return the columns of all, `first` ones first; each as the first of `every` describes it.

    Its type is one that has the values of all.
    """
    found: dict[str, Column] = {}
    for columns in every:
        for name, column in columns.items():
            known = found.get(name, column)
            kind = max(known.type, column.type, key=_WIDER.index)
            found[name] = replace(known, type=kind)
    return {name: found[name] for name in dict.fromkeys((*first, *found)) if name in found}
