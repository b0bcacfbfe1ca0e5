"""What a reader takes from published rows: statements on counts of students."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exams.contract import ALL, Contract
from exams.protection import PROTECTION, Counted

Published = Mapping[str, pd.DataFrame]  # tables of one quarter as published
Group = tuple[tuple[str, frozenset[str]], ...]  # levels by dimension


@dataclass(frozen=True)
class Subject:
    """Students counted: of a group, with a score, in a class of some kind."""

    group: Group = ()
    score: str = ""  # they have this score; empty: any student
    kind: str = ""
    of_kind: str = ""

    @property
    def whole(self) -> "Subject":
        """The students of whom this is a part."""
        return Subject(self.group, self.score)


@dataclass(frozen=True)
class Statement:
    """A row says of `subject` that it counts `count` (None: hidden), or is `share` of its whole.

    exact: half a unit of the last digit of the share, as published.
    """

    table: str
    row: int
    subject: Subject
    count: float | None
    share: float | None = None
    mean: float | None = None
    exact: float = 0.0
    measure: str = ""


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
    halves = {column: half(frame[column]) for column in ("share", "mean") if column in frame}
    of_share, of_mean = halves.get("share", 0.0), halves.get("mean", 0.0)
    for number, row in enumerate(frame.to_dict("records")):
        group, measure = _group(row, declared, contract), str(row.get("score", ""))
        kind = declared.category and (measure if declared.by_score else declared.category)
        score = _score(measure if declared.by_score else "", declared, contract)
        subject = Subject(group, score, kind, str(row[declared.category]) if kind else "")
        n, share, mean = (_seen(row, column) for column in ("n", "share", "mean"))
        if declared.part:
            part = Subject(group, score, declared.part, declared.part)
            k = _seen(row, declared.part)
            yield Statement(name, number, part, k, share, None, of_share)
        if kind:
            yield Statement(name, number, subject, n, share, None, of_share)
        else:
            yield Statement(name, number, subject, n, None, mean, of_mean, measure)


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


def half(column: pd.Series) -> float:
    """Return half a unit of the last decimal with which a column is published."""
    values = column.dropna().astype(float).to_numpy()
    for decimals in range(7):
        if np.allclose(values, values.round(decimals), rtol=0, atol=1e-12):
            return 0.5 * 10.0**-decimals
    return 1e-9
