"""Score levels: how many students reach which band of a scale."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from exams.contract import Field
from exams.statistics.intervals import share_interval
from exams.warehouse.read import CubeFrames


def levels(cube: CubeFrames) -> pd.DataFrame:
    """Return score, code, level, n, share, ci_low, ci_high (Wilson), lowest level first.

    The overall score's level is that of the mean of all scores, of complete records.
    """
    columns = ["score", "code", "level", "n", "share", "ci_low", "ci_high"]
    rows = [row for field in cube.contract.reported for row in _levels_of(field, cube)]
    return pd.DataFrame(rows, columns=columns)


def _levels_of(field: Field, cube: CubeFrames) -> Iterator[tuple[object, ...]]:
    steps, n = _distribution(field, cube)
    lows = np.array([band.low for band in field.bands])
    counts = np.zeros(len(lows), np.int64)
    np.add.at(counts, np.searchsorted(lows, steps, side="right") - 1, n)
    total = int(counts.sum())
    for band, count in zip(field.bands, counts.tolist(), strict=True):
        share = count / total if total else float("nan")
        yield field.name, band.code, band.label, count, share, *share_interval(count, total)


def _distribution(field: Field, cube: CubeFrames) -> tuple[np.ndarray, np.ndarray]:
    """Return values of a score in steps (of the overall score: fractions), and their counts."""
    if field.role != "overall":
        values = cube.values[cube.values["score"] == field.name]
        return values["steps"].to_numpy(), values["n"].to_numpy()
    names = [s.name for s in cube.contract.scores]
    units = cube.combinations[names].to_numpy()
    totals = np.rint(units / field.step).sum(axis=1)  # whole steps: the comparison is exact
    return totals / len(names), cube.combinations["n"].to_numpy()
