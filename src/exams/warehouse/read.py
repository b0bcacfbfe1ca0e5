"""Reads a quarter's sufficient statistics and figures from the warehouse."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from exams.contract import Contract
from exams.errors import ExamsError
from exams.schema import quoted
from exams.warehouse.schema import MODEL
from exams.warehouse.store import reading


@dataclass(frozen=True)
class CubeFrames:
    """A quarter's cube as frames; levels by dimension name, None where there is no value.

    cells: dimensions, n, complete, at_risk. values: dimensions, score, steps, n. moments:
    dimensions, score, other, total. combinations: one column per score in its own unit, n.
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
        cells = _frame(connection, f"SELECT {levels}, n, complete, at_risk FROM cube", quarter)
        if cells.empty:
            raise ExamsError(
                "E206", f"No record of {quarter} is loaded.", "See the report of transform: why?"
            )
        return CubeFrames(
            contract,
            cells,
            _frame(connection, f"SELECT {levels}, score, steps, n FROM cube_value", quarter),
            _frame(connection, f"SELECT {levels}, score, other, total FROM cube_moment", quarter),
            pd.read_sql_query(
                f"SELECT {units}, n FROM cube_combination WHERE quarter = ?",
                connection,
                params=(quarter,),
            ),
        )


def _in_units(name: str, decimals: int) -> str:
    return f"{quoted(name)} / {10**decimals}.0 AS {quoted(name)}" if decimals else quoted(name)


def _frame(connection: sqlite3.Connection, select: str, quarter: str) -> pd.DataFrame:
    return pd.read_sql_query(
        f"{select} c JOIN profile p ON p.id = c.profile WHERE c.quarter = ? ORDER BY c.rowid",
        connection,
        params=(quarter,),
    )


def read_figures(path: Path, quarter: str) -> dict[str, pd.DataFrame]:
    """Return what the model stage worked out for `quarter`: a frame per table. Private."""
    with reading(path) as connection:
        return {
            table.name: pd.read_sql_query(
                f"SELECT * FROM {quoted(table.name)} WHERE quarter = ? ORDER BY rowid",
                connection,
                params=(quarter,),
            )
            for table in MODEL
        }


def read_reconciliation(path: Path, quarter: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a quarter's deliveries and its quarantine by file, column and reason.

    Counts of records alone: deliveries (quarter, file, sha256, received, loaded, quarantined)
    and counts (quarter, file, column, reason, records).
    """
    deliveries = (
        "SELECT quarter, file, sha256, received, loaded, quarantined FROM delivery"
        " WHERE quarter = ? AND removed IS NULL ORDER BY file"
    )
    counts = (
        'SELECT quarter, file, "column", reason, count(*) AS records FROM quarantine'
        ' WHERE quarter = ? GROUP BY file, "column", reason ORDER BY file, "column", reason'
    )
    with reading(path) as connection:
        return (
            pd.read_sql_query(deliveries, connection, params=(quarter,)),
            pd.read_sql_query(counts, connection, params=(quarter,)),
        )


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
