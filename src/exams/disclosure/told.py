"""What links of different kinds of figures would tell, beyond sums of counts."""

from collections.abc import Iterator

import numpy as np

from exams.contract import Contract
from exams.disclosure.cells import Cell, Counts, universe_of
from exams.disclosure.lines import few, lines_of

_COMPLETE = "complete"


def told(
    counts: Counts, hidden: np.ndarray, contract: Contract
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield rows to hide besides the `hidden` cells: a table, and true for each of them."""
    lacking = _lacking(counts, contract)
    for table, rows in counts.rows.items():
        yield table, lacking[rows].any(axis=1)
    if _levels_told(counts, hidden, contract):
        for table, rows in counts.rows.items():
            risk = [any(counts.cells[p].attribute == "at_risk" for p in row) for row in rows]
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
    below = {}
    for score in contract.scores:
        if score.at_risk_below is not None:
            low = {str(b.code) for b in score.bands if b.low < score.at_risk_below}
            below[score.name] = sum(
                n
                for c, n in zip(counts.cells, counts.values, strict=True)
                if c.attribute == score.name and c.category in low and not c.groups
            )
    others = {name: sum(below.values()) - n for name, n in below.items()}
    alone = {name for name, n in others.items() if n < contract.disclosure.minimum_count}
    away = [counts.cells[p] for p in np.flatnonzero(hidden)]
    between = {s.name for s in contract.scores if s.at_risk_below not in {b.low for b in s.bands}}
    return any(
        cell.attribute in alone and (not cell.subdivides or cell.attribute in between)
        for cell in away
    )
