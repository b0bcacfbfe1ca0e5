"""Reads the warehouse; knows what is loaded. Light: every build imports it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exams.errors import ExamsError
from exams.places import Warehouse, mark_of
from exams.warehouse.dialect import Connection, opening, structure
from exams.warehouse.sqlite.opening import PIECE

LAYOUT = 5  # of the tables; what lies in another one is loaded anew
BUSY = 60.0  # seconds to wait for another writer of a file,
TURN = 900.0  # and of a server: other offices may load large quarters


def exists(warehouse: Warehouse) -> bool:
    """Say whether anything was ever written to the warehouse; raise E212 if it is out of reach."""
    if isinstance(warehouse, Path):
        return warehouse.is_file()
    try:
        with reading(warehouse, any_release=True):
            return True
    except ExamsError as error:
        if error.code != "E203":
            raise
        return False


@contextmanager
def reading(
    warehouse: Warehouse, *, any_release: bool = False, wait: float = BUSY
) -> Iterator[Connection]:
    """Yield a read-only connection; raise E203 if there is no warehouse, E207 if it is broken.

    Raise E210 if a writer keeps it, E211 if another release made its tables, unless they may be
    of `any_release`; of a server as its module says.
    """
    with opening(warehouse).reading(warehouse, wait) as connection:
        if not any_release and release(connection) != LAYOUT:
            what = f"{warehouse.name} was made by another release of this program."
            raise ExamsError("E211", what, "Run `exams build --due`: it loads every quarter again.")
        yield connection


@contextmanager
def changing(warehouse: Warehouse) -> Iterator[Connection]:
    """Yield a connection in a transaction: committed at the end, undone by an error.

    Raise E207 if the warehouse is broken, E210 if another writer keeps it; of a server as its
    module says.
    """
    with opening(warehouse).changing(warehouse, wait_of(warehouse)) as connection:
        yield connection


def wait_of(warehouse: Warehouse) -> float:
    """Return for how many seconds another writer is waited for."""
    return BUSY if isinstance(warehouse, Path) else TURN


def of_office(warehouse: Warehouse, column: str = "office") -> tuple[str, list[str]]:
    """Return a condition on the `column` of offices, with its values, for what is this one's.

    A file has only one office.
    """
    if isinstance(warehouse, Path):
        return "TRUE", []
    return f"{column} = ?", [mark_of(warehouse.home)]


def release(connection: Connection) -> int:
    """Return the number of the layout that the tables have."""
    return structure(connection).release(connection)


def is_former(connection: Connection, warehouse: Warehouse) -> bool:
    """Say whether the tables are of another release, and to be made anew.

    Raise E211 if a newer release has made those of a server: offices that have it use them.
    """
    found = release(connection)
    if found > LAYOUT and not isinstance(warehouse, Path):
        what = f"{warehouse.name} was made by a newer release of this program."
        raise ExamsError("E211", what, "Nothing was changed. Update this program, and build again.")
    return found != LAYOUT


def is_busy(warehouse: Warehouse) -> bool:
    """Say whether a writer keeps readers out now, as that of a large load does for a while."""
    return opening(warehouse).is_busy(warehouse)


def loaded(warehouse: Warehouse) -> dict[str, str]:
    """Return the fingerprint of what is loaded of each quarter, oldest first.

    Of a server, that of the quarters which this office has loaded. There are none if the
    warehouse is missing, broken or of another release. Raise E210 if it is busy, E212 if it is
    out of reach.
    """
    return _contents(warehouse, "loaded")


def loaded_content(warehouse: Warehouse, quarter: str) -> str | None:
    """Return the fingerprint of what is loaded of `quarter`, or None if nothing is."""
    return loaded(warehouse).get(quarter)


def modelled(warehouse: Warehouse) -> dict[str, str]:
    """Return the fingerprint of the figures of each quarter, oldest first; raise as `loaded`."""
    return _contents(warehouse, "modelled")


def modelled_content(warehouse: Warehouse, quarter: str) -> str | None:
    """Return the fingerprint of the figures of `quarter`, or None if there are none."""
    return modelled(warehouse).get(quarter)


AWAY = ("E212", "E213")  # a server that cannot be reached, or is lost
_NOTHING = ("E203", "E207", "E211")  # there is nothing to read


def _contents(warehouse: Warehouse, table: str) -> dict[str, str]:
    end = time.monotonic() + BUSY
    own, marks = of_office(warehouse)
    query = (
        f"SELECT quarter, content FROM {table}"
        f" WHERE quarter IN (SELECT quarter FROM loaded WHERE {own}) ORDER BY 1"
    )
    while not isinstance(warehouse, Path) or warehouse.is_file():
        try:
            with reading(warehouse, wait=PIECE) as connection:
                return dict(connection.execute(query, marks).fetchall())
        except sqlite3.DatabaseError:
            break
        except ExamsError as error:
            if error.code in _NOTHING:
                break
            if error.code != "E210" or time.monotonic() > end:
                raise
    return {}
