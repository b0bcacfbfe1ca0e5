"""Notes that a delivery was deleted on demand, and leaves no trace of it between the pages."""

from exams.places import Warehouse, home, mark_of
from exams.warehouse.deliveries import DELIVERY
from exams.warehouse.dialect import opening, structure
from exams.warehouse.load import next_number
from exams.warehouse.store import changing, of_office, reading, wait_of


def note_forgotten(
    warehouse: Warehouse, sha256: str, found: list[tuple[str, str]], who: str, when: str
) -> None:
    """Note in the history that the delivery of this hash was deleted, by whom and when.

    found: quarter and file in which it lay without having been loaded: they get a row, too.
    Raise E207 if the warehouse cannot be read.
    """
    own, marks = of_office(warehouse)
    with changing(warehouse) as connection:
        structure(connection).create(connection, [DELIVERY])
        first, office = next_number(connection, "delivery"), mark_of(home(warehouse))
        connection.executemany(
            "INSERT INTO delivery (id, quarter, file, sha256, received, loaded, quarantined,"
            " resolved, first_seen, removed, office) VALUES (?, ?, ?, ?, 0, 0, 0, 0, ?, ?, ?)",
            ((first + at, *place, sha256, when, when, office) for at, place in enumerate(found)),
        )
        connection.execute(
            "UPDATE delivery SET forgotten = ?, forgotten_by = ?"
            f" WHERE sha256 = ? AND removed IS NOT NULL AND forgotten IS NULL AND {own}",
            [when, who, sha256, *marks],
        )


def scrub(warehouse: Warehouse) -> None:
    """Rewrite the warehouse, so that nothing of what was deleted is left in it or its journal."""
    opening(warehouse).scrub(warehouse, wait_of(warehouse))


def corrected_by(warehouse: Warehouse, sha256: str) -> list[str]:
    """Return the loaded files that correct records of the delivery of this hash.

    Of a server, those that this office received.
    """
    own, marks = of_office(warehouse, "d.office")
    with reading(warehouse, any_release=True) as connection:
        if "resolved_by" not in structure(connection).columns(connection, "quarantine"):
            return []
        return [
            file
            for (file,) in connection.execute(
                "SELECT DISTINCT later.file FROM quarantine q JOIN delivery d ON d.id = q.delivery"
                " JOIN delivery later ON later.id = q.resolved_by"
                f" WHERE d.sha256 = ? AND {own} ORDER BY later.file",
                [sha256, *marks],
            )
        ]
