"""Rounds figures that follow from counts that no table shows, lest these be solved for."""

from math import log10

import pandas as pd

from exams.contract import ALL
from exams.disclosure.cells import Frames
from exams.protection import PROTECTION, Derived, unit_of


def rounded(tables: Frames) -> dict[str, pd.DataFrame]:
    """Return the tables with the columns rounded that are declared so.

    To a unit of 1/500 to 1/50 of the standard deviation of all students.
    """
    return {name: _rounded(name, frame, tables) for name, frame in tables.items()}


def _rounded(name: str, frame: pd.DataFrame, tables: Frames) -> pd.DataFrame:
    declared = PROTECTION[name]
    if not isinstance(declared, Derived) or not declared.rounded:
        return frame
    means = tables["mean_by_group"]
    sd = means[means["dimension"] == ALL].set_index("score")["sd"].dropna().astype(float)
    decimals = {score: -round(log10(unit_of(of))) for score, of in sd.items()}
    found = frame.copy()
    for column in declared.rounded:
        found[column] = [
            value if pd.isna(value) else round(float(value), decimals.get(score, 0))
            for value, score in zip(frame[column], frame["score"], strict=True)
        ]
        found[column] = found[column].astype(frame[column].dtype)
    return found
