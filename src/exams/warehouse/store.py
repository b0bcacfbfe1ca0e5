"""Reads the warehouse; knows what is loaded. Light: every build imports it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exams.errors import ExamsError
from exams.files import is_damage, settled

LAYOUT = 3  # of the tables; what lies in another one is loaded anew
BUSY = 60.0  # seconds to wait for another writer
_PIECE = 1.0  # seconds of it after which Ctrl-C is heard: SQLite waits without Python


@contextmanager
def reading(
    path: Path, *, any_release: bool = False, wait: float = BUSY
) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection; raise E203 if there is no warehouse, E207 as `guarded`.

    Raise E211 if another release made its tables, unless they may be of `any_release`.
    """
    if not path.is_file():
        raise ExamsError("E203", "There is no warehouse yet.", "Run `ploomber build`.")
    address = f"{path.as_uri()}?mode=ro"
    settled(path)
    with guarded(path), closing(sqlite3.connect(address, uri=True, timeout=wait)) as connection:
        if not any_release and release(connection) != LAYOUT:
            what = f"{path.name} was made by another release of this program."
            raise ExamsError("E211", what, "Run `exams build --due`: it loads every quarter again.")
        yield connection


def release(connection: sqlite3.Connection) -> int:
    """Return the number of the layout that the tables have."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Raise E207 where the warehouse is broken or no database at all, E210 where it is busy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _of_busy(error):
            what = f"{path.name} is being written by another build."
            raise ExamsError("E210", what, "Try again when that build is done.") from error
        if not is_damage(error):
            raise
        remedy = "Move it away and run `exams build --due`: it loads every quarter again."
        raise ExamsError("E207", f"{path.name} cannot be read.", remedy) from error


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection in a transaction: committed at the end, undone by an error.

    Another writer is waited for in pieces, so that Ctrl-C is heard. Raise as `guarded`.
    """
    with guarded(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _begin(connection)
        yield connection
        connection.execute("COMMIT")


def _begin(connection: sqlite3.Connection) -> None:
    end = time.monotonic() + BUSY
    _wait(connection, _PIECE)
    while not connection.in_transaction:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _of_busy(error) or time.monotonic() > end:
                raise
    _wait(connection, BUSY)  # for those that read


def _wait(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(1000 * seconds)}")


def _of_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def is_busy(path: Path) -> bool:
    """Say whether a writer keeps readers out now, as that of a large load does for a while."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)) as reader:
            reader.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        return _of_busy(error)
    except sqlite3.DatabaseError:
        return False
    return False


def loaded(path: Path) -> dict[str, str]:
    """Return the fingerprint of what is loaded of each quarter, oldest first.

    There are none if the warehouse is missing, broken or of another release. Raise E210 if it
    is busy.
    """
    return _contents(path, "loaded")


def loaded_content(path: Path, quarter: str) -> str | None:
    """Return the fingerprint of what is loaded of `quarter`, or None if nothing is."""
    return loaded(path).get(quarter)


def modelled_content(path: Path, quarter: str) -> str | None:
    """Return the fingerprint of the figures of `quarter`, or None if there are none."""
    return _contents(path, "modelled").get(quarter)


def _contents(path: Path, table: str) -> dict[str, str]:
    end = time.monotonic() + BUSY
    while path.is_file():
        try:
            with reading(path, wait=_PIECE) as connection:
                return dict(connection.execute(f"SELECT quarter, content FROM {table} ORDER BY 1"))
        except sqlite3.DatabaseError:
            break
        except ExamsError as error:
            if error.code != "E210":
                break
            if time.monotonic() > end:
                raise
    return {}
