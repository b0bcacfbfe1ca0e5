"""What differs between two versions of a quarter: whose records came, went or were corrected."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from exams.contract import NOT_STATED, Contract
from exams.disclosure.audit import Earlier
from exams.disclosure.cells import Counts, Frames, Groups
from exams.disclosure.lines import few, lines_of

_MOVED = ["came", "went"]


@dataclass(frozen=True)
class Version:
    """A version that was published: its tables, and by how many records the present one differs.

    changed: the dimensions, came, went and `changed`, the larger of the two: records of a profile
    that are new or have left; one that was corrected is both. None: they cannot be compared, as
    the dimensions have changed.
    """

    tables: Frames
    changed: pd.DataFrame | None = None

    @property
    def earlier(self) -> Earlier:
        """The version as an attacker knows it who was told how many records came and went."""
        if self.changed is None or "came" not in self.changed:
            return Earlier(self.tables)
        came, went = (int(self.changed[name].sum()) for name in ("came", "went"))
        return Earlier(self.tables, came, went)


def changed(before: pd.DataFrame, now: pd.DataFrame, contract: Contract) -> pd.DataFrame | None:
    """Return by how many records two versions differ at least, profile by profile.

    `before` and `now`: dimensions, score, steps, n; counts of the values of each score.
    """
    names = [d.name for d in contract.dimensions]
    if set(before.columns) != set(now.columns):
        return None
    sides = [
        side.fillna(dict.fromkeys(names, NOT_STATED)).set_index([*names, "score", "steps"])["n"]
        for side in (before, now)
    ]
    difference = sides[1].sub(sides[0], fill_value=0).rename("n").reset_index()
    parts = difference.assign(
        came=difference["n"].clip(lower=0), went=(-difference["n"]).clip(lower=0)
    )
    sums = parts.groupby([*names, "score"], as_index=False)[_MOVED].sum()
    most = sums.groupby(names, as_index=False)[_MOVED].max().astype(dict.fromkeys(_MOVED, int))
    return most.assign(changed=most[_MOVED].max(axis="columns"))


def largest(tables: Frames) -> int:
    """Return the largest count that published tables show."""
    counted = [frame["n"].max() for frame in tables.values() if len(frame) and "n" in frame]
    return int(max((n for n in counted if pd.notna(n)), default=0))


def students_more(tables: Frames, students: int) -> pd.DataFrame:
    """Return what is known of the changes if only the tables of a version are: a number of all."""
    before = largest(tables)
    return pd.DataFrame({"changed": [abs(students - before) if before else 0]})


def held(former: Sequence[Version], contract: Contract) -> bool:
    """Say whether so few records have changed that the figures of the last version must stay.

    The difference of two versions would describe 1 to minimum_group - 1 students.
    """
    least = contract.disclosure.minimum_group
    sums = [int(v.changed["changed"].sum()) for v in former if v.changed is not None]
    return any(0 < n < least for n in sums)


def told_by_changes(counts: Counts, former: Sequence[Version], contract: Contract) -> np.ndarray:
    """Return the cells of which the difference from a former version would describe a few.

    The differences of the groups of a dimension add up to that of the whole, so others go with
    them, as for groups that are too small themselves.
    """
    found = np.zeros(len(counts.cells), bool)
    weights = np.log2(2 + np.array(counts.values))
    whole = np.array([not cell.groups for cell in counts.cells], bool)
    bases = [p for p, cell in enumerate(counts.cells) if not cell.attribute]
    lines = lines_of(counts, bases)
    codes = {d.name: {v: i for i, v in enumerate(d.counted_levels)} for d in contract.dimensions}
    for version in former:
        if version.changed is None:
            continue
        of = {g: _in_group(g, version.changed, codes) for g in {c.groups for c in counts.cells}}
        differ = np.array([of[cell.groups] for cell in counts.cells])
        found |= few(lines, differ, weights, whole, contract.disclosure.minimum_group)
    for place, cell in enumerate(counts.cells):
        base = counts.place.get(cell.base)
        found[place] |= base is not None and found[base]
    return found


def _in_group(groups: Groups, changes: pd.DataFrame, codes: dict[str, dict[str, int]]) -> int:
    within = np.ones(len(changes), bool)
    for dimension, levels in groups:
        if dimension not in changes:
            return 0  # only a number of all is known
        within &= changes[dimension].map(codes[dimension]).isin(levels).to_numpy()
    return int(changes["changed"].to_numpy()[within].sum())
