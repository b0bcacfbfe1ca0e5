"""Lineage: from which files, by which code and under which rules a published quarter was made.

reports/<quarter>/lineage.json tells it beside the report, and may be seen: it has no name of a
machine, and no hash that published.db does not have. The table in status.db keeps what was so
once, run by run.
"""

import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from exams import published
from exams.editions import edition
from exams.errors import ExamsError
from exams.files import read_note, write_atomic
from exams.places import STAGES, Places
from exams.schema import Column, Table, create, quoted

NAME = "lineage.json"
_ORIGIN = (
    Column("source_sha256", "TEXT", "SHA-256 of the stage's notebook in notebooks/."),
    Column("notebook_sha256", "TEXT", "SHA-256 of the executed notebook in reports/<quarter>/."),
    Column("code", "TEXT", "Fingerprint of the modules of the package that it imports."),
    Column("package", "TEXT", "Version of the package exams."),
    Column("commit", "TEXT", "Git commit of the project; null if it is no clone."),
    Column("changed", "INTEGER", "1: files differed from the commit; null if it is no clone."),
    Column("contract_sha256", "TEXT", "SHA-256 of the contract's file."),
    Column("lock_sha256", "TEXT", "SHA-256 of requirements.lock; null if there is none."),
)
ORIGIN = tuple(column.name for column in _ORIGIN)
RULES, CODE = ("contract_sha256",), ("source_sha256", "code", "lock_sha256")
STAGE_LINEAGE = Table(
    "stage_lineage",
    "One row per run of a stage that ended well: what it was made by. Rows are never removed.",
    (
        Column("id", "INTEGER", "Number of the row, ascending in time."),
        Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1."),
        Column("stage", "TEXT", "Stage of the pipeline."),
        Column("started", "TEXT", "Begin, ISO 8601 in UTC."),
        Column("ended", "TEXT", "End, ISO 8601 in UTC."),
        Column("host", "TEXT", "Computer that ran it."),
        *_ORIGIN,
    ),
    ("id",),
)
_RUN = ("started", "ended", "rows_in", "rows_out")


def record(places: Places, quarter: str, run: dict[str, Any], origin: dict[str, Any]) -> None:
    """Note in status.db and in lineage.json what a run of a stage was made by.

    run: the stage, its started, ended, host, rows_in and rows_out. origin: a value for each name
    of ORIGIN. The caller holds the quarter's lock.
    """
    _append(places.status, {"quarter": quarter, **run, **origin})
    told = lineage(places, quarter)
    stages = {entry["stage"]: entry for entry in told.get("stages", [])}
    stages[run["stage"]] = {"stage": run["stage"], **{n: run.get(n) for n in _RUN}, **origin}
    former = told.get("basis", {})
    told = {"quarter": quarter, **_published(places.published, quarter)}
    told["stages"] = [stages[stage] for stage in STAGES if stage in stages]
    told["basis"] = basis(told["stages"]) if run["stage"] == "publish" else former
    write_atomic(path_of(places, quarter), json.dumps(told, indent=1))


def basis(stages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return RULES and CODE of the stages whose results are published, by stage."""
    before = (entry for entry in stages if entry["stage"] not in ("publish", "visualize"))
    return {entry["stage"]: {name: entry[name] for name in (*RULES, *CODE)} for entry in before}


def lineage(places: Places, quarter: str) -> dict[str, Any]:
    """Return lineage.json of a quarter; empty if there is none that can be read.

    Keys: quarter, publication, tables (names), deliveries (published rows), stages, in order,
    each with started, ended, rows_in, rows_out and ORIGIN, and basis: what the published version
    was made by.
    """
    return read_note(path_of(places, quarter))


def path_of(places: Places, quarter: str) -> Path:
    """Return the path of a quarter's lineage.json."""
    return places.reports / quarter / NAME


def check_published(places: Places, quarter: str) -> None:
    """Raise E331 if nothing of `quarter` is published."""
    ready = published.published_quarters(places.published)
    if quarter not in ready:
        listed = f"Published quarters: {', '.join(ready) or 'none'}."
        raise ExamsError("E331", f"{quarter} is not published.", listed)


def hosts(status: Path, quarter: str) -> dict[str, str]:
    """Return the computer of the latest run that is noted of each stage."""
    query = "SELECT stage, host FROM stage_lineage WHERE quarter = ? ORDER BY id"
    try:
        with closing(sqlite3.connect(f"{status.as_uri()}?mode=ro", uri=True)) as connection:
            return dict(connection.execute(query, [quarter]).fetchall())
    except sqlite3.Error:  # lost, or of an earlier release: lineage.json has the rest
        return {}


def _published(database: Path, quarter: str) -> dict[str, Any]:
    """Return publication, tables and deliveries of a quarter, as far as it is published."""
    try:
        (publication,) = published.read(database, "publication", quarter)
        deliveries = published.read(database, "delivery", quarter)
    except (ExamsError, ValueError):
        return {}
    return {
        "publication": publication | {"edition": edition(database, quarter)},
        "tables": [table.name for table in published.TABLES],
        "deliveries": deliveries,
    }


def _append(path: Path, row: dict[str, Any]) -> None:
    names = [column.name for column in STAGE_LINEAGE.columns if column.name != "id"]
    marks = ", ".join("?" * len(names))
    into = ", ".join(map(quoted, names))
    with (
        suppress(sqlite3.Error),  # as all of status.db, it stops no build; lineage.json has it
        closing(sqlite3.connect(path, timeout=5)) as connection,
        connection,
    ):
        create(connection, [STAGE_LINEAGE])
        statement = f"INSERT INTO stage_lineage ({into}) VALUES ({marks})"
        connection.execute(statement, [row.get(name) for name in names])
