"""Cells: the counts of students that the tables show, each once, whatever shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from exams.contract import ALL, Contract
from exams.errors import ExamsError
from exams.protection import PROTECTION, Counted

Frames = Mapping[str, pd.DataFrame]
WITHIN = "/"
Groups = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Cell:
    """A count of students.

    groups: their levels (codes) by dimension, sorted; none: every student. universe: the score
    that they have; complete: every score; empty: any student. Of these the cell counts those
    that fall into `category` of `attribute`, if there is one; code/bin divides the category code.
    """

    groups: Groups = ()
    universe: str = ""
    attribute: str = ""
    category: str = ""

    @property
    def divides(self) -> bool:
        """Whether its attribute divides students into several categories."""
        return self.attribute != self.category

    @property
    def base(self) -> "Cell":
        """The cell of the same students without regard to their category."""
        return Cell(self.groups, self.universe)

    def covers(self, category: str) -> bool:
        """Say whether students in `category` of the same attribute are in this cell."""
        mine = self.category
        return not self.attribute or mine == category or category.startswith(mine + WITHIN)

    @property
    def subdivides(self) -> bool:
        """Whether the cell counts a part of a category."""
        return WITHIN in self.category


@dataclass
class Counts:
    """The cells of a quarter and their true values.

    described: the cell is a group that some table describes, not only counts. rows: by table,
    the places of the cells that each of its rows tells (rows x 1 or 2).
    """

    cells: list[Cell] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    described: list[bool] = field(default_factory=list)
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    place: dict[Cell, int] = field(default_factory=dict)

    def add(self, cell: Cell, value: int, described: bool, table: str) -> int:
        """Return the place of a cell, added if it is new; raise E322 if its value is another."""
        at = self.place.setdefault(cell, len(self.cells))
        if at == len(self.cells):
            self.cells.append(cell)
            self.values.append(value)
            self.described.append(described)
        elif self.values[at] != value:
            what = f"Table {table} counts a group otherwise than the tables before it."
            raise ExamsError("E322", what, "Nothing was published; build the stage model again.")
        self.described[at] |= described
        return at


def read_counts(figures: Frames, contract: Contract) -> Counts:
    """Return the cells of the counted tables in `figures`, but for rows hidden all together."""
    counts = Counts()
    for name, frame in figures.items():
        declared = PROTECTION[name]
        if isinstance(declared, Counted) and not declared.together:
            columns = ["n", declared.part] if declared.part else ["n"]
            values = frame[columns].astype(int).to_numpy().tolist()
            found = [
                [counts.add(c, n, declared.described, name) for c, n in zip(row, told, strict=True)]
                for row, told in zip(cells_of(frame, declared, contract), values, strict=True)
            ]
            counts.rows[name] = np.array(found, dtype=int).reshape(len(frame), len(columns))
    return counts


def pattern(tables: Frames, contract: Contract) -> tuple[set[Cell], set[Cell]]:
    """Return the cells that published tables show, and those that they hide."""
    shown: set[Cell] = set()
    every: set[Cell] = set()
    for name, frame in tables.items():
        declared = PROTECTION[name]
        if isinstance(declared, Counted):
            away = (frame["suppressed"] == 1).tolist()
            for row, hidden in zip(cells_of(frame, declared, contract), away, strict=True):
                every.update(row)
                shown.update([] if hidden else row)
    return shown, every - shown


def universe_of(score: str, contract: Contract) -> str:
    """Return the universe of the students that have a score, or the overall one."""
    fields = [s for s in contract.scores if s.name == score] or contract.scores
    if all(s.required for s in fields):
        return ""
    return score if len(fields) == 1 < len(contract.scores) else "complete"


def cells_of(frame: pd.DataFrame, declared: Counted, contract: Contract) -> Iterator[list[Cell]]:
    """Yield, for each row, the cells that it counts: its n, and the part of it if there is one."""
    codes = _codes(contract)
    for row in frame.to_dict("records"):
        groups = tuple(
            sorted(
                (row[dimension], codes[row[dimension], row[level]])
                for dimension, level in declared.groups
                if row[dimension] != ALL
            )
        )
        universe, attribute, category = "", "", ""
        if declared.by_score or declared.complete:
            universe = universe_of(row["score"] if declared.by_score else "", contract)
        if declared.category:
            attribute = row["score"] if declared.by_score else declared.category
            within = f"{row[declared.within]}{WITHIN}" if declared.within else ""
            category = within + str(row[declared.category])
        cells = [Cell(groups, universe, attribute, category)]
        yield [*cells, Cell(groups, "", declared.part, declared.part)] if declared.part else cells


def _codes(contract: Contract) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the codes of each level and merged level by (dimension, level)."""
    codes = {}
    for dimension in contract.dimensions:
        levels = dimension.counted_levels
        for name, merged in dimension.merges:
            codes[dimension.name, name] = tuple(sorted(map(levels.index, merged)))
        for code, level in enumerate(levels):
            codes[dimension.name, level] = (code,)
    return codes
