"""Adjusted gaps: what is left of a gap among students who are alike in the other dimensions.

An adjusted gap is no cause either: students differ in more than the contract knows.
"""

from collections.abc import Iterator
from math import isnan, nan

import pandas as pd
from scipy import stats

from exams.contract import Contract, Field
from exams.statistics.cells import cells
from exams.statistics.intervals import holm
from exams.statistics.regression import fit
from exams.warehouse.read import CubeFrames

COLLINEAR = 2.24  # square root of 5, a variance inflation factor that is commonly warned of
OVERLAP = 0.8  # share of students with a counterpart, below which we warn
_COLUMNS = [
    "dimension", "level", "reference", "score", "n", "gap", "ci_low", "ci_high", "p",
    "collinearity", "overlap", "note",
]  # fmt: skip


def adjusted_gaps(cube: CubeFrames) -> pd.DataFrame:
    """Return each group's gap from the largest of its dimension, the other dimensions held.

    Rows: dimension, level, reference, score, n (the smaller group), gap, ci_low, ci_high, p
    (Holm's correction over all rows), collinearity, overlap, note. The score is regressed on
    all dimensions at once; intervals and p stand on HC3 errors (MacKinnon and White 1985) and
    Student's t. collinearity: the generalized variance inflation factor of the dimension, to
    the power 1 / (2 df) (Fox and Monette 1992). overlap: share of the group's students for whom
    the reference has a student who is alike in every other dimension. No rows for a contract
    with one dimension.
    """
    rows: list[tuple[object, ...]] = []
    if len(cube.contract.dimensions) > 1:
        summed = cells(cube)
        for field in cube.contract.reported:
            part = summed[summed["score"] == field.name].reset_index(drop=True)
            if len(part):
                rows += _gaps_of(part, field, cube.contract)
    found = pd.DataFrame(rows, columns=_COLUMNS)
    return found.assign(p=holm(found["p"].astype(float)))


def _gaps_of(part: pd.DataFrame, field: Field, contract: Contract) -> Iterator[tuple[object, ...]]:
    """Yield the rows of one score; `part` has its cells."""
    found = fit(part, {d.name: d.counted_levels for d in contract.dimensions})
    quantile = float(stats.t.ppf(0.975, found.freedom)) if found.freedom > 0 else nan
    per_unit = contract.per_unit(field)
    for dimension in contract.dimensions:
        students = part.groupby(dimension.name, sort=False)["n"].sum().to_dict()
        reference = found.references[dimension.name]
        overlap = _overlap(part, dimension.name, reference, contract)
        for level in dimension.counted_levels:
            if level == reference or level not in students:
                continue
            n = int(min(students[level], students[reference]))
            name = dimension.name, level
            gap, error = found.coefficients[name], found.errors[name] if n > 1 else nan
            half = quantile * error
            p = 2 * float(stats.t.sf(abs(gap) / error, found.freedom)) if error > 0 else nan
            interval = [value / per_unit for value in (gap, gap - half, gap + half)]
            limits = found.collinearity[dimension.name], overlap[level]
            yield *name, reference, field.name, n, *interval, p, *limits, _note(gap, *limits)


def _overlap(
    part: pd.DataFrame, dimension: str, reference: str, contract: Contract
) -> dict[str, float]:
    """Return, by level, the share of students with a counterpart in the level `reference`."""
    others = [d.name for d in contract.dimensions if d.name != dimension]
    n = part.assign(n=part["n"].astype(float)).pivot(index=others, columns=dimension, values="n")
    shared = n[n[reference].notna()].sum() / n.sum()
    return shared.to_dict()


def _note(gap: float, collinearity: float, overlap: float) -> str:
    """Return what weakens an adjusted gap, in words; empty if nothing does."""
    notes = []
    if isnan(gap):
        return "cannot be told apart from another dimension"
    if collinearity > COLLINEAR:
        notes.append("goes together with other dimensions")
    if overlap < OVERLAP:
        notes.append("few students alike in the reference")
    return "; ".join(notes)
