"""Figures by groups of two dimensions, exact, from the cube alone."""

import pandas as pd

from exams.contract import NOT_STATED, Contract, Field
from exams.statistics.cells import SUMS, cells
from exams.statistics.groups import describe
from exams.warehouse.read import CubeFrames

_COLUMNS = ["dimension", "level", "dimension_2", "level_2", "score", "n", "mean", "sd"]


def mean_by_crossing(cube: CubeFrames) -> pd.DataFrame:
    """Return dimension, level, dimension_2, level_2, score, n, mean, sd, ci_low, ci_high.

    One row per crossing of the contract, pair of levels (merged where the contract says so) and
    reported score, as in mean_by_group. Pairs without students have n = 0.
    """
    sums = cells(cube)
    rows = []
    for first, second in _pairs(cube.contract):
        found = _sums(sums, first, second)
        for level, other in _levels(first, second):
            for field in cube.contract.reported:
                held = found.get((level, other, field.name), dict.fromkeys(SUMS, 0))
                key = (first.name, level, second.name, other, field.name)
                rows.append((*key, *describe(held, field, cube.contract)))
    return pd.DataFrame(rows, columns=[*_COLUMNS, "ci_low", "ci_high"])


def _pairs(contract: Contract) -> list[tuple[Field, Field]]:
    named = {d.name: d for d in contract.dimensions}
    return [(named[a], named[b]) for a, b in contract.crossings]


def _levels(first: Field, second: Field) -> list[tuple[str, str]]:
    both = [
        [*(name for name, _ in d.coarse), *([] if d.required else [NOT_STATED])]
        for d in (first, second)
    ]
    return [(a, b) for a in both[0] for b in both[1]]


def _sums(sums: pd.DataFrame, first: Field, second: Field) -> dict:
    """Return n, total and squares by pair of levels and score."""
    named = {
        key: sums[d.name].map({part: name for name, merged in d.coarse for part in merged})
        for key, d in (("level", first), ("level_2", second))
    }
    crossed = sums.assign(**{key: column.fillna(NOT_STATED) for key, column in named.items()})
    keys = ["level", "level_2", "score"]
    return crossed.groupby(keys)[SUMS].sum().to_dict("index")
