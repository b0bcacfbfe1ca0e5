"""published.db: the tables that passed disclosure control, replaced whole and atomically."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from exams.errors import ExamsError
from exams.files import locked, replacing, set_aside
from exams.moments import moment
from exams.schema import Table, columns, create, quoted
from exams.tables import CATALOG, CONTENT, TABLES

__all__ = [
    "CONTENT",
    "TABLES",
    "publish",
    "published_content",
    "published_quarters",
    "read",
    "withdraw",
]

Row = Mapping[str, Any]
OF_QUARTER = tuple(table for table in TABLES if table != CATALOG)


def publish(
    path: Path,
    quarter: str,
    tables: Mapping[str, Sequence[Row]],
    contract: tuple[str, str],
    refused: int = 0,
    held: int = 0,
) -> str:
    """Replace what is published of `quarter` by `tables`, atomically; return its fingerprint.

    `tables` has a list of rows for each table of CONTENT. The new database is written beside
    the old one and takes its place at the end; equal rows leave the old one untouched.
    `contract` is its title and version, `refused` how many files were refused, `held` 1 if the
    figures are those before a correction of a few records. A database that cannot be read is
    set aside: every quarter is then published anew when it is built.
    """
    with locked(path.with_name(".lock")):
        set_aside(path)
        fingerprint = _fingerprint(tables, [contract, refused, held])
        former = _former(path, quarter)
        if former is not None and former["fingerprint"] == fingerprint:
            return fingerprint
        version = former["version"] + 1 if former else 1
        with _replacement(path) as connection:
            _clear(connection, quarter)
            for table in CONTENT:
                _insert(connection, table, tables[table.name])
            now = moment()
            row = (quarter, version, now, *contract, fingerprint, refused, held)
            connection.execute(f"INSERT INTO publication VALUES ({_marks(len(row))})", row)
    return fingerprint


def withdraw(path: Path, quarter: str) -> None:
    """Take `quarter` out of what is published, atomically, if it is in it."""
    with locked(path.with_name(".lock")):
        if _former(path, quarter) is not None:
            with _replacement(path) as connection:
                _clear(connection, quarter)


def published_quarters(path: Path) -> list[str]:
    """Return the quarters that are published, oldest first; none if that cannot be read."""
    try:
        return [row["quarter"] for row in read(path, "publication")]
    except ExamsError:
        return []


def published_content(path: Path, quarter: str) -> str | None:
    """Return the fingerprint of what is published of `quarter`, or None if nothing is."""
    former = _former(path, quarter)
    return former["fingerprint"] if former else None


def read(path: Path, table: str, quarter: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of a published table, of one quarter or of all, in published order.

    What an earlier release did not publish is None, or no rows. Raise E301 if nothing is
    published, E303 if the database cannot be read.
    """
    if not path.is_file():
        raise ExamsError("E301", "Nothing is published yet.", "Run `make run`.")
    if quarter and table == CATALOG.name:
        return []  # it is of no quarter
    where, values = ("WHERE quarter = ?", [quarter]) if quarter else ("", [])
    order = "rowid" if table == CATALOG.name else "quarter, rowid"
    query = f"SELECT * FROM {quoted(table)} {where} ORDER BY {order}"
    every = dict.fromkeys(c.name for t in TABLES if t.name == table for c in t.columns)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            if columns(connection, "publication") and not columns(connection, table):
                return []
            connection.row_factory = sqlite3.Row
            return [every | dict(row) for row in connection.execute(query, values)]
    except sqlite3.DatabaseError as error:
        remedy = "Move it away and run `exams build --due`: it publishes every quarter again."
        raise ExamsError("E303", f"{path.name} cannot be read.", remedy) from error


def _clear(connection: sqlite3.Connection, quarter: str) -> None:
    for table in OF_QUARTER:
        connection.execute(f"DELETE FROM {quoted(table.name)} WHERE quarter = ?", [quarter])


def _insert(connection: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    names = [c.name for c in table.columns]
    connection.executemany(
        f"INSERT INTO {quoted(table.name)} ({', '.join(map(quoted, names))})"
        f" VALUES ({_marks(len(names))})",
        ([row[name] for name in names] for row in rows),
    )


def _former(path: Path, quarter: str) -> dict[str, Any] | None:
    try:
        return next(iter(read(path, "publication", quarter)), None)
    except ExamsError:
        return None


def _fingerprint(tables: Mapping[str, Sequence[Row]], more: Sequence[object]) -> str:
    content = [[[row[c.name] for c in t.columns] for row in tables[t.name]] for t in CONTENT]
    return hashlib.sha256(json.dumps([*more, content]).encode()).hexdigest()


@contextmanager
def _replacement(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a copy of the database at `path` that takes its place if all goes well."""
    with replacing(path) as draft, closing(sqlite3.connect(draft)) as connection:
        if path.is_file():
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as former:
                former.backup(connection)
        with connection:
            create(connection, TABLES)
            yield connection
            _catalogue(connection)


def _catalogue(connection: sqlite3.Connection) -> None:
    from exams.catalog import write_catalog  # noqa: PLC0415  who only reads starts sooner

    write_catalog(connection)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
