"""Several offices may share a server: a quarter belongs to the one that loaded it."""

from exams.errors import ExamsError
from exams.places import Warehouse
from exams.warehouse.dialect import Connection
from exams.warehouse.store import of_office


def is_foreign(connection: Connection, warehouse: Warehouse, quarter: str) -> bool:
    """Say whether another office has loaded `quarter`; in a file none can have."""
    own, marks = of_office(warehouse)
    query = f"SELECT 1 FROM loaded WHERE quarter = ? AND ({own}) IS NOT TRUE"
    return connection.execute(query, [quarter, *marks]).fetchone() is not None


def check_own(connection: Connection, warehouse: Warehouse, quarter: str) -> None:
    """Raise E217 if another office has loaded `quarter`: it is not ours to replace."""
    if is_foreign(connection, warehouse, quarter):
        what = f"{quarter} was loaded from another data folder: it is left as it was."
        remedy = "Build it from there, or remove its files there first (they are the truth)."
        raise ExamsError("E217", what, remedy)
