"""What a reader takes from published rows: statements on counts of students."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exams.contract import ALL, Contract
from exams.disclosure.audit.finding import Group, Published, Subject
from exams.protection import PROTECTION, Counted

WITHIN = "/"  # a kind whose classes divide those of another one


@dataclass(frozen=True)
class Statement:
    """A row says of `subject` that it counts `count` (None: hidden), or is `share` of its whole.

    exact: half a unit of the last digit of the share or mean, as published; exact_sd: of sd.
    """

    table: str
    row: int
    subject: Subject
    count: float | None
    share: float | None = None
    mean: float | None = None
    exact: float = 0.0
    measure: str = ""
    sd: float | None = None
    exact_sd: float = 0.0
    edges: tuple[float, float] | None = None  # of the scores of its class, as published


def statements(tables: Published, contract: Contract) -> list[Statement]:
    """Return what every counted table says, row by row."""
    found: list[Statement] = []
    for name, frame in tables.items():
        declared = PROTECTION[name]
        if isinstance(declared, Counted):
            found += _of_table(name, frame, declared, contract)
    return found


def _of_table(
    name: str, frame: pd.DataFrame, declared: Counted, contract: Contract
) -> Iterator[Statement]:
    halves = {c: half(frame[c]) for c in ("share", "mean", "sd") if c in frame}
    of_share, of_mean, of_sd = (halves.get(c, 0.0) for c in ("share", "mean", "sd"))
    for number, row in enumerate(records(frame)):
        group = _group(row, declared, contract)
        measure = str(row["score"]) if declared.by_score else ""
        kind, of_kind = _kind(row, measure, declared)
        score = _score(measure if declared.by_score else "", declared, contract)
        subject = Subject(group, score, kind, of_kind)
        n, share, mean, sd = (_seen(row, column) for column in ("n", "share", "mean", "sd"))
        if declared.part:
            part = Subject(group, score, declared.part, declared.part)
            k = _seen(row, declared.part)
            yield Statement(name, number, part, k, share, None, of_share)
        if kind:
            edges = (float(row["low"]), float(row["high"])) if declared.within else None
            yield Statement(name, number, subject, n, share, None, of_share, edges=edges)
        else:
            yield Statement(name, number, subject, n, None, mean, of_mean, measure, sd, of_sd)


def _kind(row: Mapping[str, Any], measure: str, declared: Counted) -> tuple[str, str]:
    """Return of which kind the classes of a row are, and its class; see World for WITHIN."""
    kind = declared.category and (measure if declared.by_score else declared.category)
    of_kind = str(row[declared.category]) if kind else ""
    if declared.within:
        return kind + WITHIN, f"{row[declared.within]}{WITHIN}{of_kind}"
    return kind, of_kind


def _group(row: Mapping[str, Any], declared: Counted, contract: Contract) -> Group:
    named = {d.name: dict(d.merges) for d in contract.dimensions}
    pairs = [(row[a], row[b]) for a, b in declared.groups if row[a] != ALL]
    return tuple(sorted((d, frozenset(named[d].get(level, (level,)))) for d, level in pairs))


def _score(score: str, declared: Counted, contract: Contract) -> str:
    """Return the score that the students have, *: every one; empty if all students do."""
    if not declared.by_score and not declared.complete:
        return ""
    named = [s for s in contract.scores if s.name == score] or list(contract.scores)
    if all(s.required for s in named):
        return ""
    return named[0].name if len(named) == 1 else "*"  # *: every score


def _seen(row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    return None if value is None or pd.isna(value) else float(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries: pandas takes twice as long."""
    names = list(frame)
    return [
        dict(zip(names, row, strict=True))
        for row in zip(*(frame[name].tolist() for name in names), strict=True)
    ]


def half(column: pd.Series) -> float:
    """Return half a unit of the last decimal with which a column is published."""
    values = column.dropna().astype(float).to_numpy()
    for decimals in range(7):
        if np.allclose(values, values.round(decimals), rtol=0, atol=1e-12):
            return 0.5 * 10.0**-decimals
    return 1e-9
