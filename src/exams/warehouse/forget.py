"""Notes that a delivery was deleted on demand, and leaves no trace of it between the pages."""

import sqlite3
from contextlib import closing
from pathlib import Path

from exams.schema import columns, create
from exams.warehouse.deliveries import DELIVERY
from exams.warehouse.store import BUSY, changing, guarded, reading


def note_forgotten(
    path: Path, sha256: str, found: list[tuple[str, str]], who: str, when: str
) -> None:
    """Note in the history that the delivery of this hash was deleted, by whom and when.

    found: quarter and file in which it lay without having been loaded: they get a row, too.
    Raise E207 if the warehouse cannot be read.
    """
    with changing(path) as connection:
        create(connection, [DELIVERY])
        connection.executemany(
            "INSERT INTO delivery (quarter, file, sha256, received, loaded, quarantined, resolved,"
            " first_seen, removed) VALUES (?, ?, ?, 0, 0, 0, 0, ?, ?)",
            ((quarter, file, sha256, when, when) for quarter, file in found),
        )
        connection.execute(
            "UPDATE delivery SET forgotten = ?, forgotten_by = ?"
            " WHERE sha256 = ? AND removed IS NOT NULL AND forgotten IS NULL",
            [when, who, sha256],
        )


def scrub(path: Path) -> None:
    """Rewrite the warehouse, so that nothing of what was deleted is left in it or its journal."""
    opened = closing(sqlite3.connect(path, timeout=BUSY, isolation_level=None))
    with guarded(path), opened as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def corrected_by(path: Path, sha256: str) -> list[str]:
    """Return the loaded files that correct records of the delivery of this hash."""
    with reading(path, any_release=True) as connection:
        if "resolved_by" not in columns(connection, "quarantine"):
            return []
        return [
            file
            for (file,) in connection.execute(
                "SELECT DISTINCT by.file FROM quarantine q JOIN delivery d ON d.id = q.delivery"
                " JOIN delivery by ON by.id = q.resolved_by WHERE d.sha256 = ? ORDER BY by.file",
                [sha256],
            )
        ]
