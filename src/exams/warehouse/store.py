"""Reads the warehouse; knows what is loaded. Light: every build imports it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exams.errors import ExamsError

BUSY = 60.0  # seconds to wait for another writer


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection; raise E203 if there is no warehouse."""
    if not path.is_file():
        raise ExamsError("E203", "There is no warehouse yet.", "Run `ploomber build`.")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY)) as c:
        yield c


def loaded_content(path: Path, quarter: str) -> str | None:
    """Return the fingerprint of what is loaded of `quarter`, or None if nothing is."""
    if not path.is_file():
        return None
    try:
        with reading(path) as connection:
            row = connection.execute(
                "SELECT content FROM loaded WHERE quarter = ?", [quarter]
            ).fetchone()
    except sqlite3.DatabaseError:
        return None
    return row[0] if row else None
