"""Lines: lists of cells that add up to another one, as the groups of a dimension do."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from exams.disclosure.cells import Counts


def small(n: np.ndarray, threshold: int, zeros: bool = False) -> np.ndarray:
    """Return where a count is 1 to `threshold` - 1, or 0 if `zeros` are secrets, too."""
    return (n < threshold) & ((n > 0) | zeros)


def lines_of(counts: Counts, places: Iterable[int]) -> list[list[int]]:
    """Return the lines among the cells at `places`: over each dimension, over all categories."""
    found: dict[object, list[int]] = defaultdict(list)
    for place in places:
        cell = counts.cells[place]
        if cell.divides:
            found[cell.base, cell.attribute].append(place)
        for dimension, _ in cell.groups:
            rest = tuple(g for g in cell.groups if g[0] != dimension)
            found[cell.universe, cell.attribute, cell.category, rest, dimension].append(place)
    return list(found.values())


def fill(
    lines: list[list[int]],
    n: np.ndarray,
    hidden: np.ndarray,
    weights: np.ndarray,
    least: int,
) -> None:
    """Hide more of a line whose hidden cells together are too few to be described.

    Their mean follows from those of the shown ones and of the whole.
    """
    for line in lines:
        others = sorted((p for p in line if not hidden[p]), key=lambda p: weights[p])
        while 0 < n[[p for p in line if hidden[p]]].sum() < least and others:
            hidden[others.pop(0)] = True


def few(
    lines: list[list[int]], n: np.ndarray, weights: np.ndarray, whole: np.ndarray, least: int
) -> np.ndarray:
    """Return which cells to hide so that nothing tells the mean of 1 to `least` - 1 students.

    They are the `n` students by which two descriptions of a cell differ. Where even the `whole`
    differs by so few, everything goes.
    """
    hidden = small(n, least)
    if hidden[whole].any():
        return np.ones(len(n), bool)
    count = -1
    while hidden.sum() > count:
        count = hidden.sum()
        fill(lines, n, hidden, weights, least)
    return hidden
