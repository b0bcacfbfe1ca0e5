"""The table of runs and its view, and how status.db is opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exams.files import set_aside, settled
from exams.schema import Column, Table, create, document

LAYOUT = 3
_RUN = Table(
    "stage_run",
    "One row per run of a stage for a quarter; rows are added, never removed.",
    (
        Column("id", "INTEGER", "Number of the run, ascending in time."),
        Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1."),
        Column("stage", "TEXT", "Stage of the pipeline."),
        Column("state", "TEXT", "pending, running, done, failed, skipped or interrupted."),
        Column("started", "TEXT", "Begin, ISO 8601 in UTC; null if it never began."),
        Column("ended", "TEXT", "End, ISO 8601 in UTC; null while it has not ended."),
        Column("heartbeat", "TEXT", "Last sign of life, ISO 8601 in UTC."),
        Column("host", "TEXT", "Computer that ran it."),
        Column("pid", "INTEGER", "Process that ran it."),
        Column("rows_in", "INTEGER", "Records taken in; null where they are not counted."),
        Column("rows_out", "INTEGER", "Records handed on; null where they are not counted."),
        Column("fingerprint", "TEXT", "SHA-256 of the result; null if there is none."),
        Column("reason_code", "TEXT", "Code of the error (E104); null if it has none."),
        Column("reason", "TEXT", "Why it failed, was skipped, ended early, withdrew; else null."),
        Column("cell", "INTEGER", "Code cell at work, counted from 1; null if none was."),
        Column("cells", "INTEGER", "How many code cells there are; null likewise."),
        Column("birth", "TEXT", "Where and when the process began; empty if that is unknown."),
        Column("inputs", "TEXT", "Fingerprint of what it reads; null if it never began."),
        Column("code", "TEXT", "Fingerprint of the code it runs; null if it never began."),
    ),
    ("id",),
)
_INNER = {"id", "fingerprint", "birth", "inputs", "code"}
SHOWN = tuple(c.name for c in _RUN.columns if c.name not in _INNER)
_VIEW = Table(
    "stage_status",
    "One row per quarter and stage: its latest run.",
    tuple(c for c in _RUN.columns if c.name in SHOWN),
    (),
)
LATEST = (
    "SELECT * FROM stage_run WHERE id IN (SELECT max(id) FROM stage_run GROUP BY quarter, stage)"
)


@contextmanager
def writing(path: Path, wait: float) -> Iterator[sqlite3.Connection]:
    """Yield status.db, made or brought up to date if need be, in one transaction.

    wait: seconds, if another program is writing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    set_aside(path)
    with closing(sqlite3.connect(path, timeout=wait)) as connection, connection:
        if _layout(connection) != LAYOUT:
            _prepare(connection)
        yield connection


def read_runs(path: Path, query: str, values: tuple[object, ...] = ()) -> list[dict[str, object]]:
    """Return rows of status.db, which is not made, and not waited for long."""
    settled(path)
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
        connection.row_factory = sqlite3.Row
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'stage_run'")
        if known.fetchone() is None:
            return []
        return [dict(row) for row in connection.execute(query, values)]


def _layout(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _layout(connection) == LAYOUT:
        return
    create(connection, [_RUN])
    document(connection, [_VIEW])
    connection.execute("DROP VIEW IF EXISTS stage_status")
    connection.execute(f"CREATE VIEW stage_status AS {LATEST.replace('*', ', '.join(SHOWN), 1)}")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
