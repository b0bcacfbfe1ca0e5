"""Reads a quarter's sums by profile and fold."""

import pandas as pd

from exams.contract import Contract
from exams.places import Warehouse
from exams.warehouse.frames import frame
from exams.warehouse.sql import by_levels
from exams.warehouse.store import reading


def read_folds(
    warehouse: Warehouse, contract: Contract, quarter: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return cells (dimensions, profile, fold, n, at_risk) and their scores.

    Scores: profile, fold, score, n, total, squares, in steps above the lowest. Cells are in the
    order of levels and fold.
    """
    dimensions = [d.name for d in contract.dimensions]
    cells = by_levels("cube_fold", dimensions, "c.profile, fold, n, at_risk", ", fold")
    scores = (
        "SELECT profile, fold, score, n, total, squares FROM cube_fold_score"
        " WHERE quarter = ? ORDER BY profile, fold"
    )
    with reading(warehouse) as connection:
        return frame(connection, cells, [quarter]), frame(connection, scores, [quarter])
