"""The attack on figures of several quarters: what they tell beyond those of each quarter."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from exams.disclosure.audit.finding import Finding, Published
from exams.protection import PROTECTION, Summed

_ATTACK = "figures of several quarters less those of each"
_CLOSE = 1e-6  # of a sum of scores: what adding in another order may differ by


def sums_told(tables: Published, quarters: Mapping[str, Published]) -> Iterator[Finding]:
    """Find shown sums over quarters that do not follow from what each quarter shows.

    Such a sum, less the parts that are shown, tells what is hidden of the others. `quarters`: the
    published tables of every quarter, that of `tables` among them.
    """
    for name, declared in PROTECTION.items():
        if not isinstance(declared, Summed) or name not in tables:
            continue
        known = {
            quarter: {
                tuple(row[key] for key in declared.keys): row
                for row in of[declared.source].to_dict("records")
            }
            for quarter, of in quarters.items()
        }
        for number, row in enumerate(tables[name].to_dict("records")):
            own = tuple(row[key] for key in declared.keys)
            within = [q for q in known if row["first"] <= q <= row["quarter"]]
            parts = [known[q].get(own) for q in within]
            if row["suppressed"] == 0 and not _follows(row, parts, declared):
                yield Finding(name, number, _ATTACK)


def _follows(row: Mapping[str, Any], parts: list[Any], declared: Summed) -> bool:
    """Say whether a row is the sum of rows that are all shown."""
    if not parts or any(part is None or part["suppressed"] == 1 for part in parts):
        return False
    if any(row[name] != sum(part[name] for part in parts) for name in declared.parts):
        return False
    if "mean" not in row:
        return True
    held = [(part["n"], part["mean"], _spread(part)) for part in parts if part["n"]]
    n = sum(size for size, _, _ in held)
    if not n:
        return True
    total = sum(size * mean for size, mean, _ in held)
    squares = sum((size - 1) * sd**2 + size * mean**2 for size, mean, sd in held)
    own = (n * row["mean"], (n - 1) * _spread(row) ** 2 + n * row["mean"] ** 2)
    return bool(np.allclose(own, (total, squares), rtol=_CLOSE, atol=0))


def _spread(row: Mapping[str, Any]) -> float:
    return float(row["sd"]) if row["n"] > 1 else 0.0
