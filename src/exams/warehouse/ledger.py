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
from pathlib import Path
from typing import Any

import pandas as pd

from exams.errors import ExamsError
from exams.files import closed, is_damage
from exams.moments import moment
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
        Column(
            "retracted_at", "TEXT", "Time when it was given up, ISO 8601 in UTC; null: it counts."
        ),
        Column("reason", "TEXT", "Why it was given up; null: it counts."),
    ),
    ("quarter", "version"),
)


_COLUMNS = {table.name: [c.name for c in table.columns] for table in FIGURES}


def read_ledger(
    path: Path, quarter: str
) -> list[tuple[dict[str, pd.DataFrame], pd.DataFrame | None]]:
    """Return the versions of `quarter` that count, oldest first: their tables, score values.

    Tables that are no longer published are left out. The counts of score values are as they were
    recorded, or None if they are forgotten. Raise E325 if the ledger cannot be read.
    """
    return [
        (_frames(json.loads(row["tables"])), _unpacked(row["values"]))
        for row in read_versions(path, quarter)
        if not row["retracted_at"]
    ]


def read_versions(path: Path, quarter: str) -> list[dict[str, Any]]:
    """Return the rows of VERSION of `quarter`, oldest first; raise E325 if they cannot be read."""
    if not path.is_file():
        return []
    every = dict.fromkeys(column.name for column in VERSION.columns)
    with _opened(path) as connection:
        connection.row_factory = sqlite3.Row
        query = "SELECT * FROM version WHERE quarter = ? ORDER BY version"
        return [every | dict(row) for row in connection.execute(query, [quarter])]


def has_version(path: Path, quarter: str, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Say whether one of the versions of `quarter`, given up or not, has just these tables."""
    wanted = {name: _rows(name, frame) for name, frame in tables.items()}
    return any(_alike(json.loads(row["tables"]), wanted) for row in read_versions(path, quarter))


def retract(path: Path, quarter: str, version: int, reason: str) -> None:
    """Note that a version is given up: later ones are no longer compared with it.

    Raise E326 if there is no such version that counts.
    """
    counting = [r["version"] for r in read_versions(path, quarter) if not r["retracted_at"]]
    if version not in counting:
        listed = ", ".join(map(str, counting)) or "none"
        what = f"There is no version {version} of {quarter} that counts."
        raise ExamsError("E326", what, f"Versions that count: {listed}.")
    with _opened(path) as connection, connection:
        create(connection, [VERSION])
        connection.execute(
            "UPDATE version SET retracted_at = ?, reason = ? WHERE (quarter, version) = (?, ?)",
            [moment(), reason, quarter, version],
        )


def record(
    path: Path, quarter: str, tables: Mapping[str, pd.DataFrame], values: pd.DataFrame | None
) -> None:
    """Remember `tables` as the newest version of `quarter`, unless it is the last one again.

    values: the counts of score values by profile from which the tables were made; None: unknown.
    """
    own = {name: _rows(name, tables[name]) for name in sorted(_COLUMNS.keys() & tables.keys())}
    content = json.dumps(own)
    with _opened(closed(path)) as connection, connection:
        create(connection, [VERSION])
        last = connection.execute(
            "SELECT version, tables, retracted_at FROM version WHERE quarter = ?"
            " ORDER BY version DESC",
            [quarter],
        ).fetchone()
        if last is None or last[1] != content or last[2]:
            row = (quarter, last[0] + 1 if last else 1, moment(), content, _packed(values))
            connection.execute(
                'INSERT INTO version (quarter, version, recorded_at, tables, "values")'
                " VALUES (?, ?, ?, ?, ?)",
                row,
            )


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


def _alike(one: Mapping[str, list], other: Mapping[str, list]) -> bool:
    """Say whether two versions show the same, as far as both have a table and a column."""
    for name in one.keys() & other.keys():
        if len(one[name]) != len(other[name]):
            return False
        pairs = zip(one[name], other[name], strict=True)
        if any(a[column] != b[column] for a, b in pairs for column in a.keys() & b.keys()):
            return False
    return True


def _packed(values: pd.DataFrame | None) -> bytes | None:
    if values is None:
        return None
    return zlib.compress(values.to_json(orient="split", index=False).encode())


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
