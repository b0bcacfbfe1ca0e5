"""Builds quarters from Python: one, or every one that is due."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from exams import project
from exams.orchestrate.healing import clear_away
from exams.orchestrate.withdraw import vanished
from exams.orchestrate.workers import Outcome, run_turns
from exams.places import STAGES, Places
from exams.progress import Overall, say

# Ploomber takes a second to import: where worker processes run the turns, they alone do so.

_INTAKE = STAGES[:3]  # extract, transform, load: they know nothing of other quarters
_COSTS = dict(zip(STAGES, (1, 1, 1, 2, 1, 2), strict=True))  # for the bar; model, visualize draw


def build_quarter(quarter: str, root: Path = Path(), until: str = STAGES[-1]) -> bool:
    """Build one quarter of the project at `root`; say whether it went well.

    `until` is the last stage to run. What happens is printed.
    """
    from exams.orchestrate.turns import run_turn  # noqa: PLC0415

    root = project.find_root(root)
    return run_turn(quarter, root, _up_to(until), announces=True).end != "failed"


def build_due(root: Path = Path(), quarters: Iterable[str] = (), until: str = STAGES[-1]) -> int:
    """Build every quarter that is due, or those of `quarters` that are, `until` a stage.

    One that fails does not stop the others. Return the exit code: 0, or 1 if one failed.
    """
    root = project.find_root(root)
    ends = build_each(root, quarters or due_quarters(project.places(root)), _up_to(until))
    return 1 if "failed" in ends.values() else 0


def _up_to(until: str) -> tuple[str, ...]:
    return STAGES[: STAGES.index(until) + 1]


def due_quarters(places: Places) -> list[str]:
    """Return the quarters to look at, oldest first: those that have files or have lost the last.

    The latter are withdrawn.
    """
    return sorted({*places.delivered_quarters(), *vanished(places)})


def build_each(
    root: Path, quarters: Iterable[str], stages: Sequence[str] = STAGES
) -> dict[str, str]:
    """Build those of `quarters` that are due, as far as `stages`; return what became of each.

    It is built, idle (it was up to date), failed, or waits for a stage before `stages` to be run
    by others. Several are taken in two turns, each oldest first and on all cores: all of them are
    loaded before the first is compared with others.
    """
    chosen = sorted(set(quarters))
    if not chosen:
        say("No quarter has files yet; nothing to do.")
    build = _build_several if len(chosen) > 1 else _build_alone
    ends = build(root, chosen, stages)
    if idle := [*ends.values()].count("idle"):
        up_to_date = "1 quarter is up to date" if idle == 1 else f"{idle} quarters are up to date"
        as_far = "" if stages[-1] == STAGES[-1] else f" as far as {stages[-1]}"
        say(f"{up_to_date}{as_far}{'; nothing to do' if idle == len(ends) else ''}.")
    return ends


def _build_alone(root: Path, quarters: list[str], stages: Sequence[str]) -> dict[str, str]:
    from exams.orchestrate.turns import run_turn  # noqa: PLC0415

    return {quarter: run_turn(quarter, root, stages).end for quarter in quarters}


def _build_several(root: Path, quarters: list[str], stages: Sequence[str]) -> dict[str, str]:
    clear_away(project.places(root))  # here, lest two processes do it at once
    overall = Overall(quarters, {stage: _COSTS[stage] for stage in stages})
    intake = [stage for stage in _INTAKE if stage in stages]
    try:
        first = run_turns(dict.fromkeys(quarters, intake), root, overall) if intake else {}
        again = to_compare(first) if intake else quarters
        again = again if len(stages) > len(intake) else []
        second = run_turns(dict.fromkeys(again, stages), root, overall)
    finally:
        overall.close()
    return {quarter: _end(first.get(quarter), second.get(quarter)) for quarter in quarters}


def to_compare(intake: Mapping[str, Outcome]) -> list[str]:
    """Return the quarters that need a second turn after this first one, oldest first.

    Their own later stages are due, or may be: an earlier quarter has changed.
    """
    changed, found = False, []
    for quarter, outcome in sorted(intake.items()):
        changed = changed or outcome.end == "built"
        if outcome.end != "failed" and not outcome.withdrawn and (outcome.left or changed):
            found.append(quarter)
    return found


def _end(*turns: Outcome | None) -> str:
    ends = {turn.end for turn in turns if turn}
    return next(end for end in ("failed", "built", "waits", "idle") if end in ends)
