"""How things stand, as the dashboard may tell it to anyone: by the clock, not only by files."""

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import Any

from exams import codes, published
from exams.errors import ExamsError
from exams.places import Places
from exams.quarters import Timing, shift
from exams.situation import due_by, standing
from exams.ticks import read_ticks

_MACHINE = ("host", "pid")  # no viewer's business
_SCHEDULE = ("state", "mode", "expression", "time_zone", "last_tick", "next_tick", "error")
_TROUBLE = ("quarter", "kind", "stage", "code", "what", "since")
_QUARTER = ("quarter", "state", "late", "due_by", "failures", "retry")
_AHEAD = 4  # quarters of which a page without a kernel must know when they are due


def news(places: Places, timing: Timing, seen: str | None = None) -> dict[str, Any] | None:
    """Return how things stand; None if that is what was seen (its stamp), or cannot be read now."""
    try:
        found = now(places, timing)
    except ExamsError:  # the status is being written
        return None
    return None if found["stamp"] == seen else found


def now(places: Places, timing: Timing) -> dict[str, Any]:
    """Return how things stand, from published.db, status.db and schedule.json alone.

    Keys: as_of, runs (the latest of each quarter and stage), quarters (state, late, due_by, and
    files: have some come? null if nobody has told), coming (quarters nobody knows of yet, as they
    will be once they are due), time_zone (in which a day ends), trouble, schedule, codes (by code
    of the trouble, what docs/error-codes.md says of it), stamp (changes with all of it but as_of).
    """
    ticks = read_ticks(places)
    delivered = ticks.delivered if ticks and not ticks.ended else None
    found = standing(places, timing, delivered)
    schedule = found["schedule"]
    told = {
        "runs": [
            {"quarter": entry["quarter"], "stage": stage, **_without(run, _MACHINE)}
            for entry in found["quarters"]
            for stage, run in entry["stages"].items()
        ],
        "quarters": [
            _only(entry, _QUARTER)
            | {"files": None if delivered is None else entry["quarter"] in delivered}
            for entry in found["quarters"]
        ],
        "coming": _coming(places, timing, {entry["quarter"] for entry in found["quarters"]}),
        "time_zone": timing.time_zone,
        "trouble": [_only(wrong, _TROUBLE) for wrong in found["trouble"]],
        "schedule": _only(schedule, _SCHEDULE) if schedule else None,
        "codes": _explained(wrong["code"] for wrong in found["trouble"]),
    }
    stamp = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return {"as_of": found["as_of"], "stamp": stamp, **told}


def _coming(places: Places, timing: Timing, known: Collection[str]) -> list[dict[str, Any]]:
    """Return the quarters after the newest published one that are not `known`."""
    try:
        newest = max(published.published_quarters(places.published), default=None)
    except ExamsError:
        return []
    following = [shift(newest, by) for by in range(1, _AHEAD + 1)] if newest else []
    none = {"state": "pending", "late": False, "failures": 0, "retry": None, "files": None}
    return [
        {"quarter": quarter, "due_by": due_by(quarter, timing).isoformat()} | none
        for quarter in following
        if quarter not in known
    ]


def _explained(found: Iterable[str | None]) -> dict[str, list[dict[str, str]]]:
    named = sorted({code for code in found if code})
    return {code: [said._asdict() for said in codes.told(code)] for code in named}


def _only(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _without(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
