"""Figures by group of students, exact, from the cube alone."""

from collections.abc import Iterator
from math import sqrt

import pandas as pd

from exams.contract import Contract, Field
from exams.statistics.intervals import mean_interval, share_interval, welch
from exams.warehouse.read import CubeFrames

ALL = "all"
NOT_STATED = "not stated"


def groups(contract: Contract) -> list[tuple[str, str]]:
    """Return every group: (all, all), then (dimension, level) in the contract's order."""
    named = [(d.name, level) for d in contract.dimensions for level in levels_of(d)]
    return [(ALL, ALL), *named]


def levels_of(dimension: Field) -> tuple[str, ...]:
    """Return the levels of a dimension, and NOT_STATED where a value may be missing."""
    return dimension.levels + (() if dimension.required else (NOT_STATED,))


def mean_by_group(cube: CubeFrames) -> pd.DataFrame:
    """Return dimension, level, score, n, mean, sd, ci_low, ci_high, in units of the score.

    One row per group and reported score; sd has n - 1 in its denominator; the interval is
    Student's. A group without students has n = 0 and no mean.
    """
    sums = pd.concat([_sums_of_scores(cube), _sums_of_overall(cube)], ignore_index=True)
    found = sums.set_index(["dimension", "level", "score"]).to_dict("index")
    rows = []
    for dimension, level in groups(cube.contract):
        for field in cube.contract.reported:
            held = found.get((dimension, level, field.name), {"n": 0, "total": 0, "squares": 0})
            rows.append((dimension, level, field.name, *describe(held, field, cube.contract)))
    columns = ["dimension", "level", "score", "n", "mean", "sd", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def describe(
    held: dict[str, int], field: Field, contract: Contract
) -> tuple[int, float, float, float, float]:
    """Return n, mean, sd and the interval from sums of steps above the scale's minimum."""
    n, total, squares = int(held["n"]), int(held["total"]), int(held["squares"])
    if n == 0:
        return (0, *(float("nan"),) * 4)
    parts = len(contract.scores) if field.role == "overall" else 1
    per_unit = parts * 10**field.decimals
    mean = (total + n * parts * field.minimum) / (n * per_unit)
    # Python's whole numbers have no bounds: nothing is lost before the division
    sd = sqrt((n * squares - total * total) / (n * (n - 1))) / per_unit if n > 1 else float("nan")
    return n, mean, sd, *mean_interval(n, mean, sd)


def _sums_of_scores(cube: CubeFrames) -> pd.DataFrame:
    minimum = {score.name: score.minimum for score in cube.contract.scores}
    above, n = cube.values["steps"] - cube.values["score"].map(minimum), cube.values["n"]
    values = cube.values.assign(total=above * n, squares=above**2 * n)
    return _by_group(values, cube.contract, ["score"], ["n", "total", "squares"])


def _sums_of_overall(cube: CubeFrames) -> pd.DataFrame:
    """Return sums of the total of all scores, over records that have every score."""
    overall = cube.contract.overall
    if overall is None:
        return pd.DataFrame(columns=["dimension", "level", "score", "n", "total", "squares"])
    plain = cube.moments["other"] == ""
    twice = cube.moments["score"] != cube.moments["other"]
    sums = cube.moments.assign(
        total=cube.moments["total"].where(plain, 0),
        squares=(cube.moments["total"] * (1 + twice)).where(~plain, 0),
    )
    totals = _by_group(sums, cube.contract, [], ["total", "squares"])
    counts = _by_group(cube.cells, cube.contract, [], ["complete"])
    found = totals.merge(counts.rename(columns={"complete": "n"}), on=["dimension", "level"])
    return found.assign(score=overall.name)


def _by_group(
    frame: pd.DataFrame, contract: Contract, keys: list[str], sums: list[str]
) -> pd.DataFrame:
    """Return `sums` added up by group and `keys`, over all and by every dimension."""
    added = []
    for dimension in (ALL, *(d.name for d in contract.dimensions)):
        level = ALL if dimension == ALL else frame[dimension].fillna(NOT_STATED)
        grouped = frame.assign(dimension=dimension, level=level)
        by = ["dimension", "level", *keys]
        added.append(grouped.groupby(by, sort=False, as_index=False)[sums].sum())
    return pd.concat(added, ignore_index=True)


def at_risk_by_group(cube: CubeFrames) -> pd.DataFrame:
    """Return dimension, level, n, at_risk, share, ci_low, ci_high (Wilson), per group.

    A student is at risk with any score below its threshold; no rows if no score has one.
    """
    columns = ["dimension", "level", "n", "at_risk", "share", "ci_low", "ci_high"]
    if all(s.at_risk_below is None for s in cube.contract.scores):
        return pd.DataFrame(columns=columns)
    sums = _by_group(cube.cells, cube.contract, [], ["n", "at_risk"])
    found = sums.set_index(["dimension", "level"]).to_dict("index")
    rows = []
    for group in groups(cube.contract):
        held = found.get(group, {"n": 0, "at_risk": 0})
        n, k = int(held["n"]), int(held["at_risk"])
        rows.append((*group, n, k, k / n if n else float("nan"), *share_interval(k, n)))
    return pd.DataFrame(rows, columns=columns)


def gaps(means: pd.DataFrame) -> pd.DataFrame:
    """Return how each group's mean differs from that of its dimension's largest group.

    `means` as from mean_by_group. Rows: dimension, level, reference, score, n (the smaller
    group), gap, ci_low, ci_high (Welch), effect (Hedges' g).
    """
    columns = ["dimension", "level", "reference", "score", "n", "gap", "ci_low", "ci_high"]
    named = means[means["dimension"] != ALL]
    rows = [row for _, part in named.groupby("dimension", sort=False) for row in _gaps_in(part)]
    return pd.DataFrame(rows, columns=[*columns, "effect"])


def _gaps_in(part: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    students = part.groupby("level", sort=False)["n"].max()
    reference = students.idxmax()
    of = {(r.level, r.score): (r.n, r.mean, r.sd) for r in part.itertuples()}
    for row in part[part["level"] != reference].itertuples():
        a, b = of[row.level, row.score], of[reference, row.score]
        n = min(a[0], b[0])
        yield row.dimension, row.level, reference, row.score, n, *welch(a, b)
