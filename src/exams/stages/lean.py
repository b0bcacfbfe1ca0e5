"""A chart file without what the chart does not draw: it travels to every viewer."""

import json
import math
import re
from typing import Any

DIGITS = 6  # significant ones
_FILTERED = {"score", "target", "dimension", "suppressed"}  # by dashboard and tables


def lean(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite specification whose rows have the columns that it names, in few digits.

    A column is named where its name is a word of an encoding, a transform or an expression;
    those that the dashboard filters by stay as well.
    """
    rest = {key: part for key, part in spec.items() if key != "datasets"}
    named = _FILTERED | set(re.findall(r"\w+", json.dumps(rest, ensure_ascii=False)))
    datasets = spec.get("datasets", {})
    return spec | {
        "datasets": {name: [_row(row, named) for row in rows] for name, rows in datasets.items()}
    }


def short(value: float) -> float:
    """Return a number in DIGITS significant digits, but with its whole part and two more."""
    if not math.isfinite(value) or value == int(value):
        return value
    return round(value, max(2, DIGITS - 1 - math.floor(math.log10(abs(value)))))


def _row(row: Any, named: set[str]) -> Any:
    if not isinstance(row, dict):
        return row
    return {name: _short(value) for name, value in row.items() if _stays(name, value, named)}


def _stays(name: str, value: Any, named: set[str]) -> bool:
    """Say whether a column is named; one that no word names, or with parts (a shape), stays."""
    return name in named or not name.isidentifier() or isinstance(value, dict | list)


def _short(value: Any) -> Any:
    return short(value) if isinstance(value, float) else value
