"""Systems: cells as sums of microcells, so that what they tell together can be worked out.

A microcell is a combination of levels and a category: no table shows one, every cell adds some
of them up. Cells that no sum links are in systems of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.sparse import csr_matrix

from exams.contract import Contract
from exams.disclosure.cells import Cell, Counts
from exams.errors import ExamsError

_MOST = 500_000  # microcells: seconds for each linear program


@dataclass(frozen=True)
class System:
    """places: where its cells are in the counts. sums: them (rows) by microcells (columns)."""

    places: np.ndarray
    sums: csr_matrix


def systems_of(counts: Counts, contract: Contract) -> list[System]:
    """Return the systems of all cells.

    Those of a universe without categories, those of each attribute with the cells that its
    categories are parts of, and those of parts of categories with these, among all students;
    where categories are several, without those of crossings, which would make thousands of
    microcells. Raise E321 if crossings make a system too large.
    """
    sizes = {d.name: len(d.counted_levels) for d in contract.dimensions}
    kinds = dict.fromkeys((c.universe, c.attribute, c.subdivides) for c in counts.cells)
    several = {c.attribute for c in counts.cells if c.divides}
    split = {
        universe
        for universe, attribute, _ in kinds
        if attribute and attribute not in several and not _plain(counts, attribute)
    }
    found = []
    for universe, attribute, parts in kinds:
        if not attribute and universe in split:
            continue  # the system of the attribute has these cells, too
        cells = [
            place
            for place, cell in enumerate(counts.cells)
            if cell.universe == universe
            and cell.attribute in ("", attribute)
            and cell.subdivides <= parts
            and (attribute not in several or len(cell.groups) < 2)
        ]
        if parts or (attribute and _plain(counts, attribute)):
            cells = [place for place in cells if not counts.cells[place].groups]
        found += [_system(part, counts, sizes) for part in _linked(cells, counts)]
    return found


def _plain(counts: Counts, attribute: str) -> bool:
    """Say whether an attribute is counted among all students only."""
    return not any(c.groups for c in counts.cells if c.attribute == attribute)


def _linked(places: list[int], counts: Counts) -> Iterator[list[int]]:
    """Yield the cells part by part, as the dimensions that they cross are linked.

    Cells without a group are in every part.
    """
    parts: list[set[str]] = []
    for place in places:
        crossed = {dimension for dimension, _ in counts.cells[place].groups}
        if crossed:
            touched = [part for part in parts if part & crossed]
            parts = [part for part in parts if not part & crossed]
            parts.append(crossed.union(*touched))
    for part in parts or [set()]:
        yield [p for p in places if part >= {name for name, _ in counts.cells[p].groups}]


def _system(places: list[int], counts: Counts, sizes: dict[str, int]) -> System:
    cells = [counts.cells[place] for place in places]
    dimensions = sorted({name for cell in cells for name, _ in cell.groups})
    shape = [sizes[name] for name in dimensions]
    divided = any(cell.subdivides for cell in cells)
    parts = [c for c in cells if c.attribute and c.subdivides == divided]
    categories = sorted({cell.category for cell in parts})
    if not categories or _has_rest(parts, counts):
        categories.append("")
    if prod(shape) * len(categories) > _MOST:
        raise ExamsError(
            "E321",
            f"The crossings link {prod(shape):,} combinations of levels: too many to protect.",
            "Cross fewer dimensions in contract.yaml.",
        )
    codes = np.indices(shape).reshape(len(shape), -1) if shape else np.zeros((0, 1), int)
    rows = [_row(cell, dimensions, codes, categories) for cell in cells]
    return System(np.array(places), csr_matrix(np.array(rows, dtype=float)))


def _has_rest(parts: list[Cell], counts: Counts) -> bool:
    """Say whether there are students without a category: more than all categories count."""
    base = counts.place.get(Cell((), parts[0].universe))
    counted = sum(counts.values[counts.place[cell]] for cell in parts if not cell.groups)
    return base is not None and counted < counts.values[base]


def _row(cell: Cell, dimensions: list[str], codes: np.ndarray, categories: list[str]) -> np.ndarray:
    """Return 1 for each microcell (combination of levels x category) that a cell adds up."""
    within = np.ones(codes.shape[1], bool)
    for name, levels in cell.groups:
        within &= np.isin(codes[dimensions.index(name)], levels)
    of = np.array([cell.covers(category) for category in categories])
    return np.outer(within, of).reshape(-1)
