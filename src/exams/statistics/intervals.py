"""Intervals and effect sizes from counts, means and standard deviations."""

from math import sqrt

from scipy import stats

_Z = float(stats.norm.ppf(0.975))


def mean_interval(n: int, mean: float, sd: float) -> tuple[float, float]:
    """Return the 95 % interval of a mean by Student's t; NaN for n < 2."""
    if n < 2:
        return float("nan"), float("nan")
    half = float(stats.t.ppf(0.975, n - 1)) * sd / sqrt(n)
    return mean - half, mean + half


def share_interval(k: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the share k / n (Wilson 1927); NaN for n = 0."""
    if n == 0:
        return float("nan"), float("nan")
    share, z2 = k / n, _Z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def welch(
    a: tuple[int, float, float], b: tuple[int, float, float]
) -> tuple[float, float, float, float]:
    """Compare two groups, each (n, mean, sd): difference of means, 95 % interval, Hedges' g.

    The interval is Welch's (1947), g has the correction of Hedges (1981). NaN where a group
    has fewer than two students or neither has any spread.
    """
    (n, mean, sd), (m, other, spread) = a, b
    if n < 2 or m < 2 or sd + spread == 0:
        return (float("nan"),) * 4
    gap, va, vb = mean - other, sd**2 / n, spread**2 / m
    freedom = (va + vb) ** 2 / (va**2 / (n - 1) + vb**2 / (m - 1))
    half = float(stats.t.ppf(0.975, freedom)) * sqrt(va + vb)
    pooled = sqrt(((n - 1) * sd**2 + (m - 1) * spread**2) / (n + m - 2))
    g = gap / pooled * (1 - 3 / (4 * (n + m) - 9))
    return gap, gap - half, gap + half, g
