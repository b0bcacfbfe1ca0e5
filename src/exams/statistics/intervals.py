"""Intervals, tests and effect sizes from counts, means and standard deviations."""

from collections.abc import Sequence
from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from scipy import stats

_Z = float(stats.norm.ppf(0.975))
Group = tuple[int, float, float]  # n, mean, sd


class Comparison(NamedTuple):
    """A difference of means with its 95 % interval and p, and Hedges' g with its own."""

    gap: float
    ci_low: float
    ci_high: float
    effect: float
    effect_low: float
    effect_high: float
    p: float


def mean_interval(n: int, mean: float, sd: float) -> tuple[float, float]:
    """Return the 95 % interval of a mean by Student's t; NaN for n < 2."""
    if n < 2:
        return nan, nan
    half = float(stats.t.ppf(0.975, n - 1)) * sd / sqrt(n)
    return mean - half, mean + half


def share_interval(k: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the share k / n (Wilson 1927); NaN for n = 0."""
    if n == 0:
        return nan, nan
    share, z2 = k / n, _Z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def welch(a: Group, b: Group) -> Comparison:
    """Compare two groups: the first one's mean minus the other's.

    Interval and p are Welch's (1947), g has the correction of Hedges (1981), its interval the
    variance of Hedges and Olkin (1985). NaN where a group has fewer than two students or
    neither has any spread.
    """
    (n, mean, sd), (m, other, spread) = a, b
    if n < 2 or m < 2 or sd + spread == 0:
        return Comparison(*(nan,) * 7)
    gap, va, vb = mean - other, sd**2 / n, spread**2 / m
    freedom = (va + vb) ** 2 / (va**2 / (n - 1) + vb**2 / (m - 1))
    error = sqrt(va + vb)
    half = float(stats.t.ppf(0.975, freedom)) * error
    p = 2 * float(stats.t.sf(abs(gap) / error, freedom))
    return Comparison(gap, gap - half, gap + half, *_hedges(gap, a, b), p)


def _hedges(gap: float, a: Group, b: Group) -> tuple[float, float, float]:
    """Return Hedges' g and its 95 % interval."""
    (n, _, sd), (m, _, spread) = a, b
    pooled = sqrt(((n - 1) * sd**2 + (m - 1) * spread**2) / (n + m - 2))
    g = gap / pooled * (1 - 3 / (4 * (n + m) - 9))
    half = _Z * sqrt((n + m) / (n * m) + g**2 / (2 * (n + m - 3.94))) if n + m > 4 else nan
    return g, g - half, g + half


def paired(n: int, mean: float, sd: float) -> tuple[float, float, float]:
    """Return the 95 % interval of a mean of differences and p, by Student's t; NaN for n < 2."""
    if n < 2 or sd == 0:
        return nan, nan, nan
    p = 2 * float(stats.t.sf(abs(mean) / (sd / sqrt(n)), n - 1))
    return *mean_interval(n, mean, sd), p


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return p values corrected for their number (Holm 1979). NaN, no test, stays NaN."""
    given = np.asarray(p, float)
    corrected = np.full(len(given), nan)
    order = np.argsort(given)[: int((~np.isnan(given)).sum())]  # NaN sorts last
    raised = given[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1)
    return corrected
