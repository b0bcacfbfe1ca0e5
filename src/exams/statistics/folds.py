"""Folds: each record is in one of five, for cross-validation from the cube alone."""

from collections.abc import Mapping

import numpy as np

from exams.contract import Contract

FOLDS = 5
SUMS = ("n", "total", "squares")
Key = tuple[str, str]  # a reported score and one of SUMS; ("", "n") and ("", "at_risk")


def fold_of(sha256: str, line: np.ndarray) -> np.ndarray:
    """Return the fold, 0 to FOLDS - 1, of the records on these lines of a delivery, as uint32.

    It is a hash of the line and of the delivery's SHA-256: the same at every build, and blind
    to how a file is sorted. The hash is the finalizer of MurmurHash3 (Appleby 2008).
    """
    mixed = line.astype(np.uint32) ^ np.uint32(int(sha256[:8], 16))
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    return ((mixed >> np.uint32(16)) * np.uint32(FOLDS)) >> np.uint32(16)


class Folds:
    """Sums per profile and fold, int64 (profiles, FOLDS), by `Key`.

    n, total and squares of a score count the students that have it, their steps above the
    lowest and the squares of these; of the overall score those who have every score.
    """

    def __init__(self, contract: Contract, size: int) -> None:
        self.scores = [s.name for s in contract.scores]
        self.overall = contract.overall.name if contract.overall else ""
        keys: list[Key] = [("", "n"), ("", "at_risk")]
        keys += [(s.name, name) for s in contract.reported for name in SUMS]
        self.sums = {key: np.zeros((size, FOLDS), np.int64) for key in keys}
        self.size = size * FOLDS

    def count(self, place: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """Return how many records, or which sum of `weight`, each profile has in each fold.

        place: profile * FOLDS + fold. Exact for sums below 2^53.
        """
        counted = np.bincount(place, weight, self.size).reshape(-1, FOLDS)
        return counted if weight is None else np.rint(counted).astype(np.int64)

    def add_moments(self, n: np.ndarray, moments: Mapping[Key, np.ndarray], every: bool) -> None:
        """Add counts of records with every score, and sums by pair of scores as the cube has.

        every: there are no other records, so that these are the sums of each score, too.
        """
        for name in (self.scores if every else []) + ([self.overall] if self.overall else []):
            self.sums[name, "n"] += n
        for (a, b), summed in moments.items():
            kind = "squares" if b else "total"
            if self.overall:
                self.sums[self.overall, kind] += 2 * summed if b and a != b else summed
            if every and b in ("", a):
                self.sums[a, kind] += summed

    def add_score(self, score: str, place: np.ndarray, above: np.ndarray) -> None:
        """Add the records that have `score`: places and steps above the lowest."""
        for name, weight in zip(SUMS, (None, above, above * above), strict=True):
            self.sums[score, name] += self.count(place, weight)
