"""Folds: each record is in one of five, for cross-validation from the cube alone."""

from collections.abc import Iterator, Mapping

import numpy as np

from exams.contract import Contract

FOLDS = 5
_SUMS = ("n", "total", "squares")
Key = tuple[str, str]  # a reported score and one of _SUMS; ("", "n") and ("", "at_risk")


def fold_of(sha256: str, line: np.ndarray) -> np.ndarray:
    """Return the fold, 0 to FOLDS - 1, of the records on these lines of a delivery (uint32).

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
        scores = [s.name for s in contract.reported]
        keys = [("", "n"), ("", "at_risk"), *((score, s) for score in scores for s in _SUMS)]
        self.sums: dict[Key, np.ndarray] = {key: np.zeros((size, FOLDS), np.int64) for key in keys}
        self.scores = [s.name for s in contract.scores]
        self.overall = contract.overall.name if contract.overall else ""

    def add(self, key: Key, counts: np.ndarray) -> None:
        """Add counts, flat or per profile and fold."""
        self.sums[key] += counts.reshape(-1, FOLDS)

    def add_moments(self, n: np.ndarray, moments: Mapping[Key, np.ndarray], every: bool) -> None:
        """Add sums over records with every score, by pair of scores as the cube has them.

        every: they are all the records, so that they count for each score, too.
        """
        if self.overall:
            self.add((self.overall, "n"), n)
        for (a, b), summed in moments.items():
            if self.overall:
                twice = 2 if b and a != b else 1
                self.add((self.overall, "squares" if b else "total"), twice * summed)
            if every and b in ("", a):
                self.add((a, "squares" if b else "total"), summed)
        if every:
            for score in self.scores:
                self.add((score, "n"), n)

    def add_score(self, score: str, place: np.ndarray, above: np.ndarray) -> None:
        """Add the records that have `score`: their profiles and folds as one place, and steps."""
        size = self.sums[score, "n"].size
        weights = (None, above, above * above)
        for name, weight in zip(_SUMS, weights, strict=True):
            self.add((score, name), np.rint(np.bincount(place, weight, size)).astype(np.int64))

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the sums by a name for a file."""
        yield from ((f"fold {score} {name}", array) for (score, name), array in self.sums.items())
