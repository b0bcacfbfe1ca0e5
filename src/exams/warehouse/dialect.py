"""What the two stores do each in its way: SQLite, a file, and PostgreSQL, a server.

All other SQL of the warehouse is understood by both. Values stand for `?`.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from exams.errors import ExamsError
from exams.places import Server, Warehouse
from exams.schema import Table
from exams.warehouse.sqlite import opening as of_file
from exams.warehouse.sqlite import structure as in_file


class Connection(Protocol):
    """A connection to either store."""

    def execute(self, query: str, values: Sequence[Any] = ..., /) -> Any:
        """Execute a statement with values for its `?`; return a cursor."""

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Execute a statement once per row of values."""


class Opening(Protocol):
    """How a store is opened; what they promise is said in warehouse/sqlite/opening.py."""

    def reading(self, warehouse: Any, wait: float, /) -> AbstractContextManager[Any]: ...
    def changing(self, warehouse: Any, wait: float, /) -> AbstractContextManager[Any]: ...
    def is_busy(self, warehouse: Any, /) -> bool: ...
    def scrub(self, warehouse: Any, wait: float, /) -> None: ...


class Structure(Protocol):
    """Tables and views of a store; what they promise is said in warehouse/sqlite/structure.py."""

    def release(self, connection: Any, /) -> int: ...
    def set_release(self, connection: Any, number: int, /) -> None: ...
    def ready(self, connection: Any, /) -> None: ...
    def names(self, connection: Any, /) -> dict[str, str]: ...
    def columns(self, connection: Any, table: str, /) -> dict[str, str]: ...
    def create(self, connection: Any, tables: Iterable[Table], /) -> None: ...
    def document(self, connection: Any, tables: Iterable[Table], /) -> None: ...
    def clear(
        self, connection: Any, table: Table, view: Table, query: Callable[[str], str], /
    ) -> Table: ...
    def retire(self, connection: Any, view: str, table: str, /) -> None: ...
    def drop_all(self, connection: Any, kept: Collection[str], /) -> None: ...
    def patiently(self, connection: Any, change: Callable[[], None], /) -> None: ...
    def settle(self, connection: Any, /) -> None: ...
    def tidy(self, connection: Any, show: Callable[[], None], /) -> None: ...
    def show(self, connection: Any, view: str, query: str | None, /) -> None: ...
    def hexadecimal(self, column: str, /) -> str: ...


def opening(warehouse: Warehouse) -> Opening:
    """Return how the store of `warehouse` is opened; raise E218 if a package for it is missing."""
    if not isinstance(warehouse, Server):
        return of_file
    try:
        from exams.warehouse.postgresql import opening as of_server  # noqa: PLC0415
    except ImportError:
        remedy = "Install it: `.venv/bin/python -m pip install -e '.[postgresql]'`."
        what = "A warehouse on a server needs the package psycopg."
        raise ExamsError("E218", what, remedy) from None
    return of_server


def structure(connection: Connection) -> Structure:
    """Return how tables and views are made in the store of `connection`."""
    if isinstance(connection, sqlite3.Connection):
        return in_file
    from exams.warehouse.postgresql import structure as on_server  # noqa: PLC0415

    return on_server
