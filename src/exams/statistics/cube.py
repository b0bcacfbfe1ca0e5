"""The cube: sufficient statistics of a quarter's records, which add up exactly.

A profile is one combination of levels of all dimensions, numbered in mixed radix. Scores are
whole steps of their scale, so every sum is an exact integer. The overall score is the total of
all scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from exams.contract import Contract, Field
from exams.contract.profiles import profiles
from exams.statistics.folds import FOLDS, Folds
from exams.statistics.width import check_width, values_of

_DENSE = 4_000_000  # combinations of scores
Missing = np.ndarray | None  # true where a score is missing; None: nowhere


@dataclass
class Cube:
    """Counts and sums per profile (first axis), and counts of combinations of scores.

    n, complete (every score present), at_risk: int64 (profiles). values: per reported score,
    int64 (profiles, values it can have), the lowest first. moments: int64 (profiles) per pair of
    scores, the sum of products over complete records; the pair (a, "") is the sum of a. Both
    count the steps above the scale's minimum, so that sums stay far below 2^63. packed, packed_n:
    the combinations of scores of complete records, ascending, each packed into one value, and
    their counts.
    """

    contract: Contract
    n: np.ndarray
    complete: np.ndarray
    at_risk: np.ndarray
    values: dict[str, np.ndarray]
    moments: dict[tuple[str, str], np.ndarray]
    packed: np.ndarray
    packed_n: np.ndarray
    folds: Folds

    @classmethod
    def empty(cls, contract: Contract) -> "Cube":
        """Return the cube of no records; raise E306 for a contract that is too wide."""
        check_width(contract)
        size = profiles(contract)
        names = [s.name for s in contract.scores]
        pairs = [*((a, "") for a in names), *combinations_with_replacement(names, 2)]
        return cls(
            contract,
            n=np.zeros(size, np.int64),
            complete=np.zeros(size, np.int64),
            at_risk=np.zeros(size, np.int64),
            values={
                s.name: np.zeros((size, values_of(contract, s)), np.int64)
                for s in contract.reported
            },
            moments={pair: np.zeros(size, np.int64) for pair in pairs},
            packed=pack([np.zeros(0, np.int64)] * len(names), [s.size for s in contract.scores]),
            packed_n=np.zeros(0, np.int64),
            folds=Folds(contract, size),
        )

    def add(
        self,
        profile: np.ndarray,
        scores: Mapping[str, tuple[np.ndarray, Missing]],
        fold: np.ndarray | int = 0,
    ) -> None:
        """Add records: `profile`, per score its steps and where they are missing, and `fold`."""
        place = profile.astype(np.int64) * FOLDS + fold
        self._add_students(("", "n"), place)
        complete, risk = np.ones(len(profile), bool), np.zeros(len(profile), bool)
        for field in self.contract.scores:
            steps, missing = scores[field.name]
            present = slice(None) if missing is None else ~missing
            self._count(field, profile[present], steps[present] - field.minimum)
            if missing is not None:
                complete &= ~missing
            if field.at_risk_below is not None:
                below = steps < field.at_risk_below
                risk |= below if missing is None else below & ~missing
        self._add_students(("", "at_risk"), place[risk])
        above = {
            field.name: scores[field.name][0][complete].astype(np.int64) - field.minimum
            for field in self.contract.scores
        }
        self._add_complete(profile[complete], place[complete], above, bool(complete.all()))
        if not complete.all():
            self._add_present(place, scores)

    def _add_students(self, key: tuple[str, str], place: np.ndarray) -> None:
        counted = self.folds.count(place)
        self.folds.sums[key] += counted
        of_profile: np.ndarray = getattr(self, key[1])
        of_profile += counted.sum(axis=1)

    def _add_present(
        self, place: np.ndarray, scores: Mapping[str, tuple[np.ndarray, Missing]]
    ) -> None:
        for field in self.contract.scores:
            steps, missing = scores[field.name]
            present = slice(None) if missing is None else ~missing
            above = steps[present].astype(np.int64) - field.minimum
            self.folds.add_score(field.name, place[present], above)

    def _count(self, field: Field, profile: np.ndarray, above: np.ndarray) -> None:
        counted = self.values[field.name]
        place = profile.astype(np.int64) * counted.shape[1] + above
        counted += np.bincount(place, minlength=counted.size).reshape(counted.shape)

    def _add_complete(
        self, profile: np.ndarray, place: np.ndarray, above: Mapping[str, np.ndarray], every: bool
    ) -> None:
        n, sums = self.folds.count(place), {}
        self.complete += n.sum(axis=1)
        for a, b in self.moments:
            # exact: a part has under 10^6 records of under 10^4 steps, far below 2^53
            sums[a, b] = self.folds.count(place, above[a] * above[b] if b else above[a])
            self.moments[a, b] += sums[a, b].sum(axis=1)
        self.folds.add_moments(n, sums, every)
        if self.contract.overall is not None:
            total = np.sum(list(above.values()), axis=0)
            self._count(self.contract.overall, profile, total)
        packed = pack(list(above.values()), self._sizes())
        if prod(self._sizes()) <= _DENSE:  # counting is faster than sorting
            counted = np.bincount(packed)
            found = np.flatnonzero(counted)
            self._merge(found, counted[found])
        else:
            self._merge(*np.unique(packed, return_counts=True))

    def _sizes(self) -> list[int]:
        return [field.size for field in self.contract.scores]

    def _merge(self, packed: np.ndarray, counts: np.ndarray) -> None:
        keys, place = np.unique(np.concatenate([self.packed, packed]), return_inverse=True)
        n = np.zeros(len(keys), np.int64)
        np.add.at(n, place, np.concatenate([self.packed_n, counts]))
        self.packed, self.packed_n = keys, n

    def merge(self, other: "Cube") -> None:
        """Add the records of another cube under the same contract: exact, in whatever order."""
        self.n += other.n
        self.complete += other.complete
        self.at_risk += other.at_risk
        for name, counted in other.values.items():
            self.values[name] += counted
        for pair, summed in other.moments.items():
            self.moments[pair] += summed
        for key, summed in other.folds.sums.items():
            self.folds.sums[key] += summed
        self._merge(other.packed, other.packed_n)

    def combinations(self) -> dict[str, np.ndarray]:
        """Return the combinations of scores of complete records: steps by score, and n."""
        above = unpack(self.packed, self._sizes())
        found = zip(self.contract.scores, above, strict=True)
        return {f.name: steps + f.minimum for f, steps in found} | {"n": self.packed_n}

    def save(self, path: Path) -> None:
        """Write the cube to an .npz file."""
        arrays: dict[str, Any] = {f"values {name}": array for name, array in self.values.items()}
        arrays |= {f"moment {a} {b}": array for (a, b), array in self.moments.items()}
        arrays |= {f"fold {a} {b}": array for (a, b), array in self.folds.sums.items()}
        arrays |= {name: getattr(self, name) for name in _PLAIN}
        np.savez(path, **arrays)

    @classmethod
    def read(cls, path: Path, contract: Contract) -> "Cube":
        """Read the cube that `save` wrote."""
        cube = cls.empty(contract)
        with np.load(path) as arrays:
            for name in cube.values:
                cube.values[name] = arrays[f"values {name}"]
            for a, b in cube.moments:
                cube.moments[a, b] = arrays[f"moment {a} {b}"]
            for a, b in cube.folds.sums:
                cube.folds.sums[a, b] = arrays[f"fold {a} {b}"]
            for name in _PLAIN:
                setattr(cube, name, arrays[name])
        return cube


_PLAIN = ("n", "complete", "at_risk", "packed", "packed_n")


def pack(columns: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """Return one value per row of `columns`, each from 0 to its size - 1, in the rows' order.

    It is an int64 where that has room for the product of sizes, else the row's bytes.
    """
    if prod(sizes) >= 2**63:
        rows = np.column_stack(columns).astype(">u4")
        return rows.view(np.dtype((np.void, rows.dtype.itemsize * len(sizes)))).reshape(-1)
    packed = np.zeros(len(columns[0]), np.int64)
    for column, size in zip(columns, sizes, strict=True):
        packed = packed * size + column
    return packed


def unpack(packed: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Return the columns that `pack` packed, as int64."""
    if packed.dtype.kind == "V":
        return list(packed.view(">u4").reshape(-1, len(sizes)).astype(np.int64).T)
    columns: list[np.ndarray] = []
    for size in reversed(sizes):
        packed, column = np.divmod(packed, size)
        columns.insert(0, column)
    return columns
