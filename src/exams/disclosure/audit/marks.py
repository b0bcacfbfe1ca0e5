"""The unknowns of the attack on scores: how many students have which score, profile by profile."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import highspy
import numpy as np
from scipy.sparse import csr_matrix

from exams.contract import Field
from exams.disclosure.audit.finding import Subject
from exams.disclosure.audit.program import solver
from exams.disclosure.audit.reading import WITHIN, Statement
from exams.disclosure.audit.world import AT_RISK, Profiles

_EXACT = 1e-7  # of a sum: what is lost in adding up
_GAIN = 1e-6


class Class(NamedTuple):
    """Scores from `low` up to `high`, which is not in it, in steps above the lowest."""

    low: float
    high: float


def classes_of(told: Iterable[Statement], field: Field) -> dict[tuple[str, str], Class]:
    """Return the scores of each class that statements name, by its kind and name."""
    size = field.maximum - field.minimum
    lows = [*(band.low - field.minimum for band in field.bands), size + 1]
    found = {
        (field.name, str(band.code)): Class(lows[i], lows[i + 1])
        for i, band in enumerate(field.bands)
    }
    if field.at_risk_below is not None:
        found[AT_RISK, AT_RISK] = Class(0, field.at_risk_below - field.minimum)
    for statement in told:
        if statement.edges is not None:
            low, high = (end / field.step - field.minimum for end in statement.edges)
            last = high >= size - _GAIN
            named = (field.name + WITHIN, statement.subject.of_kind)
            found[named] = Class(round(low, 6), size + 1 if last else round(high, 6))
    return found


class Marks:
    """Students by profile and score: what is known of them, and worlds that fit to it.

    values: the scores that they may have, in steps above the lowest. A world is the number, sum
    and sum of squares of the scores of each subject; steps are scaled to parts of the scale.
    """

    def __init__(
        self,
        profiles: Profiles,
        known: Sequence[Statement],
        values: np.ndarray,
        classes: Mapping[tuple[str, str], Class],
        field: Field,
    ) -> None:
        self.profiles, self.values, self.classes, self.field = profiles, values, classes, field
        self._sums: dict[Subject, np.ndarray] = {}
        self._worlds: dict[Subject, list[np.ndarray]] = {}
        self._solutions: list[np.ndarray] = []
        self._step = 1 / (field.maximum - field.minimum)
        rows = [self._rows(s.subject) for s in known]
        bounds = np.array([end for s in known for end in self._bounds(s)])
        most = 1000 + 10 * max(s.count or 0 for s in known)  # no hidden group has more
        matrix = csr_matrix(np.concatenate(rows))
        self._size = matrix.shape[1]
        self._model = solver(matrix, bounds[:, 0], bounds[:, 1], most)

    def fits(self) -> bool:
        """Say whether there is a world that fits to all that is known."""
        return self._solve(np.zeros(self._size))

    def width(self, subject: Subject, enough: int) -> float:
        """Return how wide the range of a count is, in whole numbers; `enough`, if wider."""
        count = self._rows(subject)[0]
        for sign in (1.0, -1.0):
            if self._solutions and self._width(count) >= enough:
                break
            self._solve(sign * count)
        return min(self._width(count), float(enough))

    def any(self, subject: Subject) -> int:
        """Return a number of students that a subject may count."""
        return round(float(self._rows(subject)[0] @ self._solutions[-1]))

    def _width(self, count: np.ndarray) -> float:
        counts = [float(count @ solution) for solution in self._solutions]
        return float(np.floor(max(counts) + _GAIN) - np.ceil(min(counts) - _GAIN))

    def differs(self, subject: Subject, part: int) -> bool:
        """Say whether a mean (part 0) or deviation (1) can be two values a step apart."""
        rows = self._rows(subject)
        for away in (self._step, -self._step):
            worlds = self._with(subject)
            if _reach(worlds, part) >= self._step:
                return True
            mean, sd = _described(worlds[0]) if worlds else (0.5, 0.25)
            if part == 0:  # is the sum beyond (mean + away) x n?
                factors = [-(mean + away), 1.0, 0.0]
            else:  # and that of squared distances beyond (sd + away)^2 x n?
                factors = [mean**2 - max(sd + away, 0.0) ** 2, -2 * mean, 1.0]
            self._solve(-np.sign(away) * (np.array(factors) @ rows))
        return _reach(self._with(subject), part) >= self._step

    def _with(self, subject: Subject) -> list[np.ndarray]:
        """Return the worlds in which a subject has a student: number, sum, sum of squares."""
        sums = [self._rows(subject) @ solution for solution in self._solutions]
        return [of for of in sums if of[0] >= 1 - _GAIN]

    def _rows(self, subject: Subject) -> np.ndarray:
        """Return what adds up the students of a subject; without a class, their scores, too."""
        if subject not in self._sums:
            own = self.profiles.within(subject.group).astype(float)
            if subject.kind:
                of = self.classes[subject.kind, subject.of_kind]
                chosen = (self.values >= of.low - _GAIN) & (self.values < of.high - _GAIN)
                powers = chosen[None, :].astype(float)
            else:
                powers = np.vander(self.values * self._step, 3, increasing=True).T
            self._sums[subject] = (
                np.multiply.outer(own, powers).swapaxes(0, 1).reshape(len(powers), -1)
            )
        return self._sums[subject]

    def _solve(self, cost: np.ndarray) -> bool:
        """Add the world in which `cost` is least; say whether there is one."""
        self._model.changeColsCost(self._size, np.arange(self._size, dtype=np.int32), cost)
        self._model.run()
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        self._solutions.append(np.array(self._model.getSolution().col_value))
        return True

    def _bounds(self, s: Statement) -> list[tuple[float, float]]:
        """Return between what number, sum and sum of squares of a shown row lie."""
        n, field = s.count or 0.0, self.field
        if s.subject.kind:
            return [(n, n)]
        if s.mean is None:
            return [(n, n), (0.0, n), (0.0, n)]
        unit = self._step / field.step  # of a score, in parts of the scale
        mean, off = s.mean * unit - field.minimum * self._step, s.exact * unit
        total, slack = n * mean, n * max(off, _EXACT)
        ends = [(n, n), (total - slack, total + slack)]
        if s.sd is None:
            return [*ends, (0.0, n)]
        sd, unsure = s.sd * unit, s.exact_sd * unit
        squares = (n - 1) * sd**2 + n * mean**2
        more = 2 * (n * sd * unsure + n * mean * off) + n * (unsure**2 + off**2)
        more = max(more, n * _EXACT)
        return [*ends, (squares - more, squares + more)]


def _reach(worlds: list[np.ndarray], part: int) -> float:
    """Return how far apart means (part 0) or deviations (1) are; half of two worlds is one."""
    halves = [(a + b) / 2 for a, b in combinations(worlds, 2)] if part else []
    values = [_described(sums)[part] for sums in [*worlds, *halves]]
    return max(values) - min(values) if values else 0.0


def _described(sums: np.ndarray) -> tuple[float, float]:
    """Return mean and deviation of students from their number, sum and sum of squares."""
    mean = sums[1] / sums[0]
    return mean, max(sums[2] / sums[0] - mean**2, 0.0) ** 0.5
