"""The cube: sufficient statistics of a quarter's records, which add up exactly.

A profile is one combination of levels of all dimensions, numbered in mixed radix. Scores are
whole steps of their scale, so every sum is an exact integer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from exams.contract import Contract, Field
from exams.errors import ExamsError

_CELLS = 50_000_000  # int64 counters: 400 MB
Missing = np.ndarray | None  # true where a score is missing; None: nowhere


def radix(field: Field) -> int:
    """Return the number of codes of a dimension: its levels, and one for no value."""
    return len(field.levels) + (not field.required)


def strides(contract: Contract) -> dict[str, int]:
    """Return by how much one level of each dimension raises the number of a profile."""
    sizes = [radix(d) for d in contract.dimensions]
    return {d.name: prod(sizes[place + 1 :]) for place, d in enumerate(contract.dimensions)}


def profile_levels(contract: Contract, profile: int) -> list[str | None]:
    """Return the levels of a profile, one per dimension; None is no value."""
    levels: list[str | None] = []
    for dimension, stride in zip(contract.dimensions, strides(contract).values(), strict=True):
        code = profile // stride % radix(dimension)
        levels.append(dimension.levels[code] if code < len(dimension.levels) else None)
    return levels


@dataclass
class Cube:
    """Counts and sums per profile (first axis), and counts of combinations of scores.

    n, complete (every score present), at_risk: int64 (profiles). values: per score, int64
    (profiles, size of the scale). moments: int64 (profiles) per pair of scores, the sum of
    products over complete records; the pair (a, "") is the sum of a. combinations: packed
    scores of complete records, ascending, and their counts.
    """

    contract: Contract
    n: np.ndarray
    complete: np.ndarray
    at_risk: np.ndarray
    values: dict[str, np.ndarray]
    moments: dict[tuple[str, str], np.ndarray]
    packed: np.ndarray
    packed_n: np.ndarray

    @classmethod
    def empty(cls, contract: Contract) -> "Cube":
        """Return the cube of no records; raise E012 for a contract that is too wide."""
        profiles = prod(radix(d) for d in contract.dimensions)
        if profiles * sum(s.size for s in contract.scores) > _CELLS:
            raise ExamsError(
                "E012",
                f"contract.yaml: {profiles:,} combinations of levels are too many to add up.",
                "Drop a dimension, or merge levels of the widest one.",
            )
        names = [s.name for s in contract.scores]
        pairs = [*((a, "") for a in names), *combinations_with_replacement(names, 2)]
        return cls(
            contract,
            n=np.zeros(profiles, np.int64),
            complete=np.zeros(profiles, np.int64),
            at_risk=np.zeros(profiles, np.int64),
            values={s.name: np.zeros((profiles, s.size), np.int64) for s in contract.scores},
            moments={pair: np.zeros(profiles, np.int64) for pair in pairs},
            packed=np.zeros(0, np.int64),
            packed_n=np.zeros(0, np.int64),
        )

    def add(self, profile: np.ndarray, scores: Mapping[str, tuple[np.ndarray, Missing]]) -> None:
        """Add records: `profile` and, per score, steps and where they are missing."""
        size = len(self.n)
        self.n += np.bincount(profile, minlength=size)
        complete, risk = np.ones(len(profile), bool), np.zeros(len(profile), bool)
        for field in self.contract.scores:
            steps, missing = scores[field.name]
            present = slice(None) if missing is None else ~missing
            self._count(field, profile[present], steps[present])
            if missing is not None:
                complete &= ~missing
            if field.at_risk_below is not None:
                below = steps < field.at_risk_below
                risk |= below if missing is None else below & ~missing
        self.at_risk += np.bincount(profile[risk], minlength=size)
        whole = {name: steps[complete].astype(np.int64) for name, (steps, _) in scores.items()}
        self._add_complete(profile[complete], whole)

    def _count(self, field: Field, profile: np.ndarray, steps: np.ndarray) -> None:
        place = profile.astype(np.int64) * field.size + (steps - field.minimum)
        counts = np.bincount(place, minlength=self.values[field.name].size)
        self.values[field.name] += counts.reshape(-1, field.size)

    def _add_complete(self, profile: np.ndarray, steps: Mapping[str, np.ndarray]) -> None:
        self.complete += np.bincount(profile, minlength=len(self.n))
        for a, b in self.moments:
            # exact: a batch's sums stay far below 2^53
            weight = steps[a] * steps[b] if b else steps[a]
            summed = np.bincount(profile, weight, len(self.n))
            self.moments[a, b] += np.rint(summed).astype(np.int64)
        packed, counts = np.unique(self._pack(steps), return_counts=True)
        self._merge(packed, counts)

    def _pack(self, steps: Mapping[str, np.ndarray]) -> np.ndarray:
        packed = np.zeros(len(next(iter(steps.values()))), np.int64)
        for field in self.contract.scores:
            packed = packed * field.size + (steps[field.name] - field.minimum)
        return packed

    def _merge(self, packed: np.ndarray, counts: np.ndarray) -> None:
        keys, place = np.unique(np.concatenate([self.packed, packed]), return_inverse=True)
        n = np.zeros(len(keys), np.int64)
        np.add.at(n, place, np.concatenate([self.packed_n, counts]))
        self.packed, self.packed_n = keys, n

    def combinations(self) -> dict[str, np.ndarray]:
        """Return the combinations of scores of complete records: steps by score, and n."""
        found, rest = {}, self.packed
        for field in reversed(self.contract.scores):
            rest, offset = np.divmod(rest, field.size)
            found[field.name] = offset + field.minimum
        return {f.name: found[f.name] for f in self.contract.scores} | {"n": self.packed_n}

    def save(self, path: Path) -> None:
        """Write the cube to an .npz file."""
        arrays: dict[str, Any] = {f"values {name}": array for name, array in self.values.items()}
        arrays |= {f"moment {a} {b}": array for (a, b), array in self.moments.items()}
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
            for name in _PLAIN:
                setattr(cube, name, arrays[name])
        return cube


_PLAIN = ("n", "complete", "at_risk", "packed", "packed_n")
