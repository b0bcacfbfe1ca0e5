"""The ledger: every version of a quarter's figures that was ever published. Private.

A later version is protected and attacked with the earlier ones. It lies beside the warehouse, in
a file of its own: a warehouse can be made anew, what was published cannot be taken back.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from exams.errors import ExamsError
from exams.files import is_damage
from exams.schema import Column, Table, create
from exams.tables import FIGURES

VERSION = Table(
    "version",
    "One row per version of a quarter that was published.",
    (
        Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1."),
        Column("version", "INTEGER", "1 for the first one that is remembered."),
        Column("recorded_at", "TEXT", "Time, ISO 8601 in UTC."),
        Column("tables", "TEXT", "The protected tables as JSON: rows by name of table."),
    ),
    ("quarter", "version"),
)


def read_versions(path: Path, quarter: str) -> list[dict[str, pd.DataFrame]]:
    """Return the published tables of each version of `quarter`, oldest first.

    Tables that are no longer published are left out. Raise E325 if the ledger cannot be read.
    """
    if not path.is_file():
        return []
    with _opened(path) as connection:
        rows = connection.execute(
            "SELECT tables FROM version WHERE quarter = ? ORDER BY version", [quarter]
        ).fetchall()
    return [_frames(json.loads(content)) for (content,) in rows]


def record(path: Path, quarter: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Remember `tables` as the newest version of `quarter`, unless it is the last one again."""
    content = json.dumps({name: _rows(frame) for name, frame in sorted(tables.items())})
    path.touch(mode=0o600)
    with _opened(path) as connection, connection:
        create(connection, [VERSION])
        last = connection.execute(
            "SELECT version, tables FROM version WHERE quarter = ? ORDER BY version DESC",
            [quarter],
        ).fetchone()
        if last is None or last[1] != content:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            row = (quarter, last[0] + 1 if last else 1, now, content)
            connection.execute("INSERT INTO version VALUES (?, ?, ?, ?)", row)


def _frames(content: Mapping[str, list]) -> dict[str, pd.DataFrame]:
    columns = {table.name: [c.name for c in table.columns] for table in FIGURES}
    return {
        name: pd.DataFrame(rows, columns=columns[name])
        for name, rows in content.items()
        if name in columns
    }


def _rows(frame: pd.DataFrame) -> list:
    plain = frame.astype(object)
    return plain.where(plain.notna(), None).to_dict("records")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        remedy = "Put a backup in its place: without it, versions of a quarter cannot be compared."
        raise ExamsError("E325", f"The private {path.name} cannot be read.", remedy) from error
