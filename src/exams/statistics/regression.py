"""Least squares over the cells of the cube: the same figures as over the single records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np
import pandas as pd

from exams.statistics.cells import SUMS

_TINY = 1e-9


@dataclass(frozen=True)
class Fit:
    """A regression on every dimension: coefficients and errors by (dimension, level), in steps.

    A coefficient that the records cannot tell from others is NaN.
    """

    coefficients: dict[tuple[str, str], float]
    errors: dict[tuple[str, str], float]
    freedom: int
    references: dict[str, str]
    collinearity: dict[str, float]


def fit(part: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> Fit:
    """Regress a score on dimensions by least squares, over students.

    part: dimensions, n, total, squares of each cell, whole numbers. levels: by dimension; its
    reference is the largest one.
    """
    n = part["n"].to_numpy(float)
    names, references = _indicators(part, levels)
    design = np.column_stack([np.ones(len(part)), *(part[d] == level for d, level in names)])
    weighted = design * np.sqrt(n)[:, None]
    mean = np.array([t / c for t, c in zip(part["total"], part["n"], strict=True)])
    beta, *_ = np.linalg.lstsq(weighted, mean * np.sqrt(n), rcond=None)
    inverse = np.linalg.pinv(weighted.T @ weighted, hermitian=True)
    known = np.abs(np.diag(np.linalg.pinv(weighted) @ weighted) - 1) < _TINY
    errors = _hc3(part, design, mean - design @ beta, inverse)
    rank = int(np.linalg.matrix_rank(weighted))
    place = {name: at for at, name in enumerate(names, 1)}
    return Fit(
        {name: float(beta[at]) if known[at] else nan for name, at in place.items()},
        {name: float(errors[at]) if known[at] else nan for name, at in place.items()},
        int(sum(part["n"])) - rank,
        references,
        {
            dimension: _inflation(
                weighted, [at for name, at in place.items() if name[0] == dimension]
            )
            for dimension in levels
        },
    )


def _indicators(
    part: pd.DataFrame, levels: Mapping[str, Sequence[str]]
) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return (dimension, level) of each level but the largest of its dimension, and those."""
    names, references = [], {}
    for dimension, listed in levels.items():
        students = part.groupby(dimension)["n"].sum().astype(float)
        present = [level for level in listed if level in students.index]
        references[dimension] = max(present, key=lambda level: students[level])
        names += [(dimension, level) for level in present if level != references[dimension]]
    return names, references


def _hc3(
    part: pd.DataFrame, design: np.ndarray, residual: np.ndarray, inverse: np.ndarray
) -> np.ndarray:
    """Return standard errors from the squared residuals of students, summed by cell."""
    n = part["n"].to_numpy(float)
    within = [(c * s - t * t) / c for c, t, s in zip(*(part[name] for name in SUMS), strict=True)]
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    alone = leverage > 1 - _TINY  # fitted exactly, whatever the others are: it adds no error
    spread = np.array(within, float) + n * residual**2
    squared = np.where(alone, 0, spread) / np.where(alone, 1, 1 - leverage) ** 2
    meat = design.T @ (design * squared[:, None])
    return np.sqrt(np.diag(inverse @ meat @ inverse))


def _inflation(weighted: np.ndarray, columns: list[int]) -> float:
    """Return a dimension's generalized variance inflation factor, to the power 1 / (2 df)."""
    own = np.array(columns, int) - 1
    if not len(own):
        return nan
    one = weighted[:, 0] / np.linalg.norm(weighted[:, 0])
    centred = weighted[:, 1:] - np.outer(one, one @ weighted[:, 1:])
    centred /= np.linalg.norm(centred, axis=0)
    correlation = centred.T @ centred
    rest = np.setdiff1d(np.arange(len(correlation)), own)
    whole = np.linalg.det(correlation)
    if not whole > _TINY**2:
        return inf
    parts = [np.linalg.det(correlation[np.ix_(some, some)]) for some in (own, rest)]
    return float((parts[0] * parts[1] / whole) ** (1 / (2 * len(own))))
