"""Which statements tell of each other, so that they are attacked together."""

from collections.abc import Iterator

from exams.contract import Contract
from exams.disclosure.audit.finding import Group
from exams.disclosure.audit.reading import Statement
from exams.disclosure.audit.world import PARTS


def linked(told: list[Statement], contract: Contract) -> Iterator[list[Statement]]:
    """Yield the statements part by part, as dimensions are linked.

    First by crossings: all but the counts of classes (score levels, outcomes) by group. These
    are attacked dimension by dimension, with all that is told of its groups; and those of two
    dimensions together where nearly all students of a group of one are in a group of the other.
    """
    crossed = [s for s in told if not of_classes(s)]
    yield from _parts(crossed, [_dimensions(s) for s in crossed])
    sizes = {s.subject.group: s.count for s in told if not s.subject.kind and s.count is not None}
    few = 2 * contract.disclosure.within
    near = [_dimensions(s) for s in crossed if _nearly_whole(s, sizes, few)]
    classes = [_dimensions(s) for s in told if of_classes(s)]
    if classes:
        yield from _parts(told, [*classes, *near], whole=False)


def _parts(
    told: list[Statement], links: list[set[str]], *, whole: bool = True
) -> Iterator[list[Statement]]:
    """Yield the statements within each set of dimensions that `links` join."""
    parts: list[set[str]] = []
    for joined in filter(None, links):
        touched = [part for part in parts if part & joined]
        parts = [part for part in parts if not part & joined] + [joined.union(*touched)]
    for part in parts or ([set()] if whole else []):
        yield [s for s in told if part >= _dimensions(s)]


def _dimensions(statement: Statement) -> set[str]:
    return {dimension for dimension, _ in statement.subject.group}


def of_classes(statement: Statement) -> bool:
    """Say whether a statement counts a class (a score level, an outcome) of a group."""
    subject = statement.subject
    return bool(subject.kind and subject.group) and subject.kind not in PARTS


def _nearly_whole(statement: Statement, sizes: dict[Group, float], few: int) -> bool:
    """Say whether a crossing has all but a few students of one of its two groups."""
    group = statement.subject.group
    if len(group) != 2 or statement.count is None:
        return False
    wholes = [_size(dimension, levels, sizes) for dimension, levels in group]
    return any(0 <= whole - statement.count <= few for whole in wholes)


def _size(dimension: str, levels: frozenset[str], sizes: dict[Group, float]) -> float:
    """Return the students of a group, or -1 if they are not known."""
    parts = [((dimension, frozenset([level])),) for level in levels]
    return sum(sizes[part] for part in parts) if all(part in sizes for part in parts) else -1.0
