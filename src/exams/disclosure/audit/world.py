"""The unknowns of an attack: how many students there may be of each kind, profile by profile."""

from collections.abc import Iterable

import numpy as np

from exams.contract import Contract, Field
from exams.disclosure.audit.finding import Group, Subject
from exams.disclosure.audit.program import Program, Sum, added, times
from exams.disclosure.audit.reading import WITHIN, Statement
from exams.protection import PROTECTION, Counted

AT_RISK = "at_risk"
EVERY = "*"  # students with every score
_REST = ""  # students in no class of a kind
PARTS = {p.part for p in PROTECTION.values() if isinstance(p, Counted) and p.part}


class Profiles:
    """Combinations of levels of the dimensions that `subjects` name: as many as `size`."""

    def __init__(self, contract: Contract, subjects: Iterable[Subject]) -> None:
        named = {dimension for subject in subjects for dimension, _ in subject.group}
        self._levels = {d.name: d.counted_levels for d in contract.dimensions if d.name in named}
        codes = np.indices([len(levels) for levels in self._levels.values()] or [1])
        self._codes = codes.reshape(max(len(self._levels), 1), -1)
        self.size = self._codes.shape[1]

    def within(self, group: Group) -> np.ndarray:
        """Return which profiles belong to a group."""
        found = np.ones(self.size, bool)
        for dimension, levels in group:
            known = self._levels[dimension]
            codes = [known.index(level) for level in levels]
            found &= np.isin(self._codes[list(self._levels).index(dimension)], codes)
        return found


class World:
    """Students by profile (a combination of levels), and in classes of several kinds.

    With `before`, this is that world and other students besides.
    """

    def __init__(
        self,
        program: Program,
        contract: Contract,
        told: Iterable[Statement],
        before: "World | None" = None,
    ) -> None:
        self.program, self.contract, self.before = program, contract, before
        told = list(told)
        subjects = {statement.subject for statement in told}
        self._edges = {
            (s.subject.kind, s.subject.of_kind): s.edges for s in told if s.edges is not None
        }
        self._profiles = Profiles(contract, subjects)
        self._size = self._profiles.size
        self._columns: dict[tuple[str, str, str], np.ndarray] = {}
        self._lists: dict[tuple[str, str, str], int] = {}
        self._make(subjects)

    def _make(self, subjects: set[Subject]) -> None:
        grouped = sorted({(s.kind, s.score) for s in subjects if s.kind and s.group})
        self._eliminated = next((kind for kind, score in grouped if not score), "")
        profiles = self._size
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
        for profile in range(self._size):
            parts = [c for (k, _, s), c in self._columns.items() if (k, s) == (kind, score)]
            classes = added({int(c[profile]): 1.0} for c in parts)
            whole = self._students(score, np.array([profile]))
            self.program.know(added([whole, times(classes, -1)]), 0, 0)

    def _within(self, score: str, scores: set[str]) -> None:
        """Who has a score is a student; who has every score has each of them."""
        above = [""] + [s for s in scores if s != EVERY] * (score == EVERY)
        for profile in range(self._size):
            own = self._students(score, np.array([profile]))
            for other in above:
                whole = self._students(other, np.array([profile]))
                self.program.know(added([whole, times(own, -1)]), 0, np.inf)

    def _close_lists(self) -> None:
        """The classes of a kind that is counted for all students alone add up to them."""
        profiles = np.arange(self._size)
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
        return added([self.own(subject), earlier])

    def own(self, subject: Subject) -> Sum:
        """Return the sum that counts `subject` among the students of this world alone."""
        listed = self._lists.get((subject.kind, subject.of_kind, subject.score))
        if listed is not None:
            return {listed: 1.0}
        profiles = np.flatnonzero(self._profiles.within(subject.group))
        if not subject.kind:
            return self._students(subject.score, profiles)
        column = self._columns[subject.kind, subject.of_kind, subject.score]
        return {int(unknown): 1.0 for unknown in column[profiles]}

    def link_levels(self) -> None:
        """Students at risk are those below the threshold of any score: no fewer, no more."""
        self._link_within()
        if (AT_RISK, AT_RISK, "") not in {**self._columns, **self._lists}:
            return
        risk = self.own(Subject((), "", AT_RISK, AT_RISK))
        above, every = [], True
        for score in self.contract.scores:
            if score.at_risk_below is None:
                continue
            threshold = score.units(score.at_risk_below)
            bands = self._bands(score)
            listed = self._classes_of(score.name + WITHIN) or self._classes_of(score.name)
            every &= bool(listed)
            surely = [times(t, -1) for c, t in listed if bands[c][1] <= threshold]
            above += [t for c, t in listed if bands[c][0] < threshold]
            self.program.know(added([risk, *surely]), 0, np.inf)
        if every:
            self.program.know(added([*above, times(risk, -1)]), 0, np.inf)

    def _bands(self, score: Field) -> dict[str, tuple[float, float]]:
        """Return from which score, and up to which, the classes of a score reach."""
        lows = [*(score.units(band.low) for band in score.bands), np.inf]
        bands = {str(b.code): (lows[i], lows[i + 1]) for i, b in enumerate(score.bands)}
        return bands | {c: e for (k, c), e in self._edges.items() if k == score.name + WITHIN}

    def _classes_of(self, kind: str) -> list[tuple[str, Sum]]:
        """Return the classes of a kind, each with the sum that counts it among all students."""
        known = {(c, s) for k, c, s in (*self._lists, *self._columns) if k == kind}
        return [(c, self.own(Subject((), s, kind, c))) for c, s in sorted(known)]

    def _link_within(self) -> None:
        """The classes that divide another one add up to it."""
        for kind in sorted({k for k, _, _ in self._lists if k.endswith(WITHIN)}):
            whole = dict(self._classes_of(kind.removesuffix(WITHIN)))
            parts: dict[str, list[Sum]] = {}
            for name, total in self._classes_of(kind):
                parts.setdefault(name.partition(WITHIN)[0], []).append(total)
            for name in sorted(parts.keys() & whole.keys()):
                divided = added(parts[name])
                self.program.know(added([whole[name], times(divided, -1)]), 0, 0)
