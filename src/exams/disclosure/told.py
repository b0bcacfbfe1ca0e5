"""What links of different kinds of figures would tell, beyond sums of counts."""

from collections.abc import Iterator

import numpy as np

from exams.contract import Contract
from exams.disclosure.cells import Cell, Counts, Groups, universe_of
from exams.disclosure.lines import few, lines_of

_COMPLETE = "complete"
_RISK = "at_risk"


def told(
    counts: Counts, hidden: np.ndarray, contract: Contract
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield rows to hide besides the `hidden` cells: a table, and true for each of them."""
    lacking = _lacking(counts, contract)
    for table, rows in counts.rows.items():
        yield table, lacking[rows].any(axis=1)
    if _levels_told(counts, hidden, contract):
        for table, rows in counts.rows.items():
            risk = [any(counts.cells[p].attribute == _RISK for p in row) for row in rows]
            yield table, np.array(risk, bool)


def _lacking(counts: Counts, contract: Contract) -> np.ndarray:
    """Return the cells of complete records that would tell the scores of the incomplete ones.

    Sums over the students with a score, and over those with every score, differ by few.
    """
    found = np.zeros(len(counts.cells), bool)
    places = [p for p, c in enumerate(counts.cells) if c.universe == _COMPLETE and not c.attribute]
    values, weights = np.array(counts.values), np.log2(2 + np.array(counts.values))
    lines = lines_of(counts, places)
    for universe in {universe_of(s.name, contract) for s in contract.scores} - {_COMPLETE}:
        differ = np.zeros(len(counts.cells), int)
        for place in places:
            other = counts.place.get(Cell(counts.cells[place].groups, universe))
            if other is not None:
                differ[place] = values[other] - values[place]
        whole = np.array([not c.groups for c in counts.cells], bool)
        away = few(lines, differ, weights, whole, contract.disclosure.minimum_group)
        found[places] |= away[places]
    if any(found[p] and not counts.cells[p].groups for p in places):
        found |= [c.universe == _COMPLETE for c in counts.cells]
    return found


def _levels_told(counts: Counts, hidden: np.ndarray, contract: Contract) -> bool:
    """Say whether the students at risk would tell a hidden level.

    They are those below the threshold of any score: of one score alone, if hardly anybody is
    below that of another.
    """
    lows = _lows(counts, contract)
    below = {name: sum(counts.values[p] for p in of.get((), ())) for name, of in lows.items()}
    others = {name: sum(below.values()) - n for name, n in below.items()}
    alone = {name for name, n in others.items() if n < contract.disclosure.minimum_count}
    away = (counts.cells[p] for p in np.flatnonzero(hidden) if not counts.cells[p].groups)
    between = {s.name for s in contract.scores if s.at_risk_below not in {b.low for b in s.bands}}
    return any(
        cell.attribute in alone and (not cell.subdivides or cell.attribute in between)
        for cell in away
    )


def levels_of_groups(counts: Counts, hidden: np.ndarray, contract: Contract) -> set[int]:
    """Return the places of cells to hide, as a group's low levels tell of its students at risk.

    Those have a low level in some score: they are no fewer than have one in any score, and no
    more than in all scores together. What is hidden of these counts, the rest may tell.
    """
    lows, need = _lows(counts, contract), 2 * (contract.disclosure.within + 1)
    found: set[int] = set()
    for group in {group for of in lows.values() for group in of if group}:
        risk = counts.place.get(Cell(group, "", _RISK, _RISK))
        if risk is not None:
            of = [places[group] for places in lows.values() if group in places]
            found.update(_of_group(risk, of, counts, hidden, need))
    return found


def _of_group(
    risk: int, lows: list[list[int]], counts: Counts, hidden: np.ndarray, need: int
) -> Iterator[int]:
    """Yield the cells to hide of a group: `risk` counts those at risk, `lows` levels by score."""
    every = [place for places in lows for place in places]
    sums = [sum(counts.values[p] for p in places) for places in lows]
    if hidden[risk]:
        if not hidden[every].any() and sum(sums) - max(sums) < need:
            yield from every
        return
    for places, own in zip(lows, sums, strict=True):
        beside = [p for p in every if p not in places]
        if hidden[places].any() and not hidden[beside].any() and sum(sums) - own < need:
            yield from beside or [risk]


def _lows(counts: Counts, contract: Contract) -> dict[str, dict[Groups, list[int]]]:
    """Return, by score and groups, the places of the levels in which students are at risk."""
    codes = {
        s.name: {str(b.code) for b in s.bands if b.low < s.at_risk_below}
        for s in contract.scores
        if s.at_risk_below is not None
    }
    found: dict[str, dict[Groups, list[int]]] = {name: {} for name in codes}
    for place, cell in enumerate(counts.cells):
        if cell.category in codes.get(cell.attribute, ()):
            found[cell.attribute].setdefault(cell.groups, []).append(place)
    return found
