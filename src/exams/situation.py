"""How things stand: the state of every quarter, what is wrong, and when it goes on.

`exams status` prints it, `exams status --json` gives it to monitoring: docs/operations.md tells
the keys, which stay.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from exams import published
from exams.errors import ExamsError
from exams.moments import moment
from exams.places import STAGES, Places
from exams.quarters import Timing, last_day, shift
from exams.status import WITHDRAWN, stage_status
from exams.ticks import Failing, Ticks, described, read_ticks

WRONG = ("failed", "interrupted")  # states of a stage that call for someone
_UNDONE = "pending"


def situation(places: Places, timing: Timing, now: datetime | None = None) -> dict[str, Any]:
    """Return how things stand `now` (the present, if None), as `standing` does."""
    return standing(places, timing, places.delivered_quarters(), now)


def standing(
    places: Places, timing: Timing, delivered: Sequence[str] | None, now: datetime | None = None
) -> dict[str, Any]:
    """Return how things stand `now` (the present, if None), as JSON can hold it.

    delivered: the quarters that have files; None where that cannot be seen, as on the public side.
    Keys: ok, as_of, quarters (oldest first: quarter, state, late, due_by, refused_files,
    failures, retry, stages), trouble (quarter, kind, stage, code, what, since), last_error (the
    newest failure among the trouble, or None), schedule (None if there never was one).
    """
    now = now or datetime.now(UTC)
    today = now.astimezone(ZoneInfo(timing.time_zone)).date()
    refused, runs, ticks = _refused(places), stage_status(places.status), read_ticks(places)
    known = {*(delivered or ()), *refused, *(run["quarter"] for run in runs)}
    if refused:
        known |= {*_expected(max(refused), timing, today)}
    quarters = [
        _quarter(quarter, [run for run in runs if run["quarter"] == quarter])
        | _lateness(quarter, refused, due_by(quarter, timing), today)
        | _backoff(ticks, quarter)
        for quarter in sorted(known)
    ]
    schedule = described(ticks, now)
    failing = ticks.failing if ticks else {}
    trouble = [wrong for entry in quarters for wrong in _trouble(entry, delivered, failing)]
    if schedule and schedule["state"] == "dead":
        trouble.append(_wrong("", "schedule", _DEAD, since=schedule["heartbeat"]))
    elif schedule and schedule["error"]:
        trouble.append(_wrong("", "schedule", schedule["error"], since=schedule["last_tick"]))
    failures = [wrong for wrong in trouble if wrong["kind"] in WRONG]
    return {
        "ok": not trouble,
        "as_of": moment(now),
        "quarters": quarters,
        "trouble": trouble,
        "last_error": max(failures, key=lambda wrong: wrong["since"] or "", default=None),
        "schedule": schedule,
    }


def _expected(newest: str, timing: Timing, today: date) -> Iterator[str]:
    """Yield the quarters after the newest published one whose time of grace is over."""
    quarter = shift(newest, 1)
    while due_by(quarter, timing) < today:
        yield quarter
        quarter = shift(quarter, 1)


def due_by(quarter: str, timing: Timing) -> date:
    """Return the last day on which a quarter may be published without being late."""
    return last_day(quarter) + timedelta(days=timing.grace_days)


def _refused(places: Places) -> dict[str, int]:
    """Return, per published quarter, how many of its files were refused."""
    try:
        rows = published.read(places.published, "publication")
    except ExamsError:
        return {}
    return {row["quarter"]: row["refused"] or 0 for row in rows}


def _quarter(quarter: str, runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    stages = {run["stage"]: run for run in runs}
    return {
        "quarter": quarter,
        "state": state_of([stages.get(stage) for stage in STAGES]),
        "stages": {
            stage: {name: value for name, value in run.items() if name not in ("quarter", "stage")}
            for stage, run in stages.items()
        },
    }


def _lateness(quarter: str, refused: Mapping[str, int], due: date, today: date) -> dict[str, Any]:
    return {
        "late": due < today and quarter not in refused,
        "due_by": due.isoformat(),
        "refused_files": refused.get(quarter, 0),
    }


def state_of(runs: Sequence[Mapping[str, Any] | None]) -> str:
    """Return the state of a quarter from the latest runs of its stages (None: it never ran).

    It is withdrawn, failed, interrupted, running, pending or done.
    """
    states = [run["state"] if run else _UNDONE for run in runs]
    if all(run and run["reason"] == WITHDRAWN for run in runs):
        return "withdrawn"
    for state in (*WRONG, "running"):
        if state in states:
            return state
    if "skipped" in states:  # its process ended before any stage had begun
        return "interrupted"
    return _UNDONE if _UNDONE in states else "done"


def _backoff(ticks: Ticks | None, quarter: str) -> dict[str, Any]:
    found = ticks.failing.get(quarter) if ticks else None
    return {"failures": found.times if found else 0, "retry": found.retry if found else None}


def _trouble(
    entry: Mapping[str, Any], delivered: Sequence[str] | None, failing: Mapping[str, Failing]
) -> list[dict[str, Any]]:
    """Return what is wrong with a quarter: its stages that failed, and that it is late."""
    quarter = entry["quarter"]
    found = [
        _wrong(quarter, run["state"], run["reason"], stage, run["reason_code"], run["ended"])
        for stage, run in entry["stages"].items()
        if run["state"] in WRONG
    ]
    if entry["state"] == "interrupted" and not found:
        found.append(_wrong(quarter, "interrupted", "Its process ended before it began."))
    since = failing[quarter].since if quarter in failing else ""
    if not found and since > max((r["ended"] or "" for r in entry["stages"].values()), default=""):
        found.append(_wrong(quarter, "failed", _UNBEGUN, since=since))
    if entry["late"] and entry["state"] != "withdrawn":
        why = _why_late(quarter, delivered)
        found.append(_wrong(quarter, "late", f"{why} It was due by {entry['due_by']}."))
    return found


def _why_late(quarter: str, delivered: Sequence[str] | None) -> str:
    if delivered is None:
        return "It is not published."
    come = quarter in delivered
    return "Its files have come, but it is not published." if come else "No file has come."


def _wrong(
    quarter: str,
    kind: str,
    what: str | None,
    stage: str | None = None,
    code: str | None = None,
    since: str | None = None,
) -> dict[str, Any]:
    return {
        "quarter": quarter or None,
        "kind": kind,
        "stage": stage,
        "code": code,
        "what": what,
        "since": since,
    }


_UNBEGUN = "It fails before a stage begins: what the schedule prints tells why."
_DEAD = "The schedule gives no sign of life. Start `exams schedule` again."
