"""The ledger: every version of a quarter's figures that was ever published. Private.

A later version is protected and attacked with the earlier ones. It lies beside the warehouse, in
a file of its own: a warehouse can be made anew, what was published cannot be taken back.
"""

import io
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from exams.errors import ExamsError
from exams.files import closed, is_damage
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
        Column("values", "BLOB", "Score values by profile, unprotected, packed; null: forgotten."),
    ),
    ("quarter", "version"),
)


_COLUMNS = {table.name: [c.name for c in table.columns] for table in FIGURES}


def read_ledger(
    path: Path, quarter: str
) -> list[tuple[dict[str, pd.DataFrame], pd.DataFrame | None]]:
    """Return the versions of `quarter`, oldest first: published tables, counts of score values.

    Tables that are no longer published are left out. The counts are as they were recorded, or
    None if they are forgotten.
    Raise E325 if the ledger cannot be read.
    """
    if not path.is_file():
        return []
    with _opened(path) as connection:
        rows = connection.execute(
            'SELECT tables, "values" FROM version WHERE quarter = ? ORDER BY version', [quarter]
        ).fetchall()
    return [(_frames(json.loads(content)), _unpacked(values)) for content, values in rows]


def record(
    path: Path, quarter: str, tables: Mapping[str, pd.DataFrame], values: pd.DataFrame
) -> None:
    """Remember `tables` as the newest version of `quarter`, unless it is the last one again.

    values: the counts of score values by profile from which the tables were made.
    """
    content = json.dumps({name: _rows(name, frame) for name, frame in sorted(tables.items())})
    with _opened(closed(path)) as connection, connection:
        create(connection, [VERSION])
        last = connection.execute(
            "SELECT version, tables FROM version WHERE quarter = ? ORDER BY version DESC",
            [quarter],
        ).fetchone()
        if last is None or last[1] != content:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            packed = zlib.compress(values.to_json(orient="split", index=False).encode())
            row = (quarter, last[0] + 1 if last else 1, now, content, packed)
            connection.execute("INSERT INTO version VALUES (?, ?, ?, ?, ?)", row)


def forget_values(path: Path, quarters: Iterable[str]) -> None:
    """Forget from which counts the versions of `quarters` were made, down to the file's pages."""
    if not path.is_file():
        return
    with _opened(path) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        with connection:
            for quarter in quarters:
                connection.execute(
                    'UPDATE version SET "values" = NULL WHERE quarter = ?', [quarter]
                )
        connection.execute("VACUUM")


def _unpacked(values: bytes | None) -> pd.DataFrame | None:
    if values is None:
        return None
    text = io.StringIO(zlib.decompress(values).decode())
    return pd.read_json(text, orient="split", dtype=False)


def _frames(content: Mapping[str, list]) -> dict[str, pd.DataFrame]:
    return {
        name: pd.DataFrame(rows, columns=_COLUMNS[name])
        for name, rows in content.items()
        if name in _COLUMNS
    }


def _rows(name: str, frame: pd.DataFrame) -> list:
    plain = frame.astype(object)[[c for c in _COLUMNS[name] if c in frame]]
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
