"""Attacks on what is published: sums, shares, means, links of tables, and former versions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exams.contract import ALL, Contract
from exams.disclosure.audit.linking import linked
from exams.disclosure.audit.program import Program, added, times
from exams.disclosure.audit.reading import Published, Statement, Subject, statements
from exams.disclosure.audit.world import PARTS, World
from exams.errors import ExamsError
from exams.protection import PROTECTION, Counted, Derived, unit_of
from exams.tables import TABLES

_KEYS = {table.name: table.key for table in TABLES}


@dataclass(frozen=True)
class Finding:
    """Row `row` of `table` (None: of a former version) is given away by `attack`."""

    table: str
    row: int | None
    attack: str
    subject: Subject | None = None


@dataclass(frozen=True)
class Verdict:
    """What the audit found.

    hidden: how many counts are hidden. narrowest: the width of the narrowest range that these
    tables leave to one of them.
    """

    hidden: int
    narrowest: float
    findings: tuple[Finding, ...]


def audit(tables: Published, contract: Contract, former: Sequence[Published] = ()) -> Verdict:
    """Attack `tables`, one quarter as it is to be published, with all that was published of it.

    `former` are the earlier versions of the quarter. A hidden count is given away if its range
    is at most 2 x `within` wide. Raise E323 if tables contradict each other.
    """
    findings = [*_values_shown(tables), *_sources_hidden(tables), *_too_exact(tables)]
    widths: list[float] = []
    told = statements(tables, contract)
    for part in linked(told, contract):
        findings += _attacked(part, contract, widths)
    for version in former:
        findings += _versions(statements(version, contract), told, contract)
    unique = tuple(dict.fromkeys(findings))
    return Verdict(len(_hidden(told)), min(widths, default=np.inf), unique)


def _values_shown(tables: Published) -> Iterator[Finding]:
    """Find hidden rows that show a value: a share or a mean tells the count."""
    for name, frame in tables.items():
        declared = PROTECTION[name]
        assert isinstance(declared, Counted | Derived)
        kept = {*_KEYS[name], *declared.labels, "suppressed"}
        values = frame[[c for c in frame.columns if c not in kept]]
        for row in np.flatnonzero((frame["suppressed"] == 1) & values.notna().any(axis="columns")):
            yield Finding(name, int(row), "a value beside a hidden count")


def _sources_hidden(tables: Published) -> Iterator[Finding]:
    """Find shown rows that were worked out from a hidden one."""
    for name, frame in tables.items():
        declared = PROTECTION[name]
        if not isinstance(declared, Derived):
            continue
        for source in declared.sources:
            of = tables[source.table]
            rows = of.loc[of["suppressed"] == 1, list(source.columns)].to_numpy().tolist()
            away = {tuple(row) for row in rows}
            for number, row in enumerate(frame.to_dict("records")):
                key = tuple(c[1:] if c.startswith("=") else row[c] for c in source.columns.values())
                if key in away and row["suppressed"] == 0:
                    yield Finding(name, number, f"what comes from hidden rows of {source.table}")


def _too_exact(tables: Published) -> Iterator[Finding]:
    """Find shown figures that are exact enough to solve them for counts that no table shows."""
    for name, frame in tables.items():
        declared = PROTECTION[name]
        if not isinstance(declared, Derived) or not declared.rounded:
            continue
        means = tables["mean_by_group"]
        sd = means[means["dimension"] == ALL].set_index("score")["sd"].to_dict()
        for number, row in enumerate(frame.to_dict("records")):
            unit = unit_of(float(_or(sd.get(row["score"]), 0.0)))
            values = np.array([_or(row[column], 0.0) for column in declared.rounded], float) / unit
            if not np.allclose(values, values.round(), rtol=0, atol=1e-6):
                yield Finding(name, number, "a figure that is too exact")


def _or(value: Any, other: float) -> float:
    return other if value is None or pd.isna(value) else float(value)


def _attacked(told: list[Statement], contract: Contract, widths: list[float]) -> list[Finding]:
    """Return what the tables give away by themselves."""
    hidden = _hidden(told)
    if not hidden:
        return []
    program = Program()
    world = World(program, contract, told)
    world.link()
    _know(program, world, told)
    return _narrow(program, world, told, hidden, contract, widths, "sums of shown figures")


def _know(program: Program, world: World, told: list[Statement]) -> None:
    for statement in told:
        total = world.count(statement.subject)
        if statement.count is not None:
            program.know(total, statement.count, statement.count)
        elif statement.share is not None:
            whole = world.count(statement.subject.whole)
            for side in (-1.0, 1.0):
                off = added([total, times(whole, -(statement.share + side * statement.exact))])
                ends = (0.0, np.inf) if side < 0 else (-np.inf, 0.0)
                program.know(off, *ends)
    _know_means(program, world, told)


def _know_means(program: Program, world: World, told: list[Statement]) -> None:
    """Means x counts of the groups of a dimension add up to the mean of all x their count."""
    lists: dict[tuple[str, str, str, str], list[Statement]] = {}
    wholes: dict[tuple[str, str], float] = {}
    for s in told:
        if s.subject.kind or len(s.subject.group) > 1:
            continue
        if not s.subject.group and s.mean is not None:
            wholes[s.table, s.measure] = s.mean
        for dimension, _ in s.subject.group:
            lists.setdefault((s.table, s.measure, s.subject.score, dimension), []).append(s)
    for (table, measure, _, _), groups in lists.items():
        whole = wholes.get((table, measure))
        if whole is None or any(g.mean is None for g in groups):
            continue
        if all(g.count is not None for g in groups):
            continue
        for side in (-1.0, 1.0):
            off = added(
                times(world.count(g.subject), (g.mean or 0.0) - whole + side * 2 * g.exact)
                for g in groups
            )
            program.know(off, *((-np.inf, 0.0) if side < 0 else (0.0, np.inf)))


def _hidden(told: list[Statement]) -> list[Subject]:
    """Return the subjects that no row counts openly."""
    seen = {s.subject for s in told if s.count is not None}
    return list(dict.fromkeys(s.subject for s in told if s.subject not in seen))


def _narrow(
    program: Program,
    world: World,
    told: list[Statement],
    hidden: list[Subject],
    contract: Contract,
    widths: list[float],
    attack: str,
) -> list[Finding]:
    """Return the rows of `told` whose hidden count has too narrow a range."""
    if not program.possible():
        what = "The published tables contradict each other."
        raise ExamsError("E323", what, "Nothing was published; build the stage model again.")
    found: list[Finding] = []
    for subject in hidden:
        sums = [world.count(subject)]
        if subject.kind in PARTS and subject.whole in hidden:
            sums.append(added([world.count(subject.whole), times(sums[0], -1)]))
        for total in sums:
            low, high = program.bounds(total)
            widths.append(high - low)
            if high - low <= 2 * contract.disclosure.within:
                rows = [s for s in told if s.subject == subject]
                found += [Finding(s.table, s.row, attack, subject) for s in rows]
    return found


def _versions(past: list[Statement], now: list[Statement], contract: Contract) -> list[Finding]:
    """Return what two versions give away to one who takes it that students were only added.

    Or only removed: where neither fits to the figures, the versions say nothing of each other.
    """
    found: list[Finding] = []
    past, now = ([s for s in told if s.subject.kind != "outcome"] for told in (past, now))
    for part in linked([*past, *now], contract):
        names = {d for s in part for d, _ in s.subject.group}
        sides = [
            [s for s in told if names >= {d for d, _ in s.subject.group}] for told in (past, now)
        ]
        for first, second in (sides, sides[::-1]):
            program = Program()
            base = World(program, contract, [*first, *second])
            grown = World(program, contract, [*first, *second], base)
            base.link()
            _know(program, base, first)
            _know(program, grown, second)
            if not program.possible():
                continue
            worlds = {id(first): base, id(second): grown}
            for told in sides:
                rows = _narrow(
                    program, worlds[id(told)], told, _hidden(told), contract, [],
                    "comparing versions",
                )  # fmt: skip
                found += rows if told is sides[1] else [_former(f) for f in rows]
            break
    return found


def _former(finding: Finding) -> Finding:
    return Finding(finding.table, None, finding.attack, finding.subject)
