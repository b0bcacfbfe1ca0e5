"""status.db: what happened, run by run. It records; Ploomber decides."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def stage_status(path: Path) -> list[dict[str, Any]]:
    """Return the latest run of every stage of every quarter; empty if there is no file."""
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM stage_status ORDER BY quarter, started")
        return [dict(row) for row in found]
