"""publish: figures of several quarters together, added up from what is published of each."""

from collections.abc import Iterator, Mapping, Sequence
from math import nan, sqrt
from pathlib import Path
from typing import Any

import pandas as pd

from exams import published
from exams.contract import ALL
from exams.protection import PROTECTION, Summed
from exams.schema import Table
from exams.statistics.intervals import mean_interval, share_interval
from exams.tables_to_date import TO_DATE

Row = Mapping[str, Any]
Rows = Mapping[tuple[str, ...], Row]  # rows of a published table by what names them


def to_date(
    tables: Mapping[str, pd.DataFrame], breaks: pd.DataFrame, database: Path, quarter: str
) -> dict[str, pd.DataFrame]:
    """Return the tables of TO_DATE for `quarter`: its year up to it, and all quarters up to it.

    tables: the protected figures of the quarter; breaks: what broke comparability with the one
    before. They are added to the quarters that `database` publishes. A row is hidden if one of
    its parts is hidden or missing. A sum starts anew where comparability broke.
    """
    known = [q for q in published.published_quarters(database) if q < quarter]
    broken = _by_quarter(database, "comparability_break", known)
    cut = {q: {row["score"] for row in rows} for q, rows in broken.items()}
    cut[quarter] = set(breaks["score"])
    found = {}
    for table in TO_DATE:
        declared = _summed(table)
        now = tables[declared.source].astype(object)
        parts = _by_quarter(database, declared.source, known)
        parts[quarter] = now.where(now.notna(), None).to_dict("records")
        named = {q: {_key(r, declared): r for r in rows} for q, rows in parts.items()}
        frame = pd.DataFrame(_rows(named, cut, declared), columns=[c.name for c in table.columns])
        found[table.name] = frame.assign(quarter=quarter)
    return found


def parts_of(
    tables: Mapping[str, pd.DataFrame], database: Path, quarter: str
) -> dict[str, dict[str, pd.DataFrame]]:
    """Return, by quarter up to `quarter`, the tables that those of TO_DATE add up."""
    known = [q for q in published.published_quarters(database) if q < quarter]
    found: dict[str, dict[str, pd.DataFrame]] = {q: {} for q in [*known, quarter]}
    for source in {_summed(table).source for table in TO_DATE}:
        for earlier, rows in _by_quarter(database, source, known).items():
            found[earlier][source] = pd.DataFrame(rows, columns=list(tables[source]))
        found[quarter][source] = tables[source]
    return found


def _summed(table: Table) -> Summed:
    declared = PROTECTION[table.name]
    assert isinstance(declared, Summed)
    return declared


def _by_quarter(database: Path, table: str, quarters: Sequence[str]) -> dict[str, list[Row]]:
    """Return the published rows of a table by quarter."""
    found: dict[str, list[Row]] = {q: [] for q in quarters}
    for row in published.read(database, table) if quarters else ():
        if row["quarter"] in found:
            found[row["quarter"]].append(row)
    return found


def _rows(
    parts: Mapping[str, Rows], breaks: Mapping[str, set[str]], declared: Summed
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of sums; the last of `parts` is the quarter up to which they go."""
    *_, last = parts
    for span in ("year", "all"):
        within = [q for q in parts if span == "all" or q[:4] == last[:4]]
        for key in parts[last]:
            own = dict(zip(declared.keys, key, strict=True))
            chosen = _since_break(within, breaks, own.get("score"))
            rows = [parts[q].get(key) for q in chosen]
            shown = [row for row in rows if row is not None and not row["suppressed"]]
            told = _added(shown, declared) if len(shown) == len(rows) else {}
            yield {
                "span": span,
                **own,
                "first": chosen[0],
                "quarters": len(chosen),
                **told,
                "suppressed": int(not told),
            }


def _since_break(
    quarters: Sequence[str], breaks: Mapping[str, set[str]], score: str | None
) -> Sequence[str]:
    """Return the quarters from the last one on that cannot be compared with those before."""
    broken = [
        place
        for place, q in enumerate(quarters)
        if breaks[q] & ({score, ALL} if score else breaks[q])
    ]
    return quarters[max(broken, default=0) :]


def _added(rows: Sequence[Row], declared: Summed) -> dict[str, Any]:
    return _mean(rows) if "mean" in rows[0] else _share(rows, declared.parts[1])


def _mean(rows: Sequence[Row]) -> dict[str, Any]:
    """Return n, mean, sd and interval of groups together, from those of each."""
    held = [(int(r["n"]), float(r["mean"]), float(r["sd"] or 0.0)) for r in rows if r["n"]]
    n = sum(size for size, _, _ in held)
    if not n:
        return {"n": 0}
    mean = sum(size * of for size, of, _ in held) / n
    squares = sum((size - 1) * sd**2 + size * (of - mean) ** 2 for size, of, sd in held)
    sd = sqrt(squares / (n - 1)) if n > 1 else nan
    low, high = mean_interval(n, mean, sd)
    return {"n": n, "mean": mean, "sd": sd, "ci_low": low, "ci_high": high}


def _share(rows: Sequence[Row], part: str) -> dict[str, Any]:
    """Return n, the part, its share and interval of groups together."""
    n, k = (sum(int(row[name]) for row in rows) for name in ("n", part))
    low, high = share_interval(k, n)
    return {"n": n, part: k, "share": k / n if n else nan, "ci_low": low, "ci_high": high}


def _key(row: Row, declared: Summed) -> tuple[str, ...]:
    return tuple(row[name] for name in declared.keys)
