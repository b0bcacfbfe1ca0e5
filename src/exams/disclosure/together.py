"""Tables whose rows of a dimension are shown or hidden all together."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from exams.contract import ALL, Contract
from exams.disclosure.cells import Cell, Counts, cells_of
from exams.protection import Counted

_RISK = "at_risk"


def together(
    frame: pd.DataFrame,
    declared: Counted,
    contract: Contract,
    away: tuple[Counts, np.ndarray],
    wished: Iterable[Cell],
) -> np.ndarray:
    """Return which rows of a table to hide: whole dimensions, all of them with the rows of all.

    A dimension goes with a row of 1 to minimum_count - 1 students, or of a group that is hidden,
    or whose students at risk are; away: the cells, and which of them are hidden. wished: cells
    that were hidden before.
    """
    rules, before = contract.disclosure, set(wished)
    counts, hidden = away
    gone: Mapping[Cell, bool] = {c: bool(hidden[p]) for c, p in counts.place.items()}
    n = frame["n"].astype(int)
    found = ((n < rules.minimum_count) & ((n > 0) | rules.hide_zeros)).to_numpy(copy=True)
    for row, (cell, *_) in enumerate(cells_of(frame, declared, contract)):
        risk = Cell(cell.groups, cell.universe, _RISK, _RISK)
        found[row] |= gone.get(cell.base, False) or gone.get(risk, False) or cell in before
    names = frame["dimension"]
    away_whole = set(names[found])
    return np.full(len(frame), True) if ALL in away_whole else names.isin(away_whole).to_numpy()
