"""The unknowns of an attack: how many students there may be of each kind, profile by profile."""

from collections.abc import Iterable, Iterator

import numpy as np

from exams.contract import Contract, Field
from exams.disclosure.audit.finding import Group, Subject
from exams.disclosure.audit.program import Program, Sum, added, times
from exams.disclosure.audit.reading import WITHIN, Statement
from exams.protection import OUTCOMES, PROTECTION, Counted

AT_RISK = "at_risk"
EVERY = "*"  # students with every score
_REST = ""  # students in no class of a kind
Band = tuple[float, float, Sum | None]  # from a score, up to a score, and who is between
PARTS = {p.part for p in PROTECTION.values() if isinstance(p, Counted) and p.part}


class Profiles:
    """Combinations of levels of the dimensions that `subjects` name: as many as `size`."""

    def __init__(self, contract: Contract, subjects: Iterable[Subject]) -> None:
        self._contract = contract
        named = {dimension for subject in subjects for dimension, _ in subject.group}
        self._levels = {d.name: d.counted_levels for d in contract.dimensions if d.name in named}
        codes = np.indices([len(levels) for levels in self._levels.values()] or [1])
        self._codes = codes.reshape(max(len(self._levels), 1), -1)
        self.size = self._codes.shape[1]
        self._known: dict[Group, np.ndarray] = {}

    def none(self) -> "Profiles":
        """Return the one profile of those who do not tell groups apart."""
        return Profiles(self._contract, [])

    def within(self, group: Group) -> np.ndarray:
        """Return which profiles belong to a group."""
        if group not in self._known:
            self._known[group] = self._within(group)
        return self._known[group]

    def _within(self, group: Group) -> np.ndarray:
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

    def link(self) -> None:
        """Note what classes of one kind tell of another one, of all students and by profile."""
        self._link_within()
        whole = np.arange(self._size)
        by_group = any(kind not in ("", AT_RISK) for kind, _, _ in self._columns)
        for profiles in [whole, *(whole[:, None] if by_group else ())]:
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
            threshold = score.units(limit)
            found = self._by_score(score, profiles)
            every &= score.role == "overall" or all(c is not None for _, _, c in found)
            surely = [times(c, -1) for _, high, c in found if c and high <= threshold]
            if score.role != "overall":
                above += [c for low, _, c in found if c and low < threshold]
            if surely:
                self.program.know(added([risk, *surely]), 0, np.inf)
        if every and above:
            self.program.know(added([*above, times(risk, -1)]), 0, np.inf)

    def _by_score(
        self, score: Field, profiles: np.ndarray
    ) -> list[tuple[float, float, Sum | None]]:
        """Return the narrowest classes of a score: from it, up to it, and who is in it."""
        kind = score.name + WITHIN
        edges = {c: e for (k, c), e in self._edges.items() if k == kind}
        if edges and len(profiles) == self._size:
            return [(*ends, self._class(kind, c, profiles)) for c, ends in edges.items()]
        lows = [*(score.units(band.low) for band in score.bands), np.inf]
        found = [self._class(score.name, str(b.code), profiles) for b in score.bands]
        return [(lows[i], lows[i + 1], of) for i, of in enumerate(found)]

    def _link_within(self) -> None:
        """The classes that divide another one add up to it."""
        whole = np.arange(self._size)
        parts: dict[tuple[str, str], list[Sum]] = {}
        for kind, of_kind, _ in self._lists:
            if kind.endswith(WITHIN):
                name = (kind.removesuffix(WITHIN), of_kind.partition(WITHIN)[0])
                parts.setdefault(name, []).append(self._class(kind, of_kind, whole) or {})
        for (kind, of_kind), divided in parts.items():
            undivided = self._class(kind, of_kind, whole)
            if undivided is not None:
                self.program.know(added([undivided, *(times(d, -1) for d in divided)]), 0, 0)

    def _class(self, kind: str, of_kind: str, profiles: np.ndarray) -> Sum | None:
        """Return the students of a class in some profiles; None if nothing counts it there."""
        for (k, c, _), column in self._columns.items():
            if (k, c) == (kind, of_kind):
                return {int(unknown): 1.0 for unknown in column[profiles]}
        if len(profiles) == self._size:
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
