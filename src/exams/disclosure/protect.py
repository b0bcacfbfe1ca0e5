"""Protects the figures of a quarter: hides small groups and counts, and what would tell them.

What protects a table is declared in exams.protection. Hidden are small counts (primary
suppression), and others with them until no hidden count can be worked out (complementary
suppression). A reader cannot tell the two kinds apart.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from exams.contract import Contract
from exams.disclosure.cells import Cell, Counts, Frames, pattern, read_counts
from exams.disclosure.changes import Version, held, largest, told_by_changes
from exams.disclosure.rounding import rounded
from exams.disclosure.suppression import suppress
from exams.disclosure.together import together
from exams.disclosure.told import levels_of_groups, told
from exams.errors import ExamsError
from exams.protection import PROTECTION, Counted, Derived, Source
from exams.tables import TABLES

_TABLES = {table.name: table for table in TABLES}
_NULLABLE = {"INTEGER": "Int64", "REAL": "Float64"}


def protect(
    figures: Frames, contract: Contract, former: Sequence[Version] = ()
) -> dict[str, pd.DataFrame]:
    """Return the figures with `suppressed` and with the hidden cells' values emptied.

    `figures` are tables of one quarter, unprotected; `former` its earlier versions, as they were
    published. What one of them hides stays hidden, and what one shows is hidden only if nothing
    else helps, unless so many students came or went that the versions tell little of each
    other. Where the difference of versions would describe a few students, figures are hidden;
    if it is so of the whole quarter, the tables of the last version are returned. Raise E320 for
    a table without a declaration of what protects it.
    """
    for name in figures:
        if not isinstance(PROTECTION.get(name), Counted | Derived):
            what = f"Nothing declares what protects table {name}."
            raise ExamsError("E320", what, "Declare it in exams/protection.py.")
    if held(former, contract):
        return _kept(figures, former[-1].tables)
    counts = read_counts(figures, contract)
    shown, hidden_before = _before(former, counts, contract)
    gone = _gone(counts, contract, _places(hidden_before, counts), _places(shown, counts))
    gone_or_told = gone | told_by_changes(counts, former, contract)
    hidden = {name: gone_or_told[rows].any(axis=1) for name, rows in counts.rows.items()}
    for name, more in told(counts, gone, contract):
        hidden[name] |= more
        gone_or_told[counts.rows[name][hidden[name]]] = True
    for name, frame in figures.items():
        declared = PROTECTION[name]
        if isinstance(declared, Counted) and declared.together:
            away = counts, gone_or_told
            hidden[name] = together(frame, declared, contract, away, hidden_before)
    for name in figures:
        if name not in hidden:
            _derive(name, figures, hidden)
    return rounded({name: emptied(name, frame, hidden[name]) for name, frame in figures.items()})


def _gone(counts: Counts, contract: Contract, wished: list[int], known: list[int]) -> np.ndarray:
    """Return which cells to hide, and the levels with them that other tables would tell of."""
    gone = suppress(counts, contract, wished, known)
    while more := levels_of_groups(counts, gone, contract):
        wished = [*wished, *more]
        gone = suppress(counts, contract, wished, known)
    return gone


def _kept(figures: Frames, last: Frames) -> dict[str, pd.DataFrame]:
    """Return the tables of the last version; what it did not have is hidden whole."""
    return {
        name: emptied(name, last[name].drop(columns="suppressed"), last[name]["suppressed"] == 1)
        if name in last
        else emptied(name, frame, np.ones(len(frame), bool))
        for name, frame in figures.items()
    }


def _before(
    former: Sequence[Version], counts: Counts, contract: Contract
) -> tuple[set[Cell], set[Cell]]:
    """Return the cells that earlier versions have shown, and that they have hidden."""
    shown: set[Cell] = set()
    hidden: set[Cell] = set()
    size = max(counts.values, default=0)
    for tables in (version.tables for version in former):
        if size <= 2 * largest(tables) <= 4 * size:
            of = pattern(tables, contract)
            shown |= of[0]
            hidden |= of[1]
    return shown - hidden, hidden


def _places(cells: Iterable[Cell], counts: Counts) -> list[int]:
    return sorted(counts.place[cell] for cell in cells if cell in counts.place)


def _derive(name: str, figures: Frames, hidden: dict[str, np.ndarray]) -> None:
    """Hide the rows of a derived table that a hidden row of another one is part of."""
    declared, frame = PROTECTION[name], figures[name]
    assert isinstance(declared, Derived)
    found = np.zeros(len(frame), bool)
    for source in declared.sources:
        if source.table not in hidden:
            _derive(source.table, figures, hidden)
        columns = list(source.columns)
        away = figures[source.table].loc[hidden[source.table], columns]
        found |= _own(frame, source).isin(pd.MultiIndex.from_frame(away))
    hidden[name] = found


def _own(frame: pd.DataFrame, source: Source) -> pd.MultiIndex:
    """Return, for each row, the key of the row of `source` that it is worked out from."""
    parts = [
        pd.Series(column[1:], frame.index) if column.startswith("=") else frame[column]
        for column in source.columns.values()
    ]
    return pd.MultiIndex.from_arrays(parts)


def emptied(name: str, frame: pd.DataFrame, hidden: np.ndarray | pd.Series) -> pd.DataFrame:
    """Return the frame with `suppressed`, and no value but its keys where `hidden`."""
    declared = PROTECTION[name]
    assert isinstance(declared, Counted | Derived)
    away = np.asarray(hidden, bool)
    found = frame.reset_index(drop=True)
    types = {c.name: _NULLABLE.get(c.type, object) for c in _TABLES[name].columns}
    for column in found.columns.difference([*_TABLES[name].key, *declared.labels]):
        found[column] = found[column].astype(types.get(column, object)).mask(away)
    return found.assign(suppressed=away.astype(int))
