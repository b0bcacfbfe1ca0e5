"""Hides more until the audit passes, or says that it cannot."""

from collections.abc import Sequence

import pandas as pd

from exams.contract import Contract
from exams.disclosure.audit import Verdict, audit
from exams.disclosure.audit.finding import Subject
from exams.disclosure.audit.reading import Statement, statements
from exams.disclosure.cells import Frames
from exams.disclosure.changes import Version
from exams.disclosure.protect import emptied
from exams.errors import ExamsError
from exams.protection import PROTECTION, Counted, Derived

_ROUNDS = 12


def _counts_classes(name: str) -> bool:
    declared = PROTECTION[name]
    return isinstance(declared, Counted) and bool(declared.category or declared.part)


def _divides_groups(name: str) -> bool:
    declared = PROTECTION[name]
    if isinstance(declared, Derived):
        return any(_divides_groups(source.table) for source in declared.sources)
    return isinstance(declared, Counted) and bool(declared.groups and declared.category)


# Which tables to hide as a whole, first those that count classes of groups (score levels), of
# which there are most; then those that give a count away, and besides them none, those that
# count the same students in other classes (levels, students at risk), all.
_WHOLE = (_divides_groups, lambda _: False, _counts_classes, lambda _: True)
_Rows = dict[str, set[int]]


def secure(
    tables: Frames, contract: Contract, former: Sequence[Version] = ()
) -> tuple[dict[str, pd.DataFrame], Verdict]:
    """Return protected tables that pass the audit, and its verdict.

    Where a hidden count can be worked out, more is hidden: first neighbours of the count, at
    last every table that gives one away. `former` are the earlier versions of the quarter.
    Raise E324, naming the tables, if even that is not enough.
    """
    kept, published = dict(tables), [version.earlier for version in former]
    verdict = audit(kept, contract, published)
    for attempt in range(_ROUNDS + len(_WHOLE)):
        if not verdict.findings:
            break
        if attempt < _ROUNDS:
            found = _neighbours(kept, verdict, contract)
        else:
            tables_found = {finding.table for finding in verdict.findings}
            told = tables_found if attempt > _ROUNDS else set()
            every = [n for n in kept if n in told or _WHOLE[attempt - _ROUNDS](n)]
            found = {name: set(range(len(kept[name]))) for name in every}
        kept = {name: _hide(name, frame, found.get(name, set())) for name, frame in kept.items()}
        verdict = audit(kept, contract, published)
    check(verdict)
    return kept, verdict


def check(verdict: Verdict) -> None:
    """Raise E324 if the audit has found something."""
    if verdict.findings:
        named = ", ".join(sorted({finding.table for finding in verdict.findings}))
        attacks = " and ".join(sorted({finding.attack for finding in verdict.findings}))
        what = f"Hidden counts can be worked out by {attacks}: {named}."
        remedy = "The former publication stays; docs/privacy.md says what can be done."
        raise ExamsError("E324", what, remedy)


def _neighbours(tables: Frames, verdict: Verdict, contract: Contract) -> _Rows:
    """Return the rows to hide, by table: those found out, and the smallest beside each."""
    told = statements(tables, contract)
    rows: _Rows = {name: set() for name in tables}
    away: set[Subject] = set()
    for finding in verdict.findings:
        if finding.subject is None:
            rows[finding.table].add(finding.row or 0)
            continue
        beside = [s for s in told if s.count and _is_beside(s.subject, finding.subject)]
        away |= {finding.subject, *(s.subject for s in sorted(beside, key=_size)[:1])}
    for statement in told:
        if away & {statement.subject, statement.subject.whole}:
            rows[statement.table].add(statement.row)
    return rows


def _size(statement: Statement) -> tuple[float, int]:
    return statement.count or 0.0, statement.row


def _is_beside(one: Subject, other: Subject) -> bool:
    """Say whether two counts stand in one list: they differ in one level, or in their class."""
    if (one.score, one.kind) != (other.score, other.kind):
        return False
    if one.group == other.group:
        return one.of_kind != other.of_kind
    same_form = [d for d, _ in one.group] == [d for d, _ in other.group]
    differing = set(one.group) ^ set(other.group)
    return same_form and one.of_kind == other.of_kind and len(differing) == 2


def _hide(name: str, frame: pd.DataFrame, rows: set[int]) -> pd.DataFrame:
    """Return a protected table with more rows hidden."""
    away = (frame["suppressed"] == 1).to_numpy(copy=True)
    away[sorted(rows)] = True
    return emptied(name, frame.drop(columns="suppressed"), away)
