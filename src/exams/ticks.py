"""schedule.json: when the schedule ticked and will tick, and which quarters keep failing."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from exams.files import write_atomic
from exams.places import Places

BEAT = 30  # seconds between two signs of life of a running schedule
LEASE = timedelta(minutes=3)  # one that is silent for longer has died
_INNER = ("failing", "delivered")  # told by quarter


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
    their folder could not be looked into.
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


def read_ticks(places: Places) -> Ticks | None:
    """Return what the last schedule wrote; None if there is none, or it cannot be read."""
    try:
        found = json.loads(places.schedule.read_text(encoding="utf-8"))
        failing = {quarter: Failing(**entry) for quarter, entry in found.pop("failing").items()}
        return Ticks(**found, failing=failing)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_ticks(places: Places, ticks: Ticks) -> None:
    """Write it down, atomically."""
    write_atomic(places.schedule, json.dumps(asdict(ticks), indent=1))


def described(ticks: Ticks | None, now: datetime) -> dict[str, Any] | None:
    """Return a schedule with its state: running, ended, or dead (no sign of life)."""
    if ticks is None:
        return None
    silent = abs(now - datetime.fromisoformat(ticks.heartbeat))  # the clock may have been set back
    state = "ended" if ticks.ended else "dead" if silent > LEASE else "running"
    shown = {name: value for name, value in asdict(ticks).items() if name not in _INNER}
    return {"state": state, **shown, "next_tick": ticks.next_tick if state == "running" else None}
