"""Figures by group of students, exact, from the cube alone."""

from math import sqrt

import pandas as pd

from exams.contract import ALL, Contract, Field
from exams.statistics.cells import SUMS, by_group, cells
from exams.statistics.intervals import mean_interval, share_interval
from exams.warehouse.read import CubeFrames


def groups(contract: Contract) -> list[tuple[str, str]]:
    """Return every group: (all, all), then (dimension, level) in the contract's order."""
    named = [(d.name, level) for d in contract.dimensions for level in d.counted_levels]
    return [(ALL, ALL), *named]


def mean_by_group(cube: CubeFrames) -> pd.DataFrame:
    """Return dimension, level, score, n, mean, sd, ci_low, ci_high, in units of the score.

    One row per group and reported score; sd has n - 1 in its denominator; the interval is
    Student's. A group without students has n = 0 and no mean.
    """
    sums = by_group(cells(cube), cube.contract, ["score"], SUMS)
    found = sums.set_index(["dimension", "level", "score"]).to_dict("index")
    none = dict.fromkeys(SUMS, 0)
    rows = []
    for group in groups(cube.contract):
        for field in cube.contract.reported:
            held = found.get((*group, field.name), none)
            rows.append((*group, field.name, *describe(held, field, cube.contract)))
    columns = ["dimension", "level", "score", "n", "mean", "sd", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def describe(
    held: dict[str, int], field: Field, contract: Contract
) -> tuple[int, float, float, float, float]:
    """Return n, mean, sd and the interval from sums of steps above the lowest."""
    n, total, squares = (int(held[name]) for name in SUMS)
    if n == 0:
        return (0, *(float("nan"),) * 4)
    per_unit = contract.per_unit(field)
    mean = (total + n * contract.parts(field) * field.minimum) / (n * per_unit)
    # Python's whole numbers have no bounds: nothing is lost before the division
    sd = sqrt((n * squares - total * total) / (n * (n - 1))) / per_unit if n > 1 else float("nan")
    return n, mean, sd, *mean_interval(n, mean, sd)


def at_risk_by_group(cube: CubeFrames) -> pd.DataFrame:
    """Return dimension, level, n, at_risk, share, ci_low, ci_high (Wilson), per group.

    A student is at risk with any score below its threshold; no rows if no score has one.
    """
    columns = ["dimension", "level", "n", "at_risk", "share", "ci_low", "ci_high"]
    if all(s.at_risk_below is None for s in cube.contract.scores):
        return pd.DataFrame(columns=columns)
    sums = by_group(cube.cells, cube.contract, [], ["n", "at_risk"])
    found = sums.set_index(["dimension", "level"]).to_dict("index")
    rows = []
    for group in groups(cube.contract):
        held = found.get(group, {"n": 0, "at_risk": 0})
        n, k = int(held["n"]), int(held["at_risk"])
        rows.append((*group, n, k, k / n if n else float("nan"), *share_interval(k, n)))
    return pd.DataFrame(rows, columns=columns)
