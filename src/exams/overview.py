"""What `exams status` says: how far each quarter is, and where its records are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from exams.places import STAGES, Places
from exams.quarters import check_quarter
from exams.status import WITHDRAWN, stage_status
from exams.warehouse.history import Delivered, read_deliveries, read_left_out
from exams.warehouse.store import loaded


def overview(places: Places, quarter: str | None = None, *, history: bool = False) -> list[str]:
    """Return the stages of all quarters, then the files of `quarter` (else the newest loaded).

    With `history`, every delivery ever follows: of `quarter`, or of all quarters.
    """
    lines = stage_lines(stage_status(places.status))
    shown = check_quarter(quarter) if quarter else max(loaded(places.warehouse), default=None)
    if not places.warehouse.is_file():
        return lines
    if shown:
        current = [d for d in read_deliveries(places.warehouse, shown) if not d.removed]
        lines += ["", *(file_lines(current) or [f"Nothing of {shown} is loaded."])]
        lines += left_out_lines(read_left_out(places.warehouse, shown))
    if history:
        lines += ["", *history_lines(read_deliveries(places.warehouse, quarter))]
    return lines


def stage_lines(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a table, one line per quarter with the state of each stage, then the reasons."""
    runs = list(runs)
    if not runs:
        return ["Nothing has run yet. `make run` starts."]
    states = {(run["quarter"], run["stage"]): _state(run) for run in runs}
    lines = [["quarter", *STAGES]]
    for quarter in sorted({quarter for quarter, _ in states}):
        lines.append([quarter, *(states.get((quarter, stage), "pending") for stage in STAGES)])
    table = ["".join(f"{word:<12}" for word in line).rstrip() for line in lines]
    reasons = [
        f"{run['quarter']} {run['stage']}: {run['reason_code']} {run['reason'] or ''}".rstrip()
        for run in runs
        if run["reason_code"]
    ]
    return table + reasons


def _state(run: Mapping[str, Any]) -> str:
    return "withdrawn" if run["reason"] == WITHDRAWN else run["state"]


def file_lines(deliveries: Sequence[Delivered]) -> list[str]:
    """Return one line per file: the records received, and where they are now."""
    width = max((len(d.file) for d in deliveries), default=0)
    return [f"{d.file:<{width}}  {_fate(d)}" for d in deliveries]


def left_out_lines(left_out: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return one line per file that was not read: file, error code (none: a repeat), why."""
    refused = sum(bool(code) for _, code, _ in left_out)
    lines = [f"{file}  left out: {f'{code} {why}'.strip()}" for file, code, why in left_out]
    files = "1 file was" if refused == 1 else f"{refused} files were"
    return [*lines, *([f"The quarter is incomplete: {files} refused."] if refused else [])]


def _fate(d: Delivered) -> str:
    resolved = f" + {d.resolved:,} resolved" if d.resolved else ""
    return (
        f"{d.received:,} received = {d.loaded:,} loaded + {d.quarantined:,} quarantined{resolved}"
    )


def history_lines(deliveries: Sequence[Delivered]) -> list[str]:
    """Return one line per delivery ever: file, start of its SHA-256, when it came and went."""
    width = max((len(d.file) for d in deliveries), default=0)
    return [
        f"{d.quarter}  {d.file:<{width}}  {d.sha256[:12]}  {_fate(d)};"
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
