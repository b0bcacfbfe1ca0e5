"""Reads a quarter's sufficient statistics and figures from the warehouse."""

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from exams.contract import Contract
from exams.errors import ExamsError
from exams.places import Warehouse
from exams.schema import Table, quoted
from exams.tables import FIGURES
from exams.tables_models import BREAK
from exams.warehouse.frames import frame
from exams.warehouse.history import read_left_out
from exams.warehouse.model_tables import MODEL_HISTORY
from exams.warehouse.results import count_results
from exams.warehouse.schema import keys_of
from exams.warehouse.sql import OF_KEYS, by_levels, in_units
from exams.warehouse.store import of_office, reading


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


def read_cube(warehouse: Warehouse, contract: Contract, quarter: str) -> CubeFrames:
    """Return the cube of `quarter`; raise E206 if nothing of it is loaded."""
    dimensions = [d.name for d in contract.dimensions]
    units = ", ".join(_in_units(s.name, s.decimals) for s in contract.scores)
    with reading(warehouse) as connection:

        def read(table: str, columns: str, order: str = "") -> pd.DataFrame:
            return frame(connection, by_levels(table, dimensions, columns, order), [quarter])

        values = by_levels("cube_value", dimensions, "score, steps, n", ", score, steps", OF_KEYS)
        cells = read("cube", "n, complete, at_risk")
        if cells.empty:
            raise ExamsError(
                "E206", f"No record of {quarter} is loaded.", "See the report of transform: why?"
            )
        combinations = f"SELECT {units}, n FROM cube_combination WHERE {OF_KEYS} ORDER BY key"
        return CubeFrames(
            contract,
            cells,
            frame(connection, values, keys_of(quarter)),
            read("cube_moment", "score, other, total", ", score, other"),
            frame(connection, combinations, keys_of(quarter)),
        )


def _in_units(name: str, decimals: int) -> str:
    return f"{in_units(quoted(name), decimals)} AS {quoted(name)}"


def read_figures(warehouse: Warehouse, quarter: str) -> dict[str, pd.DataFrame]:
    """Return what the model stage worked out for publication: a frame per table. Private."""
    with reading(warehouse) as connection:
        return {
            table.name: frame(
                connection,
                f"SELECT {_columns(table)} FROM {quoted(table.name)}"
                " WHERE quarter = ? ORDER BY rowid",
                [quarter],
            )
            for table in FIGURES
        }


def _columns(table: Table) -> str:
    return ", ".join(quoted(c.name) for c in table.columns if c.name != "suppressed")


def read_history(warehouse: Warehouse, quarter: str) -> pd.DataFrame:
    """Return model_history of the quarters up to `quarter`, oldest first. Private."""
    own, marks = of_office(warehouse)
    query = (
        f"SELECT {_columns(MODEL_HISTORY)} FROM model_history WHERE quarter <= ?"
        f" AND quarter IN (SELECT quarter FROM loaded WHERE {own}) ORDER BY quarter, rowid"
    )
    with reading(warehouse) as connection:
        return frame(connection, query, [quarter, *marks])


def read_lineage(warehouse: Warehouse, quarter: str) -> dict[str, str]:
    """Return what figures of `quarter` stand on: contract_version, and content (a fingerprint)."""
    query = "SELECT contract_version, content FROM loaded WHERE quarter = ?"
    with reading(warehouse) as connection:
        found = connection.execute(query, [quarter]).fetchone()
    return dict(zip(("contract_version", "content"), found, strict=True))


def read_breaks(warehouse: Warehouse, quarter: str) -> pd.DataFrame:
    """Return the breaks in comparability that the model stage found in `quarter`."""
    query = f"SELECT {_columns(BREAK)} FROM comparability_break WHERE quarter = ? ORDER BY place"
    with reading(warehouse) as connection:
        return frame(connection, query, [quarter])


def read_reconciliation(warehouse: Warehouse, quarter: str) -> dict[str, pd.DataFrame]:
    """Return what became of a quarter's files, as counts of records alone.

    delivery: quarter, file, sha256, received, loaded, quarantined, resolved. quarantine_count:
    quarter, file, column, reason, records. repair_count: quarter, file, column, repair, records.
    """
    with reading(warehouse) as connection:
        return {
            name: frame(connection, query, [quarter]) for name, query in _RECONCILIATION.items()
        }


_RECONCILIATION = {
    "delivery": "SELECT quarter, file, sha256, received, loaded, quarantined, resolved"
    " FROM delivery WHERE quarter = ? AND removed IS NULL ORDER BY file",
    "quarantine_count": 'SELECT quarter, file, "column", reason, count(*) AS records'
    " FROM quarantine WHERE quarter = ? AND resolved_by IS NULL"
    ' GROUP BY quarter, file, "column", reason ORDER BY file, "column", reason',
    "repair_count": 'SELECT quarter, file, field AS "column", repair, records'
    " FROM repair r JOIN delivery d ON d.id = r.delivery"
    " WHERE quarter = ? AND removed IS NULL ORDER BY file, field, repair",
}


def count_refused(warehouse: Warehouse, quarter: str) -> int:
    """Return how many files of `quarter` were refused and left out: if any, it is incomplete."""
    return sum(bool(code) for _, code, _ in read_left_out(warehouse, quarter))


class Held(NamedTuple):
    """One reason why a record of the file with this SHA-256 is in quarantine."""

    sha256: str
    file: str
    line: int
    column: str
    reason: str


def read_quarantine(warehouse: Warehouse, quarter: str) -> list[Held]:
    """Return what is in quarantine and was not delivered again, file by file and line by line."""
    query = (
        'SELECT d.sha256, d.file, q.line, q."column", q.reason'
        " FROM quarantine q JOIN delivery d ON d.id = q.delivery"
        " WHERE q.quarter = ? AND d.removed IS NULL AND q.resolved_by IS NULL"
        ' ORDER BY d.file, q.line, q."column", q.reason'
    )
    with reading(warehouse) as connection:
        return [Held(*row) for row in connection.execute(query, [quarter]).fetchall()]


def count_rows(warehouse: Warehouse, quarter: str) -> pd.DataFrame:
    """Return how many rows of `quarter` each table of the warehouse holds: table, rows."""
    with reading(warehouse) as connection:

        def count(of: str) -> int:
            query = f"SELECT count(*) FROM {of} WHERE quarter = ?"
            return int(connection.execute(query, [quarter]).fetchone()[0])

        rows = {
            "delivery": count("(SELECT * FROM delivery WHERE removed IS NULL) AS present"),
            "results": count_results(connection, quarter),
            "quarantine": count("quarantine"),
            "cube": count("cube"),
        }
    return pd.DataFrame([*rows.items()], columns=["table", "rows"])
