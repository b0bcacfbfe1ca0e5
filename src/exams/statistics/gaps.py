"""Gaps: how the means of groups differ, and those of scores. A gap is no cause."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import sqrt

import pandas as pd

from exams.contract import ALL, Field
from exams.statistics.cells import by_group
from exams.statistics.groups import groups
from exams.statistics.intervals import Comparison, holm, paired, welch
from exams.warehouse.read import CubeFrames


def gaps(means: pd.DataFrame) -> pd.DataFrame:
    """Return how each group's mean differs from that of its dimension's largest group.

    `means` as from mean_by_group. Rows: dimension, level, reference, score, n (the smaller
    group), mean and sd of both groups, gap, ci_low, ci_high (Welch), effect (Hedges' g),
    effect_low, effect_high, p (Holm's correction over all rows).
    """
    named = means[means["dimension"] != ALL]
    rows = [row for _, part in named.groupby("dimension", sort=False) for row in _gaps_in(part)]
    keys = ["dimension", "level", "reference", "score", "n"]
    sides = ["mean", "sd", "reference_mean", "reference_sd"]
    found = pd.DataFrame(rows, columns=[*keys, *sides, *Comparison._fields])
    return found.assign(p=holm(found["p"].astype(float)))


def _gaps_in(part: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    students = part.groupby("level", sort=False)["n"].max()
    reference = students.idxmax()
    of = {(r.level, r.score): (r.n, r.mean, r.sd) for r in part.itertuples()}
    for row in part[part["level"] != reference].itertuples():
        a, b = of[row.level, row.score], of[reference, row.score]
        keys = row.dimension, row.level, reference, row.score
        yield *keys, min(a[0], b[0]), *a[1:], *b[1:], *welch(a, b)


def score_gaps(cube: CubeFrames) -> pd.DataFrame:
    """Return how the mean of a score differs from that of another one, by group.

    Rows: dimension, level, score, other, n, gap (mean of score minus mean of other), ci_low,
    ci_high, p (Holm's correction over all rows), of complete records, as pairs of one student.
    Only scores of one scale and unit are compared.
    """
    contract = cube.contract
    sums = by_group(cube.moments, contract, ["score", "other"], ["total"])
    moments = {
        (dimension, level): part.set_index(["score", "other"])["total"].to_dict()
        for (dimension, level), part in sums.groupby(["dimension", "level"])
    }
    counts = by_group(cube.cells, contract, [], ["complete"])
    complete = counts.set_index(["dimension", "level"])["complete"].to_dict()
    rows = [
        (
            *group,
            a.name,
            b.name,
            int(complete[group]),
            *_pairs(complete[group], a, b, moments[group]),
        )
        for group in groups(contract)
        if complete.get(group)
        for a, b in combinations(contract.scores, 2)
        if _scale(a) == _scale(b)
    ]
    columns = ["dimension", "level", "score", "other", "n", "gap", "ci_low", "ci_high", "p"]
    found = pd.DataFrame(rows, columns=columns)
    return found.assign(p=holm(found["p"].astype(float)))


def _pairs(
    n: int, a: Field, b: Field, moments: Mapping[tuple[str, str], int]
) -> tuple[float, float, float, float]:
    """Return the mean of a - b over `n` students, its interval and p, from sums of products."""
    sums = {pair: int(total) for pair, total in moments.items()}
    total = sums[a.name, ""] - sums[b.name, ""]
    squares = sums[a.name, a.name] + sums[b.name, b.name] - 2 * sums[a.name, b.name]
    per_unit = 10**a.decimals
    mean = total / (n * per_unit)
    sd = sqrt((n * squares - total * total) / (n * (n - 1))) / per_unit if n > 1 else 0.0
    return mean, *paired(n, mean, sd)


def _scale(field: Field) -> tuple[object, ...]:
    return field.minimum, field.maximum, field.decimals, field.unit
