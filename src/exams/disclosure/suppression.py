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
    n: np.ndarray, primary: np.ndarray, width: int, upper: np.ndarray | None = None
) -> Suppressed:
    """Hide `primary` and the smallest others that it takes to keep each hidden count vague.

    Vague: from the total, the shown counts and the `upper` bounds (where they are known), a
    reader works out a range of at least `width` for it. Others are taken in ascending order,
    zeros last. Not safe: the range is too narrow although every count is hidden.
    """
    hidden = primary.copy()
    others = sorted(np.flatnonzero(~primary), key=lambda place: (n[place] == 0, n[place]))
    ceiling = np.full(len(n), n.sum()) if upper is None else upper
    while hidden.any() and _narrowest(n, hidden, ceiling) < width:
        if not others:
            return Suppressed(hidden, safe=False)
        hidden[others.pop(0)] = True
    return Suppressed(hidden, safe=True)


def _narrowest(n: np.ndarray, hidden: np.ndarray, upper: np.ndarray) -> int:
    """Return the width of the narrowest range that a reader can work out for a hidden count."""
    low, high = ranges(n, hidden, upper)
    return int((high - low).min())


def ranges(n: np.ndarray, hidden: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value that each hidden count can have for a reader.

    The reader knows the sum of the hidden counts, their upper bounds, and that zeros are shown
    as long as anything else can be hidden: so a hidden count is at least 1, unless a zero is
    hidden too.
    """
    total = int(n[hidden].sum())
    least = np.full(int(hidden.sum()), 0 if (n[hidden] == 0).any() else 1)
    most = np.minimum(upper[hidden], total)
    low = np.maximum(least, total - (most.sum() - most))
    high = np.minimum(most, total - (least.sum() - least))
    return low, high
