"""status.db: what happened, run by run. It records; Ploomber decides.

Losing the file loses history, nothing else: the next build writes what is up to date anew. So
a file that cannot be read is set aside, and stops no build.
"""

import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exams.files import is_damage, set_aside
from exams.places import STAGES
from exams.schema import Column, Table, create, document

HOST = socket.gethostname()
BEAT = 5  # seconds between two heartbeats of a running stage
LEASE = timedelta(seconds=60)  # a running stage that is silent for longer is taken for dead

WITHDRAWN = "Withdrawn: its folder holds no file any more."  # such a quarter's reason

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
    ),
    ("id",),
)
_SHOWN = tuple(c for c in _RUN.columns if c.name not in {"id", "fingerprint"})
_VIEW = Table("stage_status", "One row per quarter and stage: its latest run.", _SHOWN, ())
_OPEN = "state IN ('pending', 'running')"


def plan(path: Path, quarter: str, stages: Iterable[str]) -> None:
    """Note that this process is about to run `stages`, one after the other."""
    for stage in stages:
        _add(path, quarter, stage, state="pending")


def start(path: Path, quarter: str, stage: str) -> None:
    """Note that `stage` runs from now on, in this process."""
    if not _change(path, quarter, stage, state="running", started=_now()):
        _add(path, quarter, stage, state="running", started=_now())


def beat(path: Path, quarter: str, stage: str) -> None:
    """Give a sign of life for a running stage."""
    _change(path, quarter, stage)


def end(path: Path, quarter: str, stage: str, state: str, **more: Any) -> None:
    """Close the open run of `stage`; nothing happens if none is open.

    `more` may set rows_in, rows_out, fingerprint, reason_code and reason. A reason never holds
    a student's value: this table may be shown to anyone.
    """
    _change(path, quarter, stage, state=state, ended=_now(), **more)


def restore(path: Path, quarter: str, stage: str, **more: Any) -> None:
    """Note a stage that is up to date as done, unless that is its latest state."""
    latest = {r["stage"]: r["state"] for r in stage_status(path) if r["quarter"] == quarter}
    if latest.get(stage) != "done":
        _add(path, quarter, stage, state="done", **more)


def reap(path: Path) -> None:
    """Close the open runs of processes of this computer that are gone."""
    if not path.is_file():
        return
    with _connection(path) as connection:
        query = f"SELECT DISTINCT pid FROM stage_run WHERE host = ? AND {_OPEN}"
        for (pid,) in connection.execute(query, [HOST]).fetchall():
            if not _alive(pid):
                connection.execute(
                    "UPDATE stage_run SET ended = heartbeat, reason = ?,"
                    " state = CASE state WHEN 'running' THEN 'interrupted' ELSE 'skipped' END"
                    f" WHERE host = ? AND pid = ? AND {_OPEN}",
                    [f"Process {pid} ended early.", HOST, pid],
                )


def stage_status(path: Path) -> list[dict[str, Any]]:
    """Return the latest run per quarter and stage, oldest quarter first.

    A running stage whose heartbeat is older than LEASE is returned as interrupted. There are
    none in a file that is missing or cannot be read.
    """
    if not path.is_file():
        return []
    try:
        rows = [_judged(row) for row in _latest(path)]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return []
    return sorted(rows, key=lambda row: (row["quarter"], _place(row["stage"])))


def _latest(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'stage_status'")
        if known.fetchone() is None:
            return []
        return [dict(row) for row in connection.execute("SELECT * FROM stage_status")]


def _place(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    silent = datetime.now(UTC) - datetime.fromisoformat(row["heartbeat"])
    if row["state"] == "running" and silent > LEASE:
        return row | {"state": "interrupted", "reason": "It gives no sign of life."}
    return row


def _add(path: Path, quarter: str, stage: str, **values: Any) -> None:
    values = {"quarter": quarter, "stage": stage, "host": HOST, "pid": os.getpid()} | values
    values["heartbeat"] = _now()
    marks = ", ".join("?" * len(values))
    with _connection(path) as connection:
        statement = f"INSERT INTO stage_run ({', '.join(values)}) VALUES ({marks})"
        connection.execute(statement, [*values.values()])


def _change(path: Path, quarter: str, stage: str, **values: Any) -> bool:
    """Change this process's open run of `stage`; say whether there is one."""
    values["heartbeat"] = _now()
    settings = ", ".join(f"{name} = ?" for name in values)
    where = f"quarter = ? AND stage = ? AND host = ? AND pid = ? AND {_OPEN}"
    with _connection(path) as connection:
        done = connection.execute(
            f"UPDATE stage_run SET {settings} WHERE {where}",
            [*values.values(), quarter, stage, HOST, os.getpid()],
        )
        return done.rowcount > 0


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    set_aside(path)
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            _prepare(connection)
        yield connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0]:
        return
    create(connection, [_RUN])
    document(connection, [_VIEW])
    connection.execute(
        f"CREATE VIEW stage_status AS SELECT {', '.join(c.name for c in _SHOWN)} FROM stage_run"
        " WHERE id IN (SELECT max(id) FROM stage_run GROUP BY quarter, stage)"
    )
    connection.execute("PRAGMA user_version = 1")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
