"""Waits until another process has done a stage: the status table gates across processes."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exams import project, status
from exams.errors import ExamsError
from exams.orchestrate import fingerprint
from exams.orchestrate.planning import due
from exams.places import STAGES, Places

POLL = 1.0  # seconds between two looks at the status
AGAIN = 30.0  # seconds until the stage is looked at anyhow: the status may be lost or locked
_NOT_NOW = ("E210", "E408")  # the warehouse is being written; the last file has just gone


def wait_for(stage: str, quarter: str, root: Path, seconds: float | None = None) -> None:
    """Return when `stage` of `quarter` is done for the files that lie in its folder now.

    Raise E409 as soon as it has failed for them, E410 if it is not done after `seconds`.
    """
    places, begin = project.places(root), time.monotonic()
    seen: dict[str, dict[str, Any]] | None = None
    looked = begin
    while True:
        runs, now = _runs(places, quarter), time.monotonic()
        state = runs.get(stage, {}).get("state")
        left = POLL if seconds is None else begin + seconds - now
        if runs != seen or now - looked >= AGAIN or left <= 0:  # it takes a while: not each time
            seen, looked = runs, now
            if state not in ("pending", "running") and _is_done(stage, quarter, root, places):
                return
            _check_failure(places, runs, stage, quarter, root)
        if left <= 0:
            raise _late(places, stage, quarter, state)
        time.sleep(min(POLL, left))


def latest_of(places: Places, stage: str, quarters: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the latest run of `stage` for each of `quarters`: empty where there is none."""
    runs = {run["quarter"]: run for run in _all_runs(places) if run["stage"] == stage}
    return {quarter: runs.get(quarter, {}) for quarter in quarters}


def _late(places: Places, stage: str, quarter: str, state: str | None) -> ExamsError:
    if quarter not in places.delivered_quarters():
        what = f"{stage} of {quarter} is not done: no file of it has come."
        return ExamsError("E410", what, "Deliver one and build the quarter.")
    now = f" It is {state}." if state not in (None, "done") else ""
    what = f"{stage} of {quarter} is not done for its present files.{now}"
    return ExamsError("E410", what, "`exams plan` says what it needs. Is a build running?")


def _runs(places: Places, quarter: str) -> dict[str, dict[str, Any]]:
    return {run["stage"]: run for run in _all_runs(places) if run["quarter"] == quarter}


def _all_runs(places: Places) -> list[dict[str, Any]]:
    try:
        return status.latest_runs(places.status)
    except ExamsError:  # it is being written: the next look will tell
        return []


def _is_done(stage: str, quarter: str, root: Path, places: Places) -> bool:
    """Say so of a stage that a build would not run: whatever the status has lost."""
    try:
        return quarter in places.delivered_quarters() and stage not in due(quarter, root)
    except ExamsError as error:
        if error.code in _NOT_NOW:
            return False
        raise


def _check_failure(
    places: Places, runs: dict[str, dict[str, Any]], stage: str, quarter: str, root: Path
) -> None:
    """Raise E409 if a stage on the way failed, and what it and extract read has not changed."""
    way = STAGES[: STAGES.index(stage) + 1]
    failed = next((s for s in way if runs.get(s, {}).get("state") == "failed"), None)
    if failed is None:
        return
    for name in {STAGES[0], failed} & runs.keys():
        now = fingerprint.inputs(name, quarter, str(places.data), str(places.reports))
        code = fingerprint.code(str(root / "notebooks" / f"{name}.ipynb"))
        if (runs[name]["inputs"], runs[name]["code"]) != (json.dumps(now), code):
            return
    run = runs[failed]
    why = " ".join(filter(None, [run["reason_code"], run["reason"]]))
    what = f"{failed} of {quarter} failed: {why}"
    raise ExamsError("E409", what, "Put that right and build the quarter.")
