"""The unknowns of an attack: how many students there may be of each kind, profile by profile."""

from collections.abc import Iterable, Iterator

import numpy as np

from exams.contract import Contract, Field
from exams.disclosure.audit.program import Program, Sum, added, times
from exams.disclosure.audit.reading import Group, Statement, Subject
from exams.protection import OUTCOMES, PROTECTION, Counted

AT_RISK = "at_risk"
EVERY = "*"  # students with every score
_REST = ""  # students in no class of a kind
PARTS = {p.part for p in PROTECTION.values() if isinstance(p, Counted) and p.part}


class World:
    """Students by profile (a combination of levels), and in classes of several kinds.

    With `before`, this is that world and students that were added to it.
    """

    def __init__(
        self,
        program: Program,
        contract: Contract,
        told: Iterable[Statement],
        before: "World | None" = None,
    ) -> None:
        self.program, self.contract, self.before = program, contract, before
        subjects = {statement.subject for statement in told}
        self._levels = _levels(contract, subjects)
        self._codes = np.indices([len(levels) for levels in self._levels.values()] or [1])
        self._codes = self._codes.reshape(max(len(self._levels), 1), -1)
        self._columns: dict[tuple[str, str, str], np.ndarray] = {}
        self._lists: dict[tuple[str, str, str], int] = {}
        self._make(subjects)

    def _make(self, subjects: set[Subject]) -> None:
        grouped = sorted({(s.kind, s.score) for s in subjects if s.kind and s.group})
        self._eliminated = next((kind for kind, score in grouped if not score), "")
        profiles = self._codes.shape[1]
        scores = {s.score for s in subjects if s.score}
        if not self._eliminated:
            self._columns["", "", ""] = self.program.unknowns(profiles)
        for kind, score in grouped:
            for of_kind in self._classes(kind, subjects):
                self._columns[kind, of_kind, score] = self.program.unknowns(profiles)
        for score in scores:
            self._columns["", "", score] = self.program.unknowns(profiles)
        for kind, score in sorted({(s.kind, s.score) for s in subjects if s.kind}):
            if (kind, score) not in grouped:
                for of_kind in self._classes(kind, subjects):
                    self._lists[kind, of_kind, score] = int(self.program.unknowns(1)[0])
        for kind, score in grouped:
            if kind != self._eliminated:
                self._divide(kind, score)
        for score in sorted(scores):
            self._within(score, scores)
        self._close_lists()

    def _classes(self, kind: str, subjects: set[Subject]) -> list[str]:
        found = sorted({s.of_kind for s in subjects if s.kind == kind})
        return [*found, _REST] if kind in PARTS else found

    def _divide(self, kind: str, score: str) -> None:
        """The students of a profile are those of all its classes."""
        for profile in range(self._codes.shape[1]):
            parts = [c for (k, _, s), c in self._columns.items() if (k, s) == (kind, score)]
            classes = added({int(c[profile]): 1.0} for c in parts)
            whole = self._students(score, np.array([profile]))
            self.program.know(added([whole, times(classes, -1)]), 0, 0)

    def _within(self, score: str, scores: set[str]) -> None:
        """Who has a score is a student; who has every score has each of them."""
        above = [""] + [s for s in scores if s != EVERY] * (score == EVERY)
        for profile in range(self._codes.shape[1]):
            own = self._students(score, np.array([profile]))
            for other in above:
                whole = self._students(other, np.array([profile]))
                self.program.know(added([whole, times(own, -1)]), 0, np.inf)

    def _close_lists(self) -> None:
        """The classes of a kind that is counted for all students alone add up to them."""
        profiles = np.arange(self._codes.shape[1])
        for kind, score in {(k, s) for k, _, s in self._lists}:
            parts = [u for (k, _, s), u in self._lists.items() if (k, s) == (kind, score)]
            classes = dict.fromkeys(parts, -1.0)
            self.program.know(added([self._students(score, profiles), classes]), 0, 0)

    def _students(self, score: str, profiles: np.ndarray) -> Sum:
        if not score and self._eliminated:
            columns = [
                c for (k, _, s), c in self._columns.items() if (k, s) == (self._eliminated, "")
            ]
        else:
            columns = [self._columns["", "", score]]
        return {int(unknown): 1.0 for column in columns for unknown in column[profiles]}

    def count(self, subject: Subject) -> Sum:
        """Return the sum of unknowns that counts `subject`."""
        earlier = self.before.count(subject) if self.before else {}
        listed = self._lists.get((subject.kind, subject.of_kind, subject.score))
        if listed is not None:
            return added([{listed: 1.0}, earlier])
        profiles = np.flatnonzero(self._within_group(subject.group))
        if not subject.kind:
            return added([self._students(subject.score, profiles), earlier])
        column = self._columns[subject.kind, subject.of_kind, subject.score]
        return added([{int(unknown): 1.0 for unknown in column[profiles]}, earlier])

    def _within_group(self, group: Group) -> np.ndarray:
        within = np.ones(self._codes.shape[1], bool)
        for dimension, levels in group:
            place = list(self._levels).index(dimension)
            known = self._levels[dimension]
            within &= np.isin(self._codes[place], [known.index(level) for level in levels])
        return within

    def link(self) -> None:
        """Note what classes of one kind tell of another one, of all students and by profile."""
        whole = np.arange(self._codes.shape[1])
        for profiles in [whole, *whole[:, None]] if self.before is None else ():
            risk = self._class(AT_RISK, AT_RISK, profiles)
            if risk is not None:
                self._link_levels(risk, profiles)
                flagged = [self._class("outcome", outcome, profiles) for outcome in OUTCOMES[:2]]
                if None not in flagged:
                    self.program.know(added([times(risk, -1), *filter(None, flagged)]), 0, 0)

    def _link_levels(self, risk: Sum, profiles: np.ndarray) -> None:
        """Students at risk are those below the threshold of any score: no fewer, no more."""
        above: list[Sum] = []
        every = True
        for score, limit in _limits(self.contract):
            ends = [*(band.low for band in score.bands), score.maximum + 1]
            found = [self._class(score.name, str(b.code), profiles) for b in score.bands]
            every &= score.role == "overall" or None not in found
            low = [(c, ends[i] < limit, ends[i + 1] <= limit) for i, c in enumerate(found) if c]
            surely = added(times(c, -1) for c, _, sure in low if sure)
            above += [c for c, maybe, _ in low if maybe and score.role != "overall"]
            self.program.know(added([risk, surely]), 0, np.inf)
        if every and above:
            self.program.know(added([*above, times(risk, -1)]), 0, np.inf)

    def _class(self, kind: str, of_kind: str, profiles: np.ndarray) -> Sum | None:
        """Return the students of a class in some profiles; None if nothing counts it there."""
        for (k, c, _), column in self._columns.items():
            if (k, c) == (kind, of_kind):
                return {int(unknown): 1.0 for unknown in column[profiles]}
        if len(profiles) == self._codes.shape[1]:
            for (k, c, _), unknown in self._lists.items():
                if (k, c) == (kind, of_kind):
                    return {unknown: 1.0}
        return None


def _limits(contract: Contract) -> Iterator[tuple[Field, int]]:
    """Yield each score with the steps below which a student is at risk, and the overall one."""
    known = [(s, s.at_risk_below) for s in contract.scores if s.at_risk_below is not None]
    yield from known
    if contract.overall and len(known) == len(contract.scores):
        yield contract.overall, min(limit for _, limit in known)


def _levels(contract: Contract, subjects: set[Subject]) -> dict[str, tuple[str, ...]]:
    named = {dimension for subject in subjects for dimension, _ in subject.group}
    return {d.name: d.counted_levels for d in contract.dimensions if d.name in named}
