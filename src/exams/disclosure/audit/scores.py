"""The attack on scores: what means and deviations tell of hidden groups, levels and bins.

The unknowns are students by profile and score. A mean times its count is a sum of scores, and
with the deviation a sum of squares: both are linear in the unknowns, so that everything shown is an
equation, as exact as its rounding. A hidden count is safe if its range is wide; a hidden mean or
deviation, if two worlds that fit to all that is shown differ in it by a step of the scale.

Only some scores of the scale are tried at first: what can be shown with them to be safe, is.
"""

from collections.abc import Iterator

import numpy as np

from exams.contract import Contract, Field
from exams.disclosure.audit.counts import contradiction
from exams.disclosure.audit.finding import Finding, Subject
from exams.disclosure.audit.linking import linked
from exams.disclosure.audit.marks import Marks, classes_of
from exams.disclosure.audit.reading import WITHIN, Statement
from exams.disclosure.audit.world import AT_RISK, Profiles

_COARSE = 8  # parts of the scale whose ends are tried first
_GAIN = 1e-6
_MOST = 100_000  # unknowns of a program that tries every score


def scores_told(told: list[Statement], contract: Contract) -> Iterator[Finding]:
    """Find hidden counts, means and deviations that follow from scores and what is shown of them.

    A count: to within `within`; a mean or deviation: to within a step of its scale.
    """
    for field in contract.reported:
        means = [s for s in told if s.measure == field.name and not s.subject.kind]
        classes = [s for s in told if s.subject.kind in _kinds(field, contract)]
        for part in linked(means, contract):
            yield from _attacked(part, [], field, contract)
        for names in dict.fromkeys(_dimensions(s) for s in classes):
            own, beside = ([s for s in of if _dimensions(s) <= names] for of in (means, classes))
            yield from _attacked(own, beside, field, contract)


def _kinds(field: Field, contract: Contract) -> set[str]:
    """Return the kinds of classes that are told by this score alone."""
    limits = [s.name for s in contract.scores if s.at_risk_below is not None]
    return {field.name, field.name + WITHIN, *([AT_RISK] if limits == [field.name] else [])}


def _dimensions(statement: Statement) -> frozenset[str]:
    return frozenset(dimension for dimension, _ in statement.subject.group)


def _attacked(
    means: list[Statement], classes: list[Statement], field: Field, contract: Contract
) -> Iterator[Finding]:
    every = [*means, *classes]
    shown = {s.subject: s for s in every if s.count is not None}
    hidden = list(dict.fromkeys(s.subject for s in every if s.subject not in shown))
    if not hidden or not shown:
        return
    found: set[tuple[Subject, str]] = set()
    for values in _grids(list(shown.values()), classes, field, contract):
        profiles = Profiles(contract, [s.subject for s in every])
        if len(values) * profiles.size > _MOST and found:
            break  # what could not be shown to be safe counts as found
        marks = Marks(profiles, list(shown.values()), values, classes_of(classes, field), field)
        if marks.fits():
            found = set(_unsafe(marks, hidden, field, contract))
            if not found:
                return
    if not found:
        raise contradiction()
    for subject, attack in sorted(found, key=str):
        yield from (Finding(s.table, s.row, attack, subject) for s in every if s.subject == subject)


def _grids(
    known: list[Statement], classes: list[Statement], field: Field, contract: Contract
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
    marks: Marks, hidden: list[Subject], field: Field, contract: Contract
) -> Iterator[tuple[Subject, str]]:
    """Yield what cannot be shown to be safe, and what gives it away."""
    for subject in hidden:
        if not marks.is_wide(subject, 2 * contract.disclosure.within + 1):
            yield subject, "scores that fit to the means"
        if not subject.kind:
            for what, part in (("means", 0), ("deviations", 1)):
                if not marks.differs(subject, part):
                    yield subject, f"sums of {what}"
