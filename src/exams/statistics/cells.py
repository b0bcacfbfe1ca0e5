"""The cube as cells: per profile and score how many students, the sum and the sum of squares.

All three are Python's whole numbers, which have no bounds: nothing is lost, at any size.
"""

import pandas as pd

from exams.contract import ALL, NOT_STATED, Contract
from exams.warehouse.read import CubeFrames

SUMS = ["n", "total", "squares"]
_SAFE = 2**62


def cells(cube: CubeFrames) -> pd.DataFrame:
    """Return dimensions, score, n, total, squares: one row per profile and reported score.

    total and squares are sums over students of steps above the lowest that the score can have,
    and of their squares. A missing level is NOT_STATED.
    """
    contract = cube.contract
    lowest = {s.name: contract.parts(s) * s.minimum for s in contract.reported}
    values = cube.values
    above = values["steps"] - values["score"].map(lowest)
    if int(above.max()) ** 2 * int(values["n"].sum()) >= _SAFE:
        above = above.astype(object)
    counted = values.assign(total=above * values["n"], squares=above * above * values["n"])
    names = [d.name for d in contract.dimensions]
    counted[names] = counted[names].fillna(NOT_STATED)
    summed = counted.groupby([*names, "score"], sort=False, as_index=False)[SUMS].sum()
    summed[SUMS] = summed[SUMS].astype(object)
    return summed


def by_group(
    frame: pd.DataFrame, contract: Contract, keys: list[str], sums: list[str]
) -> pd.DataFrame:
    """Return dimension, level, `keys`, `sums`: added up over all and by every dimension."""
    added = []
    for dimension in (ALL, *(d.name for d in contract.dimensions)):
        level = ALL if dimension == ALL else frame[dimension].fillna(NOT_STATED)
        grouped = frame.assign(dimension=dimension, level=level)
        by = ["dimension", "level", *keys]
        added.append(grouped.groupby(by, sort=False, as_index=False)[sums].sum())
    return pd.concat(added, ignore_index=True)
