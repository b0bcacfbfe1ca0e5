"""Replaces a quarter in the warehouse, inside the transaction of its caller."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlite_utils import Database

from exams.errors import ExamsError

_ROWS = 200  # rows in one INSERT: the fastest writer measured
_VARIABLES = 30_000  # SQLite takes 32,766 in one statement


@dataclass(frozen=True)
class Received:
    """A delivery about to be loaded."""

    file: str
    sha256: str
    bytes: int
    received: int


def replace_deliveries(
    database: Database, quarter: str, received: Sequence[Received], now: str
) -> dict[str, int]:
    """Make `received` the deliveries of `quarter`; return the number of each, by file.

    Records and quarantine of all deliveries of the quarter are deleted: the caller writes
    them anew. A delivery seen before keeps its number. One that is not among `received` is
    marked as removed, and as superseded by a file of the same name.
    """
    connection = database.conn
    for (number,) in connection.execute(
        "SELECT id FROM delivery WHERE quarter = ? AND removed IS NULL", [quarter]
    ).fetchall():
        connection.execute(
            "DELETE FROM result WHERE key >= ? AND key < ?", [number << 32, (number + 1) << 32]
        )
        connection.execute("DELETE FROM quarantine WHERE delivery = ?", [number])
    ids = {r.file: _number(connection, quarter, r, now) for r in received}
    current = set(ids.values())
    for number, file in connection.execute(
        "SELECT id, file FROM delivery WHERE quarter = ? AND removed IS NULL", [quarter]
    ).fetchall():
        if number not in current:
            connection.execute(
                "UPDATE delivery SET removed = ?, superseded_by = ? WHERE id = ?",
                [now, ids.get(file), number],
            )
    return ids


def _number(connection: sqlite3.Connection, quarter: str, r: Received, now: str) -> int:
    found = connection.execute(
        "SELECT id FROM delivery WHERE quarter = ? AND file = ? AND sha256 = ?",
        [quarter, r.file, r.sha256],
    ).fetchone()
    if found:
        connection.execute(
            "UPDATE delivery SET removed = NULL, superseded_by = NULL, bytes = ?, received = ?"
            " WHERE id = ?",
            [r.bytes, r.received, *found],
        )
        return found[0]
    cursor = connection.execute(
        "INSERT INTO delivery (quarter, file, sha256, bytes, received, loaded, quarantined,"
        " first_seen) VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
        [quarter, r.file, r.sha256, r.bytes, r.received, now],
    )
    return int(cursor.lastrowid or 0)


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column of `table`, many to a statement."""
    width = len(connection.execute(f'SELECT * FROM "{table}" LIMIT 0').description)
    one = f"({', '.join('?' * width)})"
    rest = iter(rows)
    while chunk := list(islice(rest, min(_ROWS, _VARIABLES // width))):
        connection.execute(
            f'INSERT INTO "{table}" VALUES {", ".join([one] * len(chunk))}',
            [value for row in chunk for value in row],
        )


def close_delivery(connection: sqlite3.Connection, number: int) -> tuple[int, int, int]:
    """Write into the delivery how many of its records are loaded and in quarantine.

    Return received, loaded, quarantined, as the tables have it; raise E204 if they do not
    add up.
    """
    loaded = connection.execute(
        "SELECT count(*) FROM result WHERE key >= ? AND key < ?", [number << 32, (number + 1) << 32]
    ).fetchone()[0]
    held = connection.execute(
        "SELECT count(DISTINCT line) FROM quarantine WHERE delivery = ?", [number]
    ).fetchone()[0]
    connection.execute(
        "UPDATE delivery SET loaded = ?, quarantined = ? WHERE id = ?"
        " AND (loaded, quarantined) <> (?, ?)",
        [loaded, held, number, loaded, held],
    )
    file, received = connection.execute(
        "SELECT file, received FROM delivery WHERE id = ?", [number]
    ).fetchone()
    if received != loaded + held:
        raise ExamsError(
            "E204",
            f"{file}: {received:,} records received, {loaded:,} loaded, {held:,} in quarantine.",
            "The quarter was left as it was; run `ploomber build` again.",
        )
    return received, loaded, held


def profile_numbers(
    database: Database, columns: Sequence[str], wanted: Iterable[Sequence[str | None]]
) -> Iterator[int]:
    """Yield the number of each profile (its levels in the order of `columns`), new if need be."""
    table = database.table("profile")
    known = {tuple(row[c] for c in columns): row["id"] for row in table.rows}
    last = max(known.values(), default=0)
    for levels in wanted:
        key = tuple(levels)
        if key not in known:
            last += 1
            known[key] = last
            table.insert({"id": last, **dict(zip(columns, levels, strict=True))})
        yield known[key]
