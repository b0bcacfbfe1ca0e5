"""The attack on a quarter that was published again: what its versions tell of each other."""

from math import ceil

import numpy as np

from exams.contract import Contract
from exams.disclosure.audit.counts import hidden_counts, know, narrow
from exams.disclosure.audit.finding import Earlier, Finding, Subject
from exams.disclosure.audit.linking import linked
from exams.disclosure.audit.program import Program, added
from exams.disclosure.audit.reading import Statement, statements
from exams.disclosure.audit.world import World

_ATTACK = "comparing versions"
_CLOSE = 1e-6
_EVERYBODY = Subject()


def versions_told(earlier: Earlier, now: list[Statement], contract: Contract) -> list[Finding]:
    """Return what an earlier version and the tables `now` give away together.

    The students of both are in one world; those who have left are besides in the former version,
    those who came in the present one. Students whose records were corrected have left and come.
    Where it is not known how many these are, they are taken to be as few as can be.
    """
    past = statements(earlier.tables, contract)
    # whom a rule would flag may have changed for all students
    past, now = ([s for s in told if s.subject.kind != "outcome"] for told in (past, now))
    found: list[Finding] = []
    for part in linked([*past, *now], contract):
        chosen = {id(statement) for statement in part}
        first, second = ([s for s in told if id(s) in chosen] for told in (past, now))
        program, gone, come = _worlds(first, second, contract)
        if not _limited(program, gone, come, earlier):
            program, gone, come = _worlds(first, second, contract)
            if not _limited(program, gone, come, Earlier({})):
                continue  # each contradicts the other, whatever has changed
        for told, world in ((first, gone), (second, come)):
            hidden = hidden_counts(told)
            rows = narrow(program, world, told, hidden, contract, [], _ATTACK)
            found += rows if told is second else [_former(f) for f in rows]
    return found


def _worlds(
    first: list[Statement], second: list[Statement], contract: Contract
) -> tuple[Program, World, World]:
    """Return what is known of two versions, and the worlds that each of them counts."""
    program = Program()
    every = [*first, *second]
    stayed = World(program, contract, every)
    gone, come = (World(program, contract, every, stayed) for _ in range(2))
    for world in (stayed, gone, come):
        world.link()
    know(program, gone, first)
    know(program, come, second)
    return program, gone, come


def _limited(program: Program, gone: World, come: World, earlier: Earlier) -> bool:
    """Note by how many students the versions differ at most; say whether that fits to them."""
    went, came = gone.own(_EVERYBODY), come.own(_EVERYBODY)
    if earlier.came is not None and earlier.went is not None:
        program.know(went, 0, earlier.went)
        program.know(came, 0, earlier.came)
        return program.possible()
    both = added([went, came])
    least = program.least(both)
    if least is None:
        return False
    program.know(both, -np.inf, ceil(least - _CLOSE))
    return program.possible()


def _former(finding: Finding) -> Finding:
    return Finding(finding.table, None, finding.attack, finding.subject)
