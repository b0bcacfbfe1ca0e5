"""Ploomber's hooks: a stage is done when its report is exported and its products are sealed."""

import sys
from pathlib import Path
from typing import Any

from exams import lineage, status
from exams.errors import ExamsError
from exams.orchestrate.failures import verdict
from exams.orchestrate.origin import origin
from exams.orchestrate.products import receipt, seal
from exams.orchestrate.showing import show
from exams.places import Places
from exams.progress import say


def done(task: Any, params: Any) -> None:
    """Seal the products of a stage and note what it was made by.

    It is recorded as done when Ploomber has noted it, too: by the executor, which `ploomber task`
    does without.
    """
    places, quarter = Places.of(params["data"], params["reports"]), params["quarter"]
    found = receipt(places, quarter, task.name)
    if found is None:
        raise ExamsError(
            "E401", f"{task.name} wrote no receipt.", "Its last cell must call write_receipt."
        )
    seal(places, quarter, task.name)
    run = _run(places, quarter, task.name) | {"ended": status.now(), **counted(found)}
    made_by = origin(Path.cwd(), places, quarter, task.name, params["code"])
    lineage.record(places, quarter, run | {"stage": task.name}, made_by)
    if not task.dag.executor.building:
        status.end(places.status, quarter, task.name, "done", **counted(found))
        show(places, task.dag.executor.timing, quarter)


def failed(task: Any, params: Any) -> None:
    """Record a failure, unless the engine has; end `ploomber task`, which would print pages."""
    places, quarter = Places.of(params["data"], params["reports"]), params["quarter"]
    reason = "Its report could not be made."
    status.end(places.status, quarter, task.name, "failed", reason=reason)
    if not task.dag.executor.building:
        unknown: dict[str, Any] = {"state": "failed", "reason_code": None, "reason": reason}
        run = _run(places, quarter, task.name) or unknown
        if run["state"] == "done":  # Ploomber takes running it all the same for a failure
            say(f"{quarter}  {task.name} is up to date; --force runs it again.")
            sys.exit(0)
        show(places, task.dag.executor.timing, quarter)
        lines = verdict(places, quarter, task.name, run["reason_code"], run["reason"])
        say("\n".join(lines), "stderr")
        sys.exit(1)


def _run(places: Places, quarter: str, stage: str) -> dict[str, Any]:
    """Return the latest run of a stage that the status knows; empty if it knows none."""
    runs = status.known(places.status)
    return next((r for r in runs if (r["quarter"], r["stage"]) == (quarter, stage)), {})


def quiet(report: Any) -> None:
    """Empty Ploomber's report, so that `ploomber build` prints no table."""
    report.values.clear()


def counted(found: dict[str, Any]) -> dict[str, Any]:
    """Return what the status keeps of a receipt."""
    return {
        "rows_in": found.get("rows_in"),
        "rows_out": found.get("rows_out"),
        "fingerprint": found.get("content"),
    }
