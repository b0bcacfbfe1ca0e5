"""Primary and complementary suppression of a quarter's cells, by linear programming.

Complementary cells are found by repair, a controlled tabular adjustment (Dandekar and Cox 2002):
where the range of a hidden cell is too narrow, the cheapest change of shown cells that widens it
tells which cells to hide with it. Ranges are linear programs over microcells (Fischetti and
Salazar 2001).
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from exams.contract import Contract, Disclosure
from exams.disclosure.cells import Cell, Counts
from exams.disclosure.lines import fill, lines_of, small
from exams.disclosure.reach import Reach, Repair
from exams.disclosure.systems import System, systems_of

_ZERO, _KNOWN, _TOTAL = 1e5, 1e6, 1e7  # cost of hiding what hardly should be
_ONE_WAY = 5  # as dear as five cells of a crossing
_LEVEL = 0.2  # a score level of a group, of which there are many
_TRIES = 20


def suppress(
    counts: Counts, contract: Contract, wished: Iterable[int] = (), known: Iterable[int] = ()
) -> np.ndarray:
    """Return which cells to hide, so that no hidden count is known too well.

    wished: places of cells to hide in any case. known: of cells that were published before, to
    be hidden only if nothing else helps. Every hidden count then has a range of 2 x (within +
    1) at least, from all that the quarter shows. Deterministic.
    """
    rules = contract.disclosure
    values = np.array(counts.values, dtype=float)
    hidden = _primary(counts, values, rules)
    hidden[list(wished)] = True
    weights = _weights(counts, values, rules, known)
    lines = lines_of(counts, np.flatnonzero(counts.described))
    guards = [_Guard(system, values, weights) for system in systems_of(counts, contract)]
    need = 2 * (rules.within + 1)
    while True:
        before = hidden.sum()
        _couple(counts, hidden)
        fill(lines, values, hidden, weights, rules.minimum_group)
        if hidden.sum() == before:
            for guard in guards:
                guard.protect(hidden, need)
            if hidden.sum() == before:
                return hidden


def _primary(counts: Counts, values: np.ndarray, rules: Disclosure) -> np.ndarray:
    """Return the cells below a threshold: groups, and parts that are small or nearly the whole."""
    base = np.array(
        [values[counts.place[c.base]] if c.base in counts.place else np.inf for c in counts.cells]
    )
    part = np.array([c.attribute != "" for c in counts.cells], bool)
    groups = np.array(counts.described, bool) | ~part
    found = groups & small(values, rules.minimum_group, rules.hide_zeros)
    few = small(values, rules.minimum_count, rules.hide_zeros)
    few |= small(base - values, rules.minimum_count, rules.hide_zeros)
    return found | (part & ~groups & few)


def _weights(
    counts: Counts, values: np.ndarray, rules: Disclosure, known: Iterable[int]
) -> np.ndarray:
    weights = np.log2(2 + values)
    for place, cell in enumerate(counts.cells):
        if cell.divides:
            weights[place] *= _LEVEL if cell.groups else _ONE_WAY
        elif len(cell.groups) == 1:
            weights[place] *= _ONE_WAY
        if _is_total(cell, cell.attribute):
            weights[place] = _TOTAL
    if not rules.hide_zeros:
        weights[values == 0] = _ZERO
    places = list(known)
    weights[places] = np.maximum(weights[places], _KNOWN)
    return weights


def _couple(counts: Counts, hidden: np.ndarray) -> None:
    """Hide what is hidden with a cell: its parts, and the same group in every universe.

    A universe, or an attribute, whose total is hidden is hidden as a whole; and all that divides
    the categories of an attribute one of which is hidden: the others would tell of it.
    """
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    groups: dict[object, list[int]] = defaultdict(list)
    for place, cell in enumerate(counts.cells):
        kinds[cell.universe, cell.attribute].append(place)
    gone = {
        kind: any(hidden[p] and _is_total(counts.cells[p], kind[1]) for p in places)
        for kind, places in kinds.items()
    }
    for (universe, attribute), places in kinds.items():
        if gone[universe, attribute] or gone.get((universe, ""), False):
            hidden[places] = True
        elif not attribute:
            for place in places:
                groups[counts.cells[place].groups].append(place)
    for places in groups.values():
        hidden[places] |= hidden[places].any()
    told = {
        (c.universe, c.attribute)
        for c, away in zip(counts.cells, hidden, strict=True)
        if away and not c.groups and not c.subdivides
    }
    for place, cell in enumerate(counts.cells):
        base = counts.place.get(cell.base)
        hidden[place] |= base is not None and hidden[base]
        hidden[place] |= cell.subdivides and (cell.universe, cell.attribute) in told


def _is_total(cell: Cell, attribute: str) -> bool:
    return not cell.groups and (not attribute or cell.category == attribute)


class _Guard:
    """Widens the ranges of the hidden cells of one system."""

    def __init__(self, system: System, values: np.ndarray, weights: np.ndarray) -> None:
        self.places, self.sums = system.places, system.sums
        self.values, self.weights = values[self.places], weights[self.places]
        self._gone = np.zeros(len(self.places), bool)
        self._reach: Reach | None = None
        self._repair: Repair | None = None

    def protect(self, hidden: np.ndarray, need: int) -> None:
        """Hide more cells in `hidden` until each hidden one of the system is wide enough."""
        own = hidden[self.places]
        if not own.any() or own.all():
            return
        if self._reach is None or self._repair is None:
            self._reach = Reach(self.sums, self.values, self._gone)
            self._repair = Repair(self.sums, self.values, self.weights)
        self._hide(np.flatnonzero(own), hidden)
        for row in sorted(np.flatnonzero(own).tolist(), key=lambda r: self.values[r]):
            for _ in range(_TRIES):
                if self._reach.is_wide(row, need):
                    break
                self._hide(self._cheapest(row, need), hidden)
            else:  # it is the whole system that tells it
                self._hide(np.arange(len(self.places)), hidden)
                return

    def _cheapest(self, row: int, need: int) -> np.ndarray:
        """Return the shown cells to hide so that the range of `row` gets wide enough."""
        assert self._reach is not None and self._repair is not None
        targets = [self._reach.low[row] + need, self._reach.high[row] - need]
        targets = [t for t, ok in zip(targets, (True, targets[1] >= 0), strict=True) if ok]
        solved = [self._repair.solve(row, target) for target in targets]
        _, moved, unknowns = min(solved, key=lambda found: found[0])
        if len(unknowns):
            self._reach.widen(unknowns)
        return moved

    def _hide(self, rows: np.ndarray, hidden: np.ndarray) -> None:
        assert self._reach is not None and self._repair is not None
        for row in rows:
            if not self._gone[row]:
                self._gone[row] = True
                self._reach.hide(int(row))
                self._repair.free(int(row))
        hidden[self.places[rows]] = True
