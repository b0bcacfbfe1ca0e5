"""Says which stages a build would run, and why, without changing anything.

It compares what Ploomber compares, and looks for harm, as healing does.
"""

import json
import warnings
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path
from typing import Any

from exams import project
from exams.errors import ExamsError
from exams.orchestrate import pipeline
from exams.orchestrate.fingerprint import COMPARING, WORDS
from exams.orchestrate.healing import UNENDED, harm
from exams.orchestrate.products import products, read_note
from exams.orchestrate.withdraw import vanished
from exams.places import STAGES, Places

_EMPTY = "Its folder holds no file any more."


def plan_lines(root: Path, quarters: Iterable[str] = ()) -> list[str]:
    """Return one line per stage that a build would run: of `quarters`, or of every one."""
    places = project.places(root)
    gone = vanished(places)
    lines, idle, loads = list[str](), 0, ""
    for quarter in sorted(set(quarters) or {*places.delivered_quarters(), *gone}):
        found = {"withdraw": _EMPTY} if quarter in gone else due(quarter, root)
        perhaps = {stage: f"Perhaps: {loads} is built before." for stage in COMPARING if loads}
        lines += [f"{quarter}  {s:<9}  {why}" for s, why in _ordered(perhaps | found)]
        idle += not perhaps | found
        loads = quarter if {"load", "withdraw"} & found.keys() else loads
    if idle:
        said = "1 quarter is" if idle == 1 else f"{idle} quarters are"
        lines.append(f"{said} up to date.")
    return lines or ["No quarter has files yet; nothing to do."]


def due(quarter: str, root: Path) -> dict[str, str]:
    """Return the stages of a quarter that a build would run, each with the reason in words.

    Raise E408 if the quarter has no file.
    """
    places = project.places(root)
    if quarter not in places.delivered_quarters():
        raise ExamsError("E408", f"{quarter} has no file.", "Deliver one.")
    found: dict[str, str] = {}
    for task in _tasks(quarter, root, places):
        why = harm(places, quarter, task.name) or _changes(task, places, quarter)
        before = next((s for s in task.upstream if s in found), None)
        if not why and before:
            why = f"{before} runs before it."
        if why:
            found[task.name] = why
    return found


def _tasks(quarter: str, root: Path, places: Places) -> list[Any]:
    """Return Ploomber's tasks of a quarter."""
    with chdir(root), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dag = pipeline.load(root, quarter, places, building=False)
        # By force: otherwise it reads its notes, which may be broken, to say what is due.
        return list(dag.render(force=True, show_progress=False).values())


def _changes(task: Any, places: Places, quarter: str) -> str:
    """Return what has changed since a stage ran, beside the stages before it."""
    notes = read_note(products(places, quarter, task.name)[0])
    if notes is None:  # a build has begun in this moment
        return UNENDED
    former = notes.get("params") or {}
    if notes["stored_source_code"] != str(task.source):
        return f"notebooks/{task.name}.ipynb has changed."
    now = json.loads(json.dumps(task.params.to_json_serializable(params_only=True)))
    words = []
    for name in sorted(now.keys() | former.keys()):
        before, after = former.get(name), now.get(name)
        if name == "inputs" and isinstance(before, dict):
            words += [WORDS[part] for part in after if before.get(part) != after[part]]
        elif before != after:
            words.append(WORDS.get(name, f"the setting {name}"))
    if not words:
        return ""
    said = " and ".join(words)
    return f"{said[0].upper()}{said[1:]} {'has' if len(words) == 1 else 'have'} changed."


def _ordered(found: dict[str, str]) -> list[tuple[str, str]]:
    order = ["withdraw", *STAGES]
    return sorted(found.items(), key=lambda item: order.index(item[0]))
