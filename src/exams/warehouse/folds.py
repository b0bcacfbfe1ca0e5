"""Reads a quarter's sums by profile and fold."""

import pandas as pd

from exams.contract import Contract
from exams.places import Warehouse
from exams.schema import quoted
from exams.warehouse.frames import frame
from exams.warehouse.store import reading


def read_folds(
    warehouse: Warehouse, contract: Contract, quarter: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return cells (profile, dimensions, fold, n, at_risk) and their scores.

    Scores: profile, fold, score, n, total, squares, in steps above the lowest. Both in order of
    profile and fold.
    """
    levels = ", ".join(f"p.{quoted(d.name)}" for d in contract.dimensions)
    order = "WHERE quarter = ? ORDER BY profile, fold"
    with reading(warehouse) as connection:
        cells, scores = (
            frame(connection, query, [quarter])
            for query in (
                f"SELECT profile, {levels}, fold, n, at_risk FROM cube_fold"
                f" JOIN profile p ON p.id = profile {order}",
                f"SELECT profile, fold, score, n, total, squares FROM cube_fold_score {order}",
            )
        )
    return cells, scores
