"""Copies the warehouse of a server to a file, for work on a copy: all but the records."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from exams.files import closed, replacing
from exams.places import Server
from exams.schema import Column, Table, quoted
from exams.warehouse.postgresql import catalog, structure
from exams.warehouse.postgresql.opening import SCHEMA, Session, reading
from exams.warehouse.postgresql.structure import NUMBERED
from exams.warehouse.sql import OURS
from exams.warehouse.sqlite import structure as of_file

_RECORDS = "result_"  # begins the names of their tables
_ELSEWHERE = "layout"  # a table of servers; a file has this number elsewhere
_MANY = 10_000  # rows on their way at a time


def copy_to_file(server: Server, path: Path) -> None:
    """Put a copy of the server's warehouse in the place of the file at `path`, closed to others.

    Records stay on the server; a load into the copy brings those of its quarter. Raise E203 if
    there is no warehouse, else as `reading`.
    """
    with (
        replacing(path) as draft,
        reading(server, 0) as session,
        closing(sqlite3.connect(closed(draft))) as target,
        target,
    ):
        for table in _tables(session):
            target.execute(table.sql())
            _copy(session, target, table)
        of_file.set_release(target, structure.release(session))


def _tables(session: Session) -> Iterator[Table]:
    ours = session.execute(OURS).fetchall()
    for name, kind in catalog.names(session).items():
        found = catalog.columns(session, name)
        if kind == "table" and (name,) in ours and not name.startswith((_RECORDS, _ELSEWHERE)):
            key = _key(session, name) or (NUMBERED if NUMBERED[0] in found else tuple(found))
            yield Table(name, "", tuple(Column(*c, "") for c in found.items()), key)


def _key(session: Session, table: str) -> tuple[str, ...]:
    """Return the columns of the primary key; none of a table that has none."""
    found = session.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
        " AND a.attnum = ANY(i.indkey) WHERE i.indisprimary AND i.indrelid = to_regclass(?)"
        " ORDER BY array_position(i.indkey, a.attnum)",
        [f"{SCHEMA}.{quoted(table)}"],
    )
    return tuple(name for (name,) in found.fetchall())


def _copy(session: Session, target: sqlite3.Connection, table: Table) -> None:
    names = [column.name for column in table.columns]
    order = catalog.order_of(session, table.name)
    query = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table.name)} ORDER BY {order}"
    found = session.execute(query)
    into = f"INSERT INTO {quoted(table.name)} VALUES ({', '.join('?' * len(names))})"
    while rows := found.fetchmany(_MANY):
        target.executemany(into, rows)
