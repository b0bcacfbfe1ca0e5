"""Reads the warehouse; knows what is loaded. Light: every build imports it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exams.errors import ExamsError
from exams.files import is_damage

BUSY = 60.0  # seconds to wait for another writer


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection; raise E203 if there is no warehouse, E207 as `guarded`."""
    if not path.is_file():
        raise ExamsError("E203", "There is no warehouse yet.", "Run `ploomber build`.")
    address = f"{path.as_uri()}?mode=ro"
    with guarded(path), closing(sqlite3.connect(address, uri=True, timeout=BUSY)) as connection:
        yield connection


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Raise E207 where SQLite finds that the warehouse is broken or no database at all."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        remedy = "Move it away and run `exams build --due`: it loads every quarter again."
        raise ExamsError("E207", f"{path.name} cannot be read.", remedy) from error


def loaded(path: Path) -> dict[str, str]:
    """Return the fingerprint of what is loaded of each quarter, oldest first.

    There are none if the warehouse is missing or cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        with reading(path) as connection:
            return dict(connection.execute("SELECT quarter, content FROM loaded ORDER BY quarter"))
    except (sqlite3.DatabaseError, ExamsError):
        return {}


def loaded_content(path: Path, quarter: str) -> str | None:
    """Return the fingerprint of what is loaded of `quarter`, or None if nothing is."""
    return loaded(path).get(quarter)
