"""schedule.json: when the schedule ticked and will tick, and which quarters keep failing.

Where several schedules share the stages, each has a file of its own, named by its first stage.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from exams.files import write_atomic
from exams.places import STAGES, Places

BEAT = 30  # seconds between two signs of life of a running schedule
LEASE = timedelta(minutes=3)  # one that is silent for longer has died
_INNER = ("failing", "delivered", "stages")  # the first two are told by quarter


@dataclass(frozen=True)
class Failing:
    """A quarter that failed `times` in a row: it is left alone until `retry` (ISO 8601, UTC).

    `inputs` is the fingerprint of its files and contract: once that changes, it is due at once.
    `since` is when it failed last.
    """

    times: int
    retry: str
    inputs: str
    since: str = ""


@dataclass(frozen=True)
class Ticks:
    """What a schedule has done and will do; times in ISO 8601, UTC.

    `ended` is None while it runs, and if it died. `begun` is when the first schedule of this data
    folder was started, `last_tick` the begin of the last tick that came to its end, `error` why
    that did not. `delivered` are the quarters that had files at the last sign of life; None if
    their folder could not be looked into. `stages` are those that it runs.
    """

    mode: str
    expression: str
    time_zone: str
    host: str
    pid: int
    heartbeat: str
    last_tick: str | None = None
    next_tick: str | None = None
    ended: str | None = None
    error: str | None = None
    failing: dict[str, Failing] = field(default_factory=dict)
    begun: str | None = None
    delivered: list[str] | None = None
    stages: Sequence[str] = STAGES


def noted(places: Places, stages: Sequence[str] = STAGES) -> Path:
    """Return the file of the schedule that runs `stages`."""
    whole = tuple(stages) == STAGES
    return places.schedule if whole else places.schedule.with_name(f"schedule-{stages[0]}.json")


def read_ticks(places: Places) -> Ticks | None:
    """Return what the last schedule wrote, or the last ones that share the stages, as one.

    None if there is none, or it cannot be read.
    """
    files = places.schedule.parent.glob("schedule*.json")
    return together(filter(None, map(read_noted, files)))


def read_noted(file: Path) -> Ticks | None:
    """Return what one schedule wrote; None if it wrote nothing, or that cannot be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        failing = {quarter: Failing(**entry) for quarter, entry in found.pop("failing").items()}
        return Ticks(**found, failing=failing)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def together(schedules: Iterable[Ticks]) -> Ticks | None:
    """Return schedules that share the stages as one: of those at work, the most silent one.

    One whose stages others have run since is of the past. None if there is none.
    """
    kept: list[Ticks] = []
    for ticks in sorted(schedules, key=lambda ticks: ticks.heartbeat, reverse=True):
        if not {stage for newer in kept for stage in newer.stages} >= {*ticks.stages}:
            kept.append(ticks)
    if len(kept) < 2:
        return kept[0] if kept else None
    at_work = [ticks for ticks in kept if not ticks.ended]
    failing: dict[str, Failing] = {}
    for ticks in kept:
        failing |= {q: f for q, f in ticks.failing.items() if f.since > _since(failing, q)}
    return replace(
        at_work[-1] if at_work else kept[0],
        last_tick=max(filter(None, (ticks.last_tick for ticks in kept)), default=None),
        next_tick=min(filter(None, (ticks.next_tick for ticks in at_work)), default=None),
        error=next((ticks.error for ticks in kept if ticks.error), None),
        begun=min(filter(None, (ticks.begun for ticks in kept)), default=None),
        delivered=next((t.delivered for t in at_work if t.delivered is not None), None),
        failing=failing,
        stages=tuple(stage for stage in STAGES if any(stage in ticks.stages for ticks in kept)),
    )


def _since(failing: dict[str, Failing], quarter: str) -> str:
    return failing[quarter].since if quarter in failing else ""


def write_ticks(places: Places, ticks: Ticks) -> None:
    """Write it down, atomically."""
    write_atomic(noted(places, ticks.stages), json.dumps(asdict(ticks), indent=1))


def described(ticks: Ticks | None, now: datetime) -> dict[str, Any] | None:
    """Return a schedule with its state: running, ended, or dead (no sign of life)."""
    if ticks is None:
        return None
    silent = abs(now - datetime.fromisoformat(ticks.heartbeat))  # the clock may have been set back
    state = "ended" if ticks.ended else "dead" if silent > LEASE else "running"
    shown = {name: value for name, value in asdict(ticks).items() if name not in _INNER}
    return {"state": state, **shown, "next_tick": ticks.next_tick if state == "running" else None}
