"""Reads a quarter's sufficient statistics and figures from the warehouse."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exams.contract import Contract
from exams.errors import ExamsError
from exams.schema import Table, quoted
from exams.tables import FIGURES
from exams.warehouse.history import read_left_out
from exams.warehouse.store import reading


@dataclass(frozen=True)
class CubeFrames:
    """A quarter's cube as frames; levels by dimension name, None where there is no value.

    cells: dimensions, n, complete, at_risk. values: dimensions, reported score, steps, n (of the
    overall score the total of all). moments: dimensions, score, other, total. combinations: one
    column per score in its own unit, n.
    """

    contract: Contract
    cells: pd.DataFrame
    values: pd.DataFrame
    moments: pd.DataFrame
    combinations: pd.DataFrame


def read_cube(path: Path, contract: Contract, quarter: str) -> CubeFrames:
    """Return the cube of `quarter`; raise E206 if nothing of it is loaded."""
    levels = ", ".join(f"p.{quoted(d.name)}" for d in contract.dimensions)
    units = ", ".join(_in_units(s.name, s.decimals) for s in contract.scores)
    with reading(path) as connection:
        cells = _frame(
            connection, f"SELECT {levels}, n, complete, at_risk FROM cube", quarter, "c.profile"
        )
        if cells.empty:
            raise ExamsError(
                "E206", f"No record of {quarter} is loaded.", "See the report of transform: why?"
            )
        return CubeFrames(
            contract,
            cells,
            _frame(
                connection,
                f"SELECT {levels}, score, steps, n FROM cube_value",
                quarter,
                "c.profile, score, steps",
            ),
            _frame(
                connection,
                f"SELECT {levels}, score, other, total FROM cube_moment",
                quarter,
                "c.profile, score, other",
            ),
            pd.read_sql_query(
                f"SELECT {units}, n FROM cube_combination WHERE quarter = ?",
                connection,
                params=(quarter,),
            ),
        )


def _in_units(name: str, decimals: int) -> str:
    return f"{quoted(name)} / {10**decimals}.0 AS {quoted(name)}" if decimals else quoted(name)


def _frame(connection: sqlite3.Connection, select: str, quarter: str, order: str) -> pd.DataFrame:
    return pd.read_sql_query(
        f"{select} c JOIN profile p ON p.id = c.profile WHERE c.quarter = ? ORDER BY {order}",
        connection,
        params=(quarter,),
    )


def read_figures(path: Path, quarter: str) -> dict[str, pd.DataFrame]:
    """Return what the model stage worked out for publication: a frame per table. Private."""
    with reading(path) as connection:
        return {
            table.name: pd.read_sql_query(
                f"SELECT {_columns(table)} FROM {quoted(table.name)}"
                " WHERE quarter = ? ORDER BY rowid",
                connection,
                params=(quarter,),
            )
            for table in FIGURES
        }


def _columns(table: Table) -> str:
    return ", ".join(quoted(c.name) for c in table.columns if c.name != "suppressed")


def read_history(path: Path, quarter: str) -> pd.DataFrame:
    """Return model_history of the quarters up to `quarter`, oldest first. Private."""
    query = "SELECT * FROM model_history WHERE quarter <= ? ORDER BY quarter, rowid"
    with reading(path) as connection:
        return pd.read_sql_query(query, connection, params=(quarter,))


def read_lineage(path: Path, quarter: str) -> dict[str, str]:
    """Return what figures of `quarter` stand on: contract_version, and content (a fingerprint)."""
    query = "SELECT contract_version, content FROM loaded WHERE quarter = ?"
    with reading(path) as connection:
        found = connection.execute(query, [quarter]).fetchone()
    return dict(zip(("contract_version", "content"), found, strict=True))


def read_breaks(path: Path, quarter: str) -> pd.DataFrame:
    """Return the breaks in comparability that the model stage found in `quarter`."""
    query = "SELECT * FROM comparability_break WHERE quarter = ? ORDER BY place"
    with reading(path) as connection:
        return pd.read_sql_query(query, connection, params=(quarter,))


def read_reconciliation(path: Path, quarter: str) -> dict[str, pd.DataFrame]:
    """Return what became of a quarter's files, as counts of records alone.

    delivery: quarter, file, sha256, received, loaded, quarantined, resolved. quarantine_count:
    quarter, file, column, reason, records. repair_count: quarter, file, column, repair, records.
    """
    with reading(path) as connection:
        return {
            name: pd.read_sql_query(query, connection, params=(quarter,))
            for name, query in _RECONCILIATION.items()
        }


_RECONCILIATION = {
    "delivery": "SELECT quarter, file, sha256, received, loaded, quarantined, resolved"
    " FROM delivery WHERE quarter = ? AND removed IS NULL ORDER BY file",
    "quarantine_count": 'SELECT quarter, file, "column", reason, count(*) AS records'
    " FROM quarantine WHERE quarter = ? AND resolved_by IS NULL"
    ' GROUP BY file, "column", reason ORDER BY file, "column", reason',
    "repair_count": 'SELECT quarter, file, field AS "column", repair, records'
    " FROM repair r JOIN delivery d ON d.id = r.delivery"
    " WHERE quarter = ? AND removed IS NULL ORDER BY file, field, repair",
}


def count_refused(path: Path, quarter: str) -> int:
    """Return how many files of `quarter` were refused and left out: if any, it is incomplete."""
    return sum(bool(code) for _, code, _ in read_left_out(path, quarter))


class Held(NamedTuple):
    """One reason why a record of the file with this SHA-256 is in quarantine."""

    sha256: str
    file: str
    line: int
    column: str
    reason: str


def read_quarantine(path: Path, quarter: str) -> list[Held]:
    """Return what is in quarantine and was not delivered again, file by file and line by line."""
    query = (
        'SELECT d.sha256, d.file, q.line, q."column", q.reason'
        " FROM quarantine q JOIN delivery d ON d.id = q.delivery"
        " WHERE q.quarter = ? AND d.removed IS NULL AND q.resolved_by IS NULL"
        ' ORDER BY d.file, q.line, q."column", q.reason'
    )
    with reading(path) as connection:
        return [Held(*row) for row in connection.execute(query, [quarter])]


def count_rows(path: Path, quarter: str) -> pd.DataFrame:
    """Return how many rows of `quarter` each table of the warehouse holds: table, rows."""
    queries = {
        "delivery": "SELECT count(*) FROM delivery WHERE quarter = ? AND removed IS NULL",
        "results": "SELECT count(*) FROM results WHERE quarter = ?",
        "quarantine": "SELECT count(*) FROM quarantine WHERE quarter = ?",
        "cube": "SELECT count(*) FROM cube WHERE quarter = ?",
    }
    with reading(path) as connection:
        rows: list[tuple[str, Any]] = [
            (name, connection.execute(query, [quarter]).fetchone()[0])
            for name, query in queries.items()
        ]
    return pd.DataFrame(rows, columns=["table", "rows"])
