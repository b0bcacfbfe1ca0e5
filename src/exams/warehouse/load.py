"""Replaces a quarter in the warehouse, inside the transaction of its caller."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from exams.errors import ExamsError
from exams.schema import quoted
from exams.warehouse.deliveries import OF_DELIVERY, OF_QUARTER
from exams.warehouse.fold_tables import BY_FOLD
from exams.warehouse.results import drop_result, result_of

_VALUES = 1_000  # bound by one INSERT at most
_CURRENT = "SELECT id, file FROM delivery WHERE quarter = ? AND removed IS NULL"
CUBES = ("cube", "cube_value", "cube_moment", "cube_combination", *(t.name for t in BY_FOLD))


def empty_quarter(connection: sqlite3.Connection, quarter: str) -> dict[int, str]:
    """Delete records, quarantine and notes of a quarter; return file by number of its deliveries.

    The rows of `delivery` stay: history is kept.
    """
    former = dict(connection.execute(_CURRENT, [quarter]).fetchall())
    connection.execute("PRAGMA secure_delete = FAST")  # the pages are soon written anew
    drop_result(connection, quarter)
    for number in former:
        for table in OF_DELIVERY:
            connection.execute(f"DELETE FROM {table.name} WHERE delivery = ?", [number])
    for name in (*(t.name for t in OF_QUARTER), *CUBES, "loaded"):
        connection.execute(f"DELETE FROM {name} WHERE quarter = ?", [quarter])
    return former


def enter_delivery(
    connection: sqlite3.Connection, found: tuple[str, str, str, int], now: str
) -> int:
    """Return the number of a delivery about to be loaded; one that lies there keeps its number.

    One that was removed and comes back is a new one: the history tells both. found: quarter,
    file, sha256, bytes.
    """
    known = connection.execute(
        "SELECT id FROM delivery WHERE (quarter, file, sha256) = (?, ?, ?) AND removed IS NULL",
        found[:3],
    ).fetchone()
    if known:
        return int(known[0])
    cursor = connection.execute(
        "INSERT INTO delivery (quarter, file, sha256, bytes, first_seen,"
        " received, loaded, quarantined, resolved) VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0)",
        [*found, now],
    )
    return int(cursor.lastrowid or 0)


def retire(
    connection: sqlite3.Connection, former: Mapping[int, str], current: Mapping[str, int], now: str
) -> None:
    """Mark deliveries that are no longer current as removed, and superseded by their namesake.

    former: file by number. current: number by file.
    """
    for number, file in former.items():
        if number not in current.values():
            connection.execute(
                "UPDATE delivery SET removed = ?, superseded_by = ? WHERE id = ?",
                [now, current.get(file), number],
            )


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column of `table`, many to a statement."""
    width = len(connection.execute(f"SELECT * FROM {quoted(table)} LIMIT 0").description)
    rest = iter(rows)
    while chunk := list(islice(rest, max(_VALUES // width, 1))):
        connection.execute(
            _statement(quoted(table), width, len(chunk)), [v for row in chunk for v in row]
        )


def close_delivery(
    connection: sqlite3.Connection, quarter: str, number: int, received: int, read_as: str
) -> tuple[int, ...]:
    """Write into the delivery what became of its records; return these counts.

    They are received, loaded, quarantined and resolved, as the tables have them; raise E204 if
    they do not add up.
    """
    count = f"SELECT count(*) FROM {quoted(result_of(quarter))} WHERE key >= ? AND key < ?"
    loaded = connection.execute(count, _keys(number)).fetchone()[0]
    held, resolved = connection.execute(
        "SELECT count(DISTINCT iif(resolved_by IS NULL, line, NULL)),"
        " count(DISTINCT iif(resolved_by IS NULL, NULL, line)) FROM quarantine WHERE delivery = ?",
        [number],
    ).fetchone()
    counts = (received, loaded, held, resolved)
    connection.execute(
        "UPDATE delivery SET read_as = ?, received = ?, loaded = ?, quarantined = ?, resolved = ?"
        " WHERE id = ?",
        [read_as, *counts, number],
    )
    if received != loaded + held + resolved:
        found = "SELECT file FROM delivery WHERE id = ?"
        file = connection.execute(found, [number]).fetchone()[0]
        raise ExamsError(
            "E204",
            f"{file}: {received:,} records received, but {loaded:,} loaded, {held:,} in"
            f" quarantine and {resolved:,} resolved.",
            "The quarter was left as it was; run `ploomber build` again.",
        )
    return counts


def resolve(connection: sqlite3.Connection, by: int, records: Iterable[tuple[int, int]]) -> None:
    """Mark quarantined records, (delivery, line), as delivered again by delivery `by`."""
    connection.executemany(
        "UPDATE quarantine SET resolved_by = ? WHERE delivery = ? AND line = ?",
        ((by, delivery, line) for delivery, line in records),
    )


def profile_numbers(
    connection: sqlite3.Connection, columns: Sequence[str], wanted: Iterable[Sequence[str | None]]
) -> Iterator[int]:
    """Yield the number of each profile (its levels in the order of `columns`), new if need be.

    A dimension that is not among `columns` has no level.
    """
    every = [c[0] for c in connection.execute("SELECT * FROM profile LIMIT 0").description[1:]]
    known = {row[1:]: row[0] for row in connection.execute("SELECT * FROM profile")}
    last = max(known.values(), default=0)
    for levels in wanted:
        given = dict(zip(columns, levels, strict=True))
        key = tuple(given.get(name) for name in every)
        if key not in known:
            last += 1
            known[key] = last
            insert(connection, "profile", [(last, *key)])
        yield known[key]


def _keys(number: int) -> tuple[int, int]:
    return number << 32, (number + 1) << 32


def _statement(into: str, width: int, rows: int) -> str:
    one = f"({', '.join('?' * width)})"
    return f"INSERT INTO {into} VALUES {', '.join([one] * rows)}"
