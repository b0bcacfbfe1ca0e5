"""Score levels: how many students of a group reach which band of a scale."""

import numpy as np
import pandas as pd

from exams.contract import ALL, Field
from exams.statistics.cells import by_group
from exams.statistics.groups import groups
from exams.statistics.intervals import share_interval
from exams.warehouse.read import CubeFrames

_BINS = 20  # at most so many on a scale, besides those that levels cut off
COLUMNS = ["dimension", "level", "score", "code", "band", "n", "share", "ci_low", "ci_high"]


def level_by_group(cube: CubeFrames) -> pd.DataFrame:
    """Return dimension, level, score, code, band, n, share, ci_low, ci_high (Wilson).

    One row per group, reported score and score level, the lowest level (code 1) first; `band`
    is its label. The overall score's level is that of the mean of all scores, of complete
    records.
    """
    counted = pd.concat([_coded(field, cube) for field in cube.contract.reported])
    sums = by_group(counted, cube.contract, ["score", "code"], ["n"])
    found = sums.set_index(["dimension", "level", "score", "code"])["n"].to_dict()
    rows = []
    for group in groups(cube.contract):
        for field in cube.contract.reported:
            counts = [int(found.get((*group, field.name, b.code), 0)) for b in field.bands]
            total = sum(counts)
            for band, n in zip(field.bands, counts, strict=True):
                share = n / total if total else float("nan")
                interval = share_interval(n, total)
                rows.append((*group, field.name, band.code, band.label, n, share, *interval))
    return pd.DataFrame(rows, columns=COLUMNS)


def modal_level(by_group: pd.DataFrame) -> pd.DataFrame:
    """Return dimension, level, score, code, band, n, share: the level that most students are at.

    `by_group` as from level_by_group. Of equals the lowest one; none of a group without students.
    """
    counted = by_group[by_group["n"] > 0].sort_values("code", kind="stable")
    most = counted.groupby(COLUMNS[:3])["n"].transform("max")
    found = counted[counted["n"] == most].drop_duplicates(COLUMNS[:3]).sort_index()
    return found[COLUMNS[:7]].reset_index(drop=True)


def levels(by_group: pd.DataFrame) -> pd.DataFrame:
    """Return score, code, level, n, share, ci_low, ci_high of the whole quarter.

    `by_group` as from level_by_group; level is the label.
    """
    whole = by_group.loc[by_group["dimension"] == ALL, COLUMNS[2:]]
    return whole.rename(columns={"band": "level"}).reset_index(drop=True)


def histogram(cube: CubeFrames) -> pd.DataFrame:
    """Return score, bin, code, low, high, n, share of all students.

    The bins of a score are equally wide (1, 2 or 5 times a power of ten steps), but for those
    that the levels cut, and where the contract gives a level its own: each lies within the
    level `code`. low and high are in units of the score.
    """
    rows = []
    for field in cube.contract.reported:
        lows = bin_lows(field)
        values = cube.values[cube.values["score"] == field.name]
        at = np.searchsorted(np.array(lows) * cube.contract.parts(field), values["steps"], "right")
        counts = np.bincount(at, values["n"], len(lows) + 1)[1:].astype(int)
        codes = np.searchsorted([band.low for band in field.bands], lows, "right")
        highs = [*lows[1:], field.maximum]
        total = int(counts.sum())
        for place, (low, high, n) in enumerate(zip(lows, highs, counts.tolist(), strict=True)):
            share = n / total if total else float("nan")
            edges = (field.units(low), field.units(high))
            rows.append(
                (field.name, place + 1, field.bands[codes[place] - 1].code, *edges, n, share)
            )
    return pd.DataFrame(rows, columns=["score", "bin", "code", "low", "high", "n", "share"])


def bin_lows(field: Field) -> list[int]:
    """Return the lowest score of each bin, in steps."""
    reach = field.maximum - field.minimum
    wide = next(f * 10**e for e in range(9) for f in (1, 2, 5) if f * 10**e * _BINS >= reach)
    usual = range(field.minimum, field.maximum, wide)
    ends = [*(band.low for band in field.bands[1:]), field.maximum]
    lows: set[int] = set()
    for band, end in zip(field.bands, ends, strict=True):
        equal = (low for low in usual if band.low < low < end)
        lows |= {band.low, *(equal if band.bins is None else band.bins)}
    return sorted(lows)


def _coded(field: Field, cube: CubeFrames) -> pd.DataFrame:
    """Return the values of a score with `code`, that of their level."""
    values = cube.values[cube.values["score"] == field.name]
    lows = np.array([band.low for band in field.bands]) * cube.contract.parts(field)
    # the overall score is compared as a total: whole steps, so the comparison is exact
    return values.assign(code=np.searchsorted(lows, values["steps"], side="right"))
