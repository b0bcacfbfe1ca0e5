"""Reads the deliveries of the warehouse: what came, and what became of it. Light."""

from typing import Any, NamedTuple

from exams.places import Warehouse
from exams.warehouse.dialect import structure
from exams.warehouse.store import of_office, reading


class Delivered(NamedTuple):
    """A delivery: counts of records; times in ISO 8601, UTC.

    `removed` is None while its records are loaded; `successor` is the SHA-256 of the delivery
    that took its place, if one did; `forgotten` tells when it was deleted on demand, and by whom.
    """

    quarter: str
    file: str
    sha256: str
    received: int
    loaded: int
    quarantined: int
    resolved: int
    first_seen: str
    removed: str | None
    successor: str | None
    forgotten: str | None = None
    forgotten_by: str | None = None


def read_deliveries(warehouse: Warehouse, quarter: str | None = None) -> list[Delivered]:
    """Return every delivery ever, of `quarter` or of all, by quarter, file and number.

    Of a server, those that this office received. Raise E203 if there is no warehouse, E207 if it
    cannot be read.
    """
    own, values = of_office(warehouse, "d.office")
    if quarter:
        own, values = f"{own} AND d.quarter = ?", [*values, quarter]
    query = (
        "SELECT d.*, s.sha256 AS successor FROM delivery d"
        f" LEFT JOIN delivery s ON s.id = d.superseded_by WHERE {own}"
        " ORDER BY d.quarter, d.file, d.id"
    )
    with reading(warehouse, any_release=True) as connection:
        found = connection.execute(query, values)
        names = [column[0] for column in found.description]
        return [_delivered(dict(zip(names, row, strict=True))) for row in found.fetchall()]


def read_current(warehouse: Warehouse, quarter: str) -> list[Delivered]:
    """Return the deliveries of `quarter` whose records are loaded; raise as `read_deliveries`."""
    return [d for d in read_deliveries(warehouse, quarter) if not d.removed]


def _delivered(row: dict[str, Any]) -> Delivered:
    row = {"forgotten": None, "forgotten_by": None} | row  # an earlier release had none of these
    row["resolved"] = row.get("resolved") or 0
    return Delivered(*(row[name] for name in Delivered._fields))


def read_left_out(warehouse: Warehouse, quarter: str) -> list[tuple[str, str, str]]:
    """Return the files of a loaded quarter that were not read: file, error code, why.

    A repeat of another file has no code. A warehouse of another release tells of none.
    """
    query = "SELECT file, code, why FROM left_out WHERE quarter = ? ORDER BY file"
    with reading(warehouse, any_release=True) as connection:
        if "left_out" not in structure(connection).names(connection):
            return []
        found: list[tuple[str, str, str]] = connection.execute(query, [quarter]).fetchall()
        return found
