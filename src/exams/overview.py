"""What `exams status` says: how things stand, and where the records of a quarter are."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from exams.errors import ExamsError
from exams.places import STAGES, Places
from exams.quarters import Timing, check_quarter
from exams.situation import situation
from exams.warehouse.history import Delivered, read_current, read_deliveries, read_left_out
from exams.warehouse.store import AWAY, exists, is_busy, loaded

_NAME = 48  # characters of a file's name that are shown
_COLUMN = 12


def overview(
    places: Places, timing: Timing, quarter: str | None = None, *, history: bool = False
) -> tuple[list[str], bool]:
    """Return how things stand, and the files of `quarter` (else the newest loaded); is all right?

    With `history`, every delivery ever follows: of `quarter`, or of all quarters.
    """
    found = situation(places, timing)
    lines = [*standing_lines(found, timing), *record_lines(places, quarter, history=history)]
    return lines, found["ok"]


def standing_lines(found: Mapping[str, Any], timing: Timing) -> list[str]:
    """Return a table of quarters and stages, what is wrong, and when the schedule goes on."""
    return [
        *grid_lines(found),
        *running_lines(found),
        *trouble_lines(found, timing),
        schedule_line(found, timing),
    ]


def grid_lines(found: Mapping[str, Any]) -> list[str]:
    """Return a table, one line per quarter with the state of each stage."""
    if not found["quarters"]:
        return ["Nothing has run yet. `make run` starts."]
    lines = [["quarter", *STAGES]]
    for entry in found["quarters"]:
        if entry["state"] == "withdrawn":
            states = ["withdrawn"] * len(STAGES)
        else:
            states = [entry["stages"].get(s, {}).get("state", "pending") for s in STAGES]
        lines.append([entry["quarter"], *states])
    return ["".join(f"{word:<{_COLUMN}}" for word in line).rstrip() for line in lines]


def running_lines(found: Mapping[str, Any]) -> list[str]:
    """Return one line for each stage at work: which of its cells, and for how long."""
    return [
        f"{entry['quarter']} {stage}: {_reached(run)}{_since(run['started'], found['as_of'])}"
        for entry in found["quarters"]
        for stage, run in entry["stages"].items()
        if run["state"] == "running"
    ]


def _reached(run: Mapping[str, Any]) -> str:
    return f"cell {run['cell']} of {run['cells']}, " if run["cell"] else ""


def _since(start: str, now: str) -> str:
    taken = datetime.fromisoformat(now) - datetime.fromisoformat(start)
    return f"running for {timedelta(seconds=max(0, round(taken.total_seconds())))}"


def trouble_lines(found: Mapping[str, Any], timing: Timing) -> list[str]:
    """Return one line for each thing that is wrong, in words."""
    retries = {entry["quarter"]: entry for entry in found["quarters"]}
    lines = []
    for wrong in found["trouble"]:
        where = " ".join(filter(None, [wrong["quarter"], wrong["stage"]]))
        what = " ".join(filter(None, [wrong["code"], wrong["what"]]))
        since = f" ({_local(wrong['since'], timing)})" if wrong["since"] else ""
        entry = retries.get(wrong["quarter"]) if wrong["kind"] == "failed" else None
        lines.append(f"{where or 'schedule'} {wrong['kind']}: {what}{since}{_retry(entry, timing)}")
    return lines


def _retry(entry: Mapping[str, Any] | None, timing: Timing) -> str:
    if not entry or not entry["failures"]:
        return ""
    times = "once" if entry["failures"] == 1 else f"{entry['failures']} times in a row"
    return f" Failed {times}; tried again {_local(entry['retry'], timing)}."


def schedule_line(found: Mapping[str, Any], timing: Timing) -> str:
    """Return when the next tick is, or that there is none."""
    schedule = found["schedule"]
    if schedule is None or schedule["state"] != "running":
        return "No schedule runs; `exams schedule` starts one."
    last = schedule["last_tick"]
    said = f"; the last one was {_local(last, timing)}" if last else ""
    return f"Next tick: {_local(schedule['next_tick'], timing)} {timing.time_zone}{said}."


def _local(text: str | None, timing: Timing) -> str:
    if text is None:
        return "soon"
    return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(timing.time_zone)):%Y-%m-%d %H:%M}"


def record_lines(places: Places, quarter: str | None, *, history: bool = False) -> list[str]:
    """Return where the records of the files of `quarter` are (else of the newest loaded)."""
    wished = check_quarter(quarter) if quarter else None
    try:
        return _record_lines(places, wished, history=history)
    except ExamsError as error:
        if error.code not in AWAY:
            raise
        return ["", f"{error.code} {error.message} Files are not listed now."]


def _record_lines(places: Places, wished: str | None, *, history: bool) -> list[str]:
    if not exists(places.warehouse):
        return []
    if is_busy(places.warehouse):
        return ["", f"{places.warehouse.name} is being written: its files are not listed now."]
    shown = wished or max(loaded(places.warehouse), default=None)
    lines: list[str] = []
    if shown:
        current = read_current(places.warehouse, shown)
        lines += ["", *(file_lines(current) or [f"Nothing of {shown} is loaded."])]
        lines += left_out_lines(read_left_out(places.warehouse, shown))
    if history:
        lines += ["", *history_lines(read_deliveries(places.warehouse, wished))]
    return lines


def short(name: str) -> str:
    """Return a file's name; a long one without its middle."""
    if len(name) <= _NAME:
        return name
    half = (_NAME - 1) // 2
    return f"{name[: _NAME - 1 - half]}…{name[-half:]}"


def file_lines(deliveries: Sequence[Delivered]) -> list[str]:
    """Return one line per file: the records received, and where they are now."""
    width = max((len(short(d.file)) for d in deliveries), default=0)
    return [f"{short(d.file):<{width}}  {_fate(d)}" for d in deliveries]


def left_out_lines(left_out: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return one line per file that was not read: file, error code (none: a repeat), why."""
    refused = sum(bool(code) for _, code, _ in left_out)
    lines = [f"{short(file)}  left out: {f'{code} {why}'.strip()}" for file, code, why in left_out]
    files = "1 file was" if refused == 1 else f"{refused} files were"
    return [*lines, *([f"The quarter is incomplete: {files} refused."] if refused else [])]


def _fate(d: Delivered) -> str:
    resolved = f" + {d.resolved:,} resolved" if d.resolved else ""
    return (
        f"{d.received:,} received = {d.loaded:,} loaded + {d.quarantined:,} quarantined{resolved}"
    )


def history_lines(deliveries: Sequence[Delivered]) -> list[str]:
    """Return one line per delivery ever: file, start of its SHA-256, when it came and went."""
    width = max((len(short(d.file)) for d in deliveries), default=0)
    return [
        f"{d.quarter}  {short(d.file):<{width}}  {d.sha256[:12]}  {_fate(d)};"
        f" seen {_moment(d.first_seen)}{_end(d)}"
        for d in deliveries
    ]


def _end(delivery: Delivered) -> str:
    if delivery.forgotten:
        return f", forgotten {_moment(delivery.forgotten)} by {delivery.forgotten_by}"
    if not delivery.removed:
        return ""
    by = f" by {delivery.successor[:12]}" if delivery.successor else ""
    return f", {'superseded' if by else 'removed'} {_moment(delivery.removed)}{by}"


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
