"""Scales of scores: exact whole steps instead of fractions."""

from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from exams.contract.model import Band

# Where a contract gives no score levels: shares of the scale at which a level starts.
_USUAL = (0, 50, 60, 70, 80, 90)
_KEYS = {"from", "label", "bins"}


def steps(value: Any, decimals: int) -> int | None:
    """Return `value` in steps of 10^-decimals, or None if it is not a whole number of them."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        scaled = Decimal(str(value)).scaleb(decimals)
        return int(scaled) if scaled == scaled.to_integral_value() else None
    except (InvalidOperation, OverflowError):
        return None


def bands(listed: Any, low: int, high: int, decimals: int) -> tuple[Band, ...]:
    """Return the score levels of a scale from `low` to `high` (in steps).

    `listed` has the lowest score of each level, or {from, label, bins}; None takes the usual
    ones. Raise ValueError for levels that do not start at the minimum or do not rise, and for
    bins that do not divide their level.
    """
    if listed is None:
        items: list[dict[str, Any]] = [{} for _ in _USUAL]
        starts = [low + (high - low) * share // 100 for share in _USUAL]
    else:
        items = [i if isinstance(i, dict) else {"from": i} for i in listed]
        found = [steps(i.get("from"), decimals) for i in items]
        starts = [s for s in found if s is not None]
        if len(starts) < len(found) or not found or any(set(i) - _KEYS for i in items):
            raise ValueError("one is neither a score of this scale nor {from, label, bins}")
    if starts[0] != low or any(a >= b for a, b in pairwise(starts)):
        raise ValueError("they do not rise from the minimum")
    if starts[-1] > high:
        raise ValueError("one starts above the maximum")
    ends = [s - 1 for s in starts[1:]] + [high]
    made = tuple(
        Band(
            code,
            str(item.get("label") or f"{_text(a, decimals)}–{_text(b, decimals)}"),
            a,
            _bins(item.get("bins"), a, b, decimals),
        )
        for code, (a, b, item) in enumerate(zip(starts, ends, items, strict=True), 1)
    )
    if len({band.label for band in made}) < len(made):
        raise ValueError("two have the same label")
    return made


def _bins(listed: Any, low: int, high: int, decimals: int) -> tuple[int, ...] | None:
    """Return where the bins of a level from `low` to `high` begin; None: equal ones."""
    if listed is None:
        return None
    cuts = [steps(cut, decimals) for cut in listed] if isinstance(listed, list) else [None]
    known = [cut for cut in cuts if cut is not None]
    rising = all(a < b for a, b in pairwise([low, *known, high + 1]))
    if len(known) < len(cuts) or not rising:
        raise ValueError("bins do not rise within their level")
    return (low, *known)


def _text(value: int, decimals: int) -> str:
    return f"{value / 10**decimals:.{decimals}f}"
