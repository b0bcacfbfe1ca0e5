"""published.db: the tables that passed disclosure control, replaced whole and atomically."""

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exams.errors import ExamsError
from exams.schema import Column, Table, create, quoted

Row = Mapping[str, Any]

_QUARTER = Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1.")
_DIMENSION = Column("dimension", "TEXT", "Contract name of a dimension; all: every student.")
_LEVEL = Column("level", "TEXT", "Level of the dimension; not stated: no value; all: every one.")
_SCORE = Column("score", "TEXT", "Contract name of a score, or of the overall score.")
_N = Column("n", "INTEGER", "Students counted; null if hidden.", "students")
_LOW = Column("ci_low", "REAL", "Lower end of the 95 % interval; null if hidden or undefined.")
_HIGH = Column("ci_high", "REAL", "Upper end of the 95 % interval; null if hidden or undefined.")
_SUPPRESSED = Column("suppressed", "INTEGER", "1: hidden to protect students; 0: shown.")
_SHARE = Column("share", "REAL", "Share of students, 0 to 1; null if hidden.")

TABLES = (
    Table(
        "publication",
        "One row per published quarter: when, from which deliveries, under which contract.",
        (
            _QUARTER,
            Column("version", "INTEGER", "1 for the first publication; +1 when figures change."),
            Column("published_at", "TEXT", "Time of this version, ISO 8601 in UTC."),
            Column("contract", "TEXT", "Title of the contract."),
            Column("contract_version", "TEXT", "Version of the contract."),
            Column("fingerprint", "TEXT", "SHA-256 of the published rows of the quarter."),
        ),
        ("quarter",),
    ),
    Table(
        "field",
        "One row per quarter and field of its contract, with the words that charts use.",
        (
            _QUARTER,
            Column("position", "INTEGER", "Place in the contract, from 0."),
            Column("name", "TEXT", "Contract name of the field."),
            Column("title", "TEXT", "Title for people."),
            Column("role", "TEXT", "dimension, score, or overall (the mean of the scores)."),
            Column("unit", "TEXT", "Unit of a score; empty for a dimension."),
            Column("minimum", "REAL", "Lowest score possible; null for a dimension."),
            Column("maximum", "REAL", "Highest score possible; null for a dimension."),
            Column("description", "TEXT", "Meaning."),
        ),
        ("quarter", "name"),
    ),
    Table(
        "delivery",
        "One row per quarter and delivered file: the reconciliation.",
        (
            _QUARTER,
            Column("file", "TEXT", "Name of the file."),
            Column("sha256", "TEXT", "SHA-256 of the file's bytes."),
            Column("received", "INTEGER", "Records in the file.", "records"),
            Column("loaded", "INTEGER", "Records in the warehouse.", "records"),
            Column("quarantined", "INTEGER", "Records in quarantine.", "records"),
        ),
        ("quarter", "file"),
    ),
    Table(
        "quarantine_count",
        "One row per quarter, file, column and reason for quarantine.",
        (
            _QUARTER,
            Column("file", "TEXT", "Name of the file."),
            Column("column", "TEXT", "Contract name of the column; * for the whole record."),
            Column("reason", "TEXT", "Reason code."),
            Column("records", "INTEGER", "Records; one with two reasons counts twice.", "records"),
        ),
        ("quarter", "file", "column", "reason"),
    ),
    Table(
        "mean_by_group",
        "One row per quarter, group of students and score: mean and spread.",
        (
            _QUARTER,
            _DIMENSION,
            _LEVEL,
            _SCORE,
            Column("n", "INTEGER", "Students with this score; null if hidden.", "students"),
            Column("mean", "REAL", "Mean score; null if hidden or n = 0."),
            Column("sd", "REAL", "Standard deviation (n - 1); null if hidden or n < 2."),
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level", "score"),
    ),
    Table(
        "at_risk_by_group",
        "One row per quarter and group: students with a score below its at-risk threshold.",
        (
            _QUARTER,
            _DIMENSION,
            _LEVEL,
            _N,
            Column("at_risk", "INTEGER", "Students at risk; null if hidden.", "students"),
            _SHARE,
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level"),
    ),
    Table(
        "levels",
        "One row per quarter, score and score level (band of the scale).",
        (
            _QUARTER,
            _SCORE,
            Column("code", "INTEGER", "Order of the score level, 1 the lowest."),
            Column("level", "TEXT", "Label of the score level."),
            _N,
            _SHARE,
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "score", "code"),
    ),
    Table(
        "tiers",
        "One row per quarter, score tier (cluster of students) and score.",
        (
            _QUARTER,
            Column("tier", "INTEGER", "Score tier, 1 the lowest total."),
            _SCORE,
            _N,
            _SHARE,
            Column("mean", "REAL", "Mean score of the tier's students; null if hidden."),
            _SUPPRESSED,
        ),
        ("quarter", "tier", "score"),
    ),
    Table(
        "gaps",
        "One row per quarter, group and score: difference of means from the largest group.",
        (
            _QUARTER,
            _DIMENSION,
            _LEVEL,
            Column("reference", "TEXT", "Largest level of the dimension, compared with."),
            _SCORE,
            Column("n", "INTEGER", "Students of the smaller group; null if hidden.", "students"),
            Column("gap", "REAL", "Mean of level minus mean of reference; null if hidden."),
            _LOW,
            _HIGH,
            Column("effect", "REAL", "Hedges' g; null if hidden.", "standard deviations"),
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level", "score"),
    ),
)
CONTENT = tuple(t for t in TABLES if t.name != "publication")


def publish(
    path: Path,
    quarter: str,
    tables: Mapping[str, Sequence[Row]],
    contract: tuple[str, str],
) -> None:
    """Replace what is published of `quarter` by `tables`, atomically.

    `tables` has a list of rows for each table of CONTENT. The new database is written beside
    the old one and takes its place at the end; equal rows leave the old one untouched.
    `contract` is its title and version.
    """
    with _locked(path):
        fingerprint = _fingerprint(tables, contract)
        former = _former(path, quarter)
        if former is not None and former["fingerprint"] == fingerprint:
            return
        version = former["version"] + 1 if former else 1
        with _replacement(path) as connection:
            for table in TABLES:
                connection.execute(f"DELETE FROM {quoted(table.name)} WHERE quarter = ?", [quarter])
            for table in CONTENT:
                _insert(connection, table, tables[table.name])
            now = datetime.now(UTC).isoformat(timespec="seconds")
            row = (quarter, version, now, *contract, fingerprint)
            connection.execute(f"INSERT INTO publication VALUES ({_marks(len(row))})", row)


def read(path: Path, table: str, quarter: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of a published table, of one quarter or of all, in published order."""
    if not path.is_file():
        raise ExamsError("E301", "Nothing is published yet.", "Run `make run`.")
    where, values = ("WHERE quarter = ?", [quarter]) if quarter else ("", [])
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        order = "ORDER BY quarter, rowid"
        found = connection.execute(f"SELECT * FROM {quoted(table)} {where} {order}", values)
        return [dict(row) for row in found]


def _insert(connection: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    names = [c.name for c in table.columns]
    connection.executemany(
        f"INSERT INTO {quoted(table.name)} VALUES ({_marks(len(names))})",
        ([row[name] for name in names] for row in rows),
    )


def _former(path: Path, quarter: str) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    rows = read(path, "publication", quarter)
    return rows[0] if rows else None


def _fingerprint(tables: Mapping[str, Sequence[Row]], contract: tuple[str, str]) -> str:
    content = [[[row[c.name] for c in t.columns] for row in tables[t.name]] for t in CONTENT]
    return hashlib.sha256(json.dumps([contract, content]).encode()).hexdigest()


@contextmanager
def _replacement(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a copy of the database at `path` that takes its place if all goes well."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft)) as connection:
        if path.is_file():
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as former:
                former.backup(connection)
        with connection:
            create(connection, TABLES)
            yield connection
    draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.with_name(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _marks(count: int) -> str:
    return ", ".join("?" * count)
