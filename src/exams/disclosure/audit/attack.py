"""Attacks on what is published: sums, shares, means, links of tables, and former versions."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from exams.contract import ALL, Contract
from exams.disclosure.audit.counts import hidden_counts, know, narrow
from exams.disclosure.audit.finding import Earlier, Finding, Published, Verdict
from exams.disclosure.audit.linking import linked, of_classes
from exams.disclosure.audit.program import Program
from exams.disclosure.audit.reading import Statement, records, statements
from exams.disclosure.audit.scores import scores_told
from exams.disclosure.audit.sums import sums_told
from exams.disclosure.audit.versions import versions_told
from exams.disclosure.audit.world import World
from exams.protection import PROTECTION, Counted, Derived, Summed, unit_of
from exams.tables import TABLES

_KEYS = {table.name: table.key for table in TABLES}


def audit(
    tables: Published,
    contract: Contract,
    former: Sequence[Earlier] = (),
    quarters: Mapping[str, Published] | None = None,
) -> Verdict:
    """Attack `tables`, one quarter as it is to be published, with all that was published of it.

    `former` are the earlier versions of the quarter; `quarters` the tables of every quarter that
    figures of several add up, this one among them. A hidden count is given away if its range is
    at most 2 x `within` wide. Raise E323 if tables contradict each other.
    """
    findings = [*_values_shown(tables), *_sources_hidden(tables), *_too_exact(tables)]
    findings += sums_told(tables, quarters or {})
    widths: list[float] = []
    # levels of groups of which none is shown are not published at all: nothing to be told of
    silent = {name for name, frame in tables.items() if (frame["suppressed"] == 1).all()}
    told = statements(tables, contract)
    told = [s for s in told if not (s.table in silent and of_classes(s))]
    for part in linked(told, contract):
        found, wide = _attacked(tuple(part), contract)
        findings += found
        widths += wide
    if not findings:  # else more is hidden, and all is attacked again
        findings += scores_told(told, contract)
    for earlier in former:
        findings += versions_told(earlier, told, contract)
    unique = tuple(dict.fromkeys(findings))
    return Verdict(len(hidden_counts(told)), min(widths, default=np.inf), unique)


def _values_shown(tables: Published) -> Iterator[Finding]:
    """Find hidden rows that show a value: a share or a mean tells the count."""
    for name, frame in tables.items():
        declared = PROTECTION[name]
        assert isinstance(declared, Counted | Derived | Summed)
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
            for number, row in enumerate(records(frame)):
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
        for number, row in enumerate(records(frame)):
            unit = unit_of(float(_or(sd.get(row["score"]), 0.0)))
            values = np.array([_or(row[column], 0.0) for column in declared.rounded], float) / unit
            if not np.allclose(values, values.round(), rtol=0, atol=1e-6):
                yield Finding(name, number, "a figure that is too exact")


def _or(value: Any, other: float) -> float:
    return other if value is None or pd.isna(value) else float(value)


@lru_cache(maxsize=100)  # most of what is shown stays when more of the rest is hidden
def _attacked(
    told: tuple[Statement, ...], contract: Contract
) -> tuple[tuple[Finding, ...], tuple[float, ...]]:
    """Return what the tables give away by themselves, and how wide the ranges are."""
    hidden = hidden_counts(told)
    if not hidden:
        return (), ()
    widths: list[float] = []
    program = Program()
    world = World(program, contract, told)
    world.link()
    know(program, world, told)
    found = narrow(program, world, told, hidden, contract, widths, "sums of shown figures")
    return tuple(found), tuple(widths)
