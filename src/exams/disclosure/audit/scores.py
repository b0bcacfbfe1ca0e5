"""The attack on scores: what means and deviations tell of hidden groups, levels and bins.

The unknowns are students by profile and score. A mean times its count is a sum of scores, and
with the deviation a sum of squares: both are linear in the unknowns, so that everything shown is an
equation, as exact as its rounding. A hidden count is safe if its range is wide; a hidden mean or
deviation, if two worlds that fit to all that is shown differ in it by a step of the scale.

Only some scores of the scale are tried at first: what can be shown with them to be safe, is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from exams.contract import Contract, Field
from exams.disclosure.audit.counts import contradiction
from exams.disclosure.audit.finding import Finding, Group, Subject
from exams.disclosure.audit.linking import linked
from exams.disclosure.audit.marks import Marks, classes_of
from exams.disclosure.audit.reading import WITHIN, Statement
from exams.disclosure.audit.world import AT_RISK, Profiles

_COARSE = 8  # parts of the scale whose ends are tried first
_GAIN = 1e-6
_VALUES = 1_000  # of a scale that are tried for the levels of a group
_MOST = 100_000  # unknowns of a program that tries every score


def scores_told(told: list[Statement], contract: Contract) -> Iterator[Finding]:
    """Find hidden counts, means and deviations that follow from scores and what is shown of them.

    A count: to within `within`; a mean or deviation: to within a step of its scale.
    """
    for field in contract.reported:
        means = [s for s in told if s.measure == field.name and not s.subject.kind]
        classes = [s for s in told if s.subject.kind in _kinds(field, contract)]
        for part in linked(means, contract):
            yield from _attacked(tuple(part), (), field, contract)
        levels = [s for s in classes if s.subject.group and s.subject.kind == field.name]
        seen = {s.subject.kind for s in classes if s.count is not None}  # else nothing is told
        others = [s for s in classes if s.subject.kind in seen and s not in levels]
        for names in dict.fromkeys(_dimensions(s) for s in others):
            own, beside = (
                tuple(s for s in of if _dimensions(s) <= names) for of in (means, others)
            )
            yield from _attacked(own, beside, field, contract)
        for group in dict.fromkeys(s.subject.group for s in levels):
            of_means, of_levels = (
                [s for s in of if s.subject.group == group] for of in (means, levels)
            )
            yield from _levels_told(of_means, of_levels, field, contract)


def _levels_told(
    means: Sequence[Statement], levels: Sequence[Statement], field: Field, contract: Contract
) -> Iterator[Finding]:
    """Find hidden levels of a group that its mean and deviation tell beside the shown levels.

    What these tell alone, as that few can be far from the mean, is told without any level; but
    if it is the number of a few, the mean must go.
    """
    hidden = [s for s in levels if s.count is None]
    known = [_alone(s) for s in means if s.count is not None]
    if not hidden or not known:
        return
    most = (field.maximum - field.minimum) * contract.parts(field)
    values = np.unique(np.linspace(0, most, min(most, _VALUES) + 1).round()) / contract.parts(field)
    shown = [_alone(s) for s in levels if s.count is not None]
    bare, marks = (
        Marks(Profiles(contract, []), of, values, classes_of(levels, field), field)
        for of in (known, [*known, *shown])
    )
    if not marks.fits():
        return  # scores between those tried would
    for s in hidden:
        level = _alone(s).subject
        alone = bare.width(level, 2 * contract.disclosure.within + 1)
        if alone == 0 and 0 < bare.any(level) < contract.disclosure.minimum_count:
            yield from (
                Finding(m.table, m.row, "a mean that tells a level", m.subject) for m in means
            )
        elif marks.width(level, int(alone)) < alone:
            yield Finding(s.table, s.row, "levels that fit to the mean", s.subject)


def _bare(marks: Marks, subject: Subject, means: Mapping[Group, Statement], enough: int) -> float:
    """Return how wide the range of a class is if nothing but the mean of its group is known."""
    if subject.group not in means:
        return enough
    known = [_alone(means[subject.group])]
    bare = Marks(marks.profiles.none(), known, marks.values, marks.classes, marks.field)
    return bare.width(replace(subject, group=()), enough) if bare.fits() else enough


def _alone(statement: Statement) -> Statement:
    """Return what is said of a group as if it were everybody: its levels are attacked alone."""
    return replace(statement, subject=replace(statement.subject, group=()))


def _kinds(field: Field, contract: Contract) -> set[str]:
    """Return the kinds of classes that are told by this score alone."""
    limits = [s.name for s in contract.scores if s.at_risk_below is not None]
    return {field.name, field.name + WITHIN, *([AT_RISK] if limits == [field.name] else [])}


def _dimensions(statement: Statement) -> frozenset[str]:
    return frozenset(dimension for dimension, _ in statement.subject.group)


@lru_cache(maxsize=100)  # most of what is shown stays when more of the rest is hidden
def _attacked(
    means: tuple[Statement, ...], classes: tuple[Statement, ...], field: Field, contract: Contract
) -> tuple[Finding, ...]:
    every = [*means, *classes]
    shown = {s.subject: s for s in every if s.count is not None}
    hidden = list(dict.fromkeys(s.subject for s in every if s.subject not in shown))
    if not hidden or not shown:
        return ()
    found: set[tuple[Subject, str]] = set()
    for values in _grids(list(shown.values()), classes, field, contract):
        profiles = Profiles(contract, [s.subject for s in every])
        if len(values) * profiles.size > _MOST and found:
            break  # what could not be shown to be safe counts as found
        marks = Marks(profiles, list(shown.values()), values, classes_of(classes, field), field)
        if marks.fits():
            of_group = {s.subject.group: s for s in means if s.count is not None}
            found = set(_unsafe(marks, hidden, of_group, contract))
            if not found:
                return ()
    if not found:
        raise contradiction()
    return tuple(
        Finding(s.table, s.row, attack, subject)
        for subject, attack in sorted(found, key=str)
        for s in every
        if s.subject == subject
    )


def _grids(
    known: list[Statement], classes: Sequence[Statement], field: Field, contract: Contract
) -> Iterator[np.ndarray]:
    """Yield scores to try, in steps above the lowest: few, those beside each mean, too; all."""
    parts = contract.parts(field)
    most = (field.maximum - field.minimum) * parts
    ends = [e * parts for c in classes_of(classes, field).values() for e in (c.low, c.high)]
    starts = [e for end in ends for e in (end, end - 1) if 0 <= e <= most]
    coarse = np.unique([*np.linspace(0, most, _COARSE + 1).round(), *starts])
    yield coarse / parts
    means = np.array([s.mean for s in known if s.mean is not None], float)
    at = (means / field.step - field.minimum) * parts
    yield np.unique([*coarse, *np.floor(at + _GAIN), *np.ceil(at - _GAIN)]) / parts
    yield np.arange(most + 1) / parts


def _unsafe(
    marks: Marks, hidden: list[Subject], means: Mapping[Group, Statement], contract: Contract
) -> Iterator[tuple[Subject, str]]:
    """Yield what cannot be shown to be safe, and what gives it away.

    What the mean and deviation of a group tell of its classes alone, as that few can be far from
    the mean, is told without any class.
    """
    enough = 2 * contract.disclosure.within + 1
    for subject in hidden:
        width = marks.width(subject, enough)
        if width < enough and not (subject.kind and width >= _bare(marks, subject, means, enough)):
            yield subject, "scores that fit to the means"
        if not subject.kind:
            for what, part in (("means", 0), ("deviations", 1)):
                if not marks.differs(subject, part):
                    yield subject, f"sums of {what}"
