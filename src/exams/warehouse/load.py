"""Replaces a quarter in the warehouse, inside the transaction of its caller."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from exams.errors import ExamsError
from exams.schema import quoted
from exams.warehouse.deliveries import OF_DELIVERY, OF_QUARTER
from exams.warehouse.dialect import Connection, structure
from exams.warehouse.fold_tables import BY_FOLD
from exams.warehouse.rows import insert
from exams.warehouse.schema import keys_of
from exams.warehouse.sql import OF_KEYS

_CURRENT = "SELECT id, file FROM delivery WHERE quarter = ? AND removed IS NULL"
_CUBES = ("cube", "cube_moment", *(t.name for t in BY_FOLD))
_LARGE = ("cube_value", "cube_combination")  # a quarter's rows lie together, by their key


def empty_quarter(connection: Connection, quarter: str) -> dict[int, str]:
    """Delete quarantine, notes and cube of a quarter; return file by number of its deliveries.

    The rows of `delivery` stay: history is kept. Its records go with `clear_result`.
    """
    former = dict(connection.execute(_CURRENT, [quarter]).fetchall())
    for number in former:
        for table in OF_DELIVERY:
            connection.execute(f"DELETE FROM {table.name} WHERE delivery = ?", [number])
    for name in (*(t.name for t in OF_QUARTER), *_CUBES, "loaded"):
        connection.execute(f"DELETE FROM {name} WHERE quarter = ?", [quarter])
    for name in _LARGE:
        connection.execute(f"DELETE FROM {name} WHERE {OF_KEYS}", keys_of(quarter))
    return former


def enter_delivery(
    connection: Connection, found: tuple[str, str, str, int], now: str, office: str
) -> int:
    """Return the number of a delivery about to be loaded; one that lies there keeps its number.

    One that was removed and comes back is a new one: the history tells both. found: quarter,
    file, sha256, bytes. office: the mark of the one that received it.
    """
    known = connection.execute(
        "SELECT id FROM delivery WHERE (quarter, file, sha256) = (?, ?, ?) AND removed IS NULL",
        found[:3],
    ).fetchone()
    if known:
        return int(known[0])
    number = next_number(connection, "delivery")
    connection.execute(
        "INSERT INTO delivery (id, quarter, file, sha256, bytes, first_seen, office,"
        " received, loaded, quarantined, resolved) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0)",
        [number, *found, now, office],
    )
    return number


def next_number(connection: Connection, table: str) -> int:
    """Return the number that the next row of a table with numbered rows gets."""
    query = f"SELECT coalesce(max(id), 0) + 1 FROM {quoted(table)}"
    return int(connection.execute(query).fetchone()[0])


def retire(
    connection: Connection, former: Mapping[int, str], current: Mapping[str, int], now: str
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


def close_delivery(
    connection: Connection, loaded: int, number: int, received: int, read_as: str
) -> tuple[int, ...]:
    """Write into the delivery what became of its records; return these counts.

    They are received, loaded, quarantined and resolved, as the tables have them; raise E204 if
    they do not add up.
    """
    held, resolved = connection.execute(
        "SELECT count(DISTINCT CASE WHEN resolved_by IS NULL THEN line END),"
        " count(DISTINCT CASE WHEN resolved_by IS NOT NULL THEN line END)"
        " FROM quarantine WHERE delivery = ?",
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


def resolve(connection: Connection, by: int, records: Iterable[tuple[int, int]]) -> None:
    """Mark quarantined records, (delivery, line), as delivered again by delivery `by`."""
    connection.executemany(
        "UPDATE quarantine SET resolved_by = ? WHERE delivery = ? AND line = ?",
        ((by, delivery, line) for delivery, line in records),
    )


def profile_numbers(
    connection: Connection, columns: Sequence[str], wanted: Iterable[Sequence[str | None]]
) -> Iterator[int]:
    """Yield the number of each profile (its levels in the order of `columns`), new if need be.

    A dimension that is not among `columns` has no level.
    """
    every = [name for name in structure(connection).columns(connection, "profile") if name != "id"]
    query = f"SELECT id, {', '.join(map(quoted, every))} FROM profile"
    known = {row[1:]: row[0] for row in connection.execute(query)}
    last = max(known.values(), default=0)
    for levels in wanted:
        given = dict(zip(columns, levels, strict=True))
        key = tuple(given.get(name) for name in every)
        if key not in known:
            last += 1
            known[key] = last
            insert(connection, "profile", [(last, *key)])
        yield known[key]
