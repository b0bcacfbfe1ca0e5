"""Opens the warehouse that is a file. Light: every build imports it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exams.files import closed, is_damage, settled
from exams.warehouse.refusals import busy, missing, unreadable

_PAGE = 1 << 14  # bytes: rows in bulk take 8 % less time than with SQLite's 4,096
PIECE = 1.0  # seconds of waiting after which Ctrl-C is heard: SQLite waits without Python


@contextmanager
def reading(path: Path, wait: float) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection; raise E203 if there is no such file, else as `guarded`."""
    if not path.is_file():
        raise missing()
    address = f"{path.as_uri()}?mode=ro"
    settled(path)
    with guarded(path), closing(sqlite3.connect(address, uri=True, timeout=wait)) as connection:
        yield connection


@contextmanager
def changing(path: Path, wait: float) -> Iterator[sqlite3.Connection]:
    """Yield a connection in a transaction: committed at the end, undone by an error.

    The file is made if need be, closed to other users. Another writer is waited for in pieces,
    so that Ctrl-C is heard. Raise as `guarded`.
    """
    with guarded(path), closing(sqlite3.connect(closed(path), isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE}")  # of a file that is yet to be made
        _begin(connection, wait)
        yield connection
        connection.execute("COMMIT")


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Raise E207 where the warehouse is broken or no database at all, E210 where it is busy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _of_busy(error):
            raise busy(path.name) from error
        if not is_damage(error):
            raise
        raise unreadable(path.name) from error


def _begin(connection: sqlite3.Connection, wait: float) -> None:
    end = time.monotonic() + wait
    _wait(connection, PIECE)
    while not connection.in_transaction:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _of_busy(error) or time.monotonic() > end:
                raise
    _wait(connection, wait)  # for those that read


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


def scrub(path: Path, wait: float) -> None:
    """Rewrite the file, so that nothing of what was deleted is left in it or its journal."""
    opened = closing(sqlite3.connect(path, timeout=wait, isolation_level=None))
    with guarded(path), opened as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
