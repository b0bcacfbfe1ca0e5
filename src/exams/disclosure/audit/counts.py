"""The attack on counts: the least and the greatest number that fits to what is shown."""

from collections.abc import Sequence

import numpy as np

from exams.contract import Contract
from exams.disclosure.audit.finding import Finding, Subject
from exams.disclosure.audit.program import Program, added, times
from exams.disclosure.audit.reading import Statement
from exams.disclosure.audit.world import PARTS, World
from exams.errors import ExamsError


def know(program: Program, world: World, told: Sequence[Statement]) -> None:
    """Note what rows say: counts, shares of the whole, and means with the mean of all."""
    for statement in told:
        total = world.count(statement.subject)
        if statement.count is not None:
            program.know(total, statement.count, statement.count)
        elif statement.share is not None:
            whole = world.count(statement.subject.whole)
            for side in (-1.0, 1.0):
                off = added([total, times(whole, -(statement.share + side * statement.exact))])
                ends = (0.0, np.inf) if side < 0 else (-np.inf, 0.0)
                program.know(off, *ends)
    _know_means(program, world, told)


def _know_means(program: Program, world: World, told: Sequence[Statement]) -> None:
    """Means x counts of the groups of a dimension add up to the mean of all x their count."""
    lists: dict[tuple[str, str, str, str], list[Statement]] = {}
    wholes: dict[tuple[str, str], float] = {}
    for s in told:
        if s.subject.kind or len(s.subject.group) > 1:
            continue
        if not s.subject.group and s.mean is not None:
            wholes[s.table, s.measure] = s.mean
        for dimension, _ in s.subject.group:
            lists.setdefault((s.table, s.measure, s.subject.score, dimension), []).append(s)
    for (table, measure, _, _), groups in lists.items():
        whole = wholes.get((table, measure))
        if whole is None or any(g.mean is None for g in groups):
            continue
        if all(g.count is not None for g in groups):
            continue
        for side in (-1.0, 1.0):
            off = added(
                times(world.count(g.subject), (g.mean or 0.0) - whole + side * 2 * g.exact)
                for g in groups
            )
            program.know(off, *((-np.inf, 0.0) if side < 0 else (0.0, np.inf)))


def hidden_counts(told: Sequence[Statement]) -> list[Subject]:
    """Return the subjects that no row counts openly."""
    seen = {s.subject for s in told if s.count is not None}
    return list(dict.fromkeys(s.subject for s in told if s.subject not in seen))


def narrow(
    program: Program,
    world: World,
    told: Sequence[Statement],
    hidden: list[Subject],
    contract: Contract,
    widths: list[float],
    attack: str,
) -> list[Finding]:
    """Return the rows of `told` whose hidden count has too narrow a range."""
    if not program.possible():
        raise contradiction()
    found: list[Finding] = []
    enough = 2 * contract.disclosure.within + 1
    for subject in hidden:
        sums = [world.count(subject)]
        if subject.kind in PARTS and subject.whole in hidden:
            sums.append(added([world.count(subject.whole), times(sums[0], -1)]))
        for total in sums:
            widths.append(program.width(total, enough))
            if widths[-1] < enough:
                rows = [s for s in told if s.subject == subject]
                found += [Finding(s.table, s.row, attack, subject) for s in rows]
    return found


def contradiction() -> ExamsError:
    """Return the error that nothing fits to all that is shown."""
    what = "The published tables contradict each other."
    return ExamsError("E323", what, "Nothing was published; build the stage model again.")
