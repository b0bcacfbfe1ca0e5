"""Primary and complementary suppression in one list of counts that add up to a shown total."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Suppressed:
    """Which counts are hidden, and whether that is enough (`safe`)."""

    hidden: np.ndarray
    safe: bool


def small(n: np.ndarray, threshold: int) -> np.ndarray:
    """Return where a count is 1 to `threshold` - 1; a true zero is no secret."""
    return (n > 0) & (n < threshold)


def suppress(
    n: np.ndarray,
    primary: np.ndarray,
    *,
    width: int,
    least: int,
    upper: np.ndarray | None = None,
) -> Suppressed:
    """Hide `primary` and the smallest others that it takes to keep each hidden count vague.

    Vague: the hidden counts add up to at least `least`, and a reader works out a range of at
    least `width` for each of them, from the total, the shown counts, the `upper` bounds (where
    they are known) and this rule. Others are taken in ascending order, zeros last. Not safe:
    every count is hidden, and that is not enough.
    """
    hidden = primary.copy()
    others = sorted(np.flatnonzero(~primary), key=lambda place: (n[place] == 0, n[place]))
    ceiling = np.full(len(n), n.sum()) if upper is None else upper
    while hidden.any() and not _vague(n, hidden, ceiling, width, least):
        if not others:
            return Suppressed(hidden, safe=False)
        hidden[others.pop(0)] = True
    return Suppressed(hidden, safe=True)


def _vague(n: np.ndarray, hidden: np.ndarray, upper: np.ndarray, width: int, least: int) -> bool:
    low, high = ranges(n, hidden, upper)
    return bool(n[hidden].sum() >= least and (high - low).min() >= width)


def ranges(n: np.ndarray, hidden: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value that each hidden count can have for a reader.

    The reader knows the sum of the hidden counts and their upper bounds. Zeros are shown as
    long as anything else can be hidden, so a hidden count is at least 1, unless a zero is
    hidden too. The smallest are hidden first, so none exceeds the smallest shown one, unless
    it is hidden for another reason.
    """
    total, held = int(n[hidden].sum()), n[hidden]
    shown = n[~hidden & (n > 0)]
    most = np.minimum(upper[hidden], total)
    if len(shown) and held.max() <= shown.min():
        most = np.minimum(most, shown.min())
    least = np.full(len(held), 0 if (held == 0).any() else 1)
    low = np.maximum(least, total - (most.sum() - most))
    high = np.minimum(most, total - (least.sum() - least))
    return low, high
