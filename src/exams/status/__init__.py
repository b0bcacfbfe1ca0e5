"""status.db: what happened, run by run. It records; Ploomber decides.

Losing the file loses history, nothing else: the next build writes what is up to date anew. So
a file that cannot be read is set aside, and one that cannot be written stops no build: what is
to be written waits until it can be.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any

from exams.errors import ExamsError
from exams.files import is_damage, move_aside, shown
from exams.places import STAGES
from exams.processes import HOST, birth, is_gone
from exams.progress import say
from exams.status.table import LATEST, SHOWN, read_runs, writing

BEAT = 5  # seconds between two heartbeats of a running stage
LEASE = timedelta(seconds=60)  # a run of another computer that is silent for longer is dead

WITHDRAWN = "Withdrawn: its folder holds no file any more."  # such a quarter's reason
SILENT = "It gives no sign of life."

_WAIT = 5.0  # seconds, if another program is writing; shorter once something waits already
_KEPT = 10_000  # statements that wait at most
# A run that another computer took for dead, wrongly, is open all the same: its clock jumped.
_OPEN = f"(state IN ('pending', 'running') OR reason = '{SILENT}')"
_MINE = f"quarter = ? AND host = ? AND pid = ? AND birth = ? AND {_OPEN}"

Statement = tuple[str, list[Any]]

_waiting: dict[Path, list[Statement]] = {}
_begun: dict[tuple[Path, str, str], dict[str, Any]] = {}  # what runs here, lest the file is lost
_beating: set[tuple[Path, str]] = set()
_one_at_a_time = RLock()


def plan(path: Path, quarter: str, stages: Iterable[str]) -> None:
    """Note that this process is about to run `stages`, one after the other."""
    _write(path, *(_added(quarter, stage, state="pending") for stage in stages))


def start(path: Path, quarter: str, stage: str, **more: Any) -> None:
    """Note that `stage` runs from now on, in this process; `more` may set inputs and code."""
    begun = _begun[path, quarter, stage] = {"state": "running", "started": now(), **more}
    _write(path, *_present(path, quarter, stage), _changed(quarter, stage, **begun))


def reach(path: Path, quarter: str, stage: str, cell: int, cells: int) -> None:
    """Note that `stage` is at work on code cell `cell` of `cells`.

    It is written with the next sign of life, or the end: a cell takes no longer for being told.
    """
    if begun := _begun.get((path, quarter, stage)):
        begun |= {"cell": cell, "cells": cells}


def beat(path: Path, quarter: str) -> None:
    """Give a sign of life for this process's runs of `quarter`, those to come included."""
    state = "CASE WHEN started IS NULL THEN 'pending' ELSE 'running' END"
    change = f"UPDATE stage_run SET heartbeat = ?, ended = NULL, reason = NULL, state = {state}"
    with _one_at_a_time:
        stages = [stage for at, of, stage in _begun if (at, of) == (path, quarter)]
        lost = [found for stage in stages for found in _present(path, quarter, stage)]
        alive = (f"{change} WHERE {_MINE}", [now(), *_mine(quarter)])
        reached = [_changed(quarter, stage, **_reached(path, quarter, stage)) for stage in stages]
        _write(path, *lost, alive, *reached, keep=False)


@contextmanager
def beating(path: Path, quarter: str) -> Iterator[None]:
    """Give a sign of life every BEAT seconds meanwhile, as `beat` does; once, if nested."""
    if (path, quarter) in _beating:
        yield
        return
    over = Event()

    def go_on() -> None:
        while not over.wait(BEAT):
            beat(path, quarter)

    heart = Thread(target=go_on, daemon=True)
    _beating.add((path, quarter))
    heart.start()
    try:
        yield
    finally:
        _beating.discard((path, quarter))
        over.set()
        heart.join()


def end(path: Path, quarter: str, stage: str, state: str, **more: Any) -> None:
    """Close the open run of `stage`; nothing happens if none is open.

    `more` may set rows_in, rows_out, fingerprint, reason_code and reason. A reason never holds
    a student's value: this table may be shown to anyone.
    """
    more = _reached(path, quarter, stage) | {"reason": None, "state": state, "ended": now()} | more
    change = _changed(quarter, stage, **more)
    with _one_at_a_time:
        lost = _present(path, quarter, stage)
        _begun.pop((path, quarter, stage), None)
        _write(path, *lost, change)


def restore(path: Path, quarter: str, stage: str, **more: Any) -> None:
    """Note a stage that is up to date as done, unless that is its latest state.

    `more` tells when it ended, and what `end` may set.
    """
    new, values = _added(quarter, stage, state="done", **more)
    latest = f"SELECT state FROM ({LATEST}) WHERE quarter = ? AND stage = ?"
    _write(path, (f"{new} WHERE coalesce(({latest}), '') <> 'done'", [*values, quarter, stage]))


def reap(path: Path) -> None:
    """Close the open runs of processes that are gone, or silent for too long elsewhere."""
    try:
        runs = read_runs(path, f"SELECT * FROM stage_run WHERE {_OPEN}") if path.is_file() else []
    except sqlite3.Error:  # they are closed when it can be read
        return
    for run in map(_judged, runs):
        change = f"UPDATE stage_run SET state = ?, ended = ?, reason = ? WHERE id = ? AND {_OPEN}"
        if run["ended"]:
            _write(path, (change, [run["state"], run["ended"], run["reason"], run["id"]]))


def stage_status(path: Path) -> list[dict[str, Any]]:
    """Return the latest run per quarter and stage, oldest quarter first.

    A run of a process that is gone, or of another computer and silent for LEASE, is returned as
    interrupted. There are none in a file that is missing or damaged. Raise E407 if the file
    cannot be read now.
    """
    return [{name: run.get(name) for name in SHOWN} for run in latest_runs(path)]


def latest_runs(path: Path) -> list[dict[str, Any]]:
    """Return what `stage_status` does, with every column of the table."""
    if not path.is_file():
        return []
    try:
        rows = [_judged(row) for row in read_runs(path, LATEST)]
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return []
        what = f"{path.name} cannot be read now: another program may be writing it."
        raise ExamsError("E407", what, "Try again in a minute.") from error
    return sorted(rows, key=lambda row: (row["quarter"], _place(row["stage"])))


def known(path: Path) -> list[dict[str, Any]]:
    """Return what `stage_status` does; nothing if the file cannot be read now."""
    try:
        return stage_status(path)
    except ExamsError:
        return []


def _place(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    """Return a run as it is, whatever its process had time to note."""
    if row["state"] not in ("pending", "running"):
        return row
    gone = is_gone(row["host"], row["pid"], row["birth"])
    silence = abs(datetime.now(UTC) - datetime.fromisoformat(row["heartbeat"]))
    if gone or (gone is None and silence > LEASE):  # a beat from the future: a clock jumped
        reason = f"Process {row['pid']} ended early." if gone else SILENT
        state = "interrupted" if row["state"] == "running" else "skipped"
        ended = max(row["heartbeat"], row["started"] or "")  # the clock may have been set back
        return row | {"state": state, "ended": ended, "reason": reason}
    return row


def _reached(path: Path, quarter: str, stage: str) -> dict[str, int]:
    """Return how far a run of this process has come; empty if no cell was at work yet."""
    begun = _begun.get((path, quarter, stage), {})
    return {name: begun[name] for name in ("cell", "cells") if name in begun}


def _present(path: Path, quarter: str, stage: str) -> list[Statement]:
    """Return the statement that adds the run of `stage` that goes on here, if it is not there.

    The file may have been deleted since it began.
    """
    begun = _begun.get((path, quarter, stage))
    if begun is None:
        return []
    new, values = _added(quarter, stage, **begun)
    known = f"SELECT 1 FROM stage_run WHERE stage = ? AND {_MINE}"
    return [(f"{new} WHERE NOT EXISTS ({known})", [*values, stage, *_mine(quarter)])]


def _added(quarter: str, stage: str, **values: Any) -> Statement:
    """Return the statement that adds a run of this process; a condition may follow."""
    values = {"quarter": quarter, "stage": stage, "heartbeat": now()} | values
    values |= {"host": HOST, "pid": os.getpid(), "birth": birth(os.getpid())}
    marks = ", ".join("?" * len(values))
    return f"INSERT INTO stage_run ({', '.join(values)}) SELECT {marks}", [*values.values()]


def _changed(quarter: str, stage: str, **values: Any) -> Statement:
    """Return the statement that changes this process's open run of `stage`."""
    values["heartbeat"] = now()
    latest = "max(?, coalesce(started, ''))"  # the clock may have been set back
    settings = ", ".join(f"{n} = {latest if n == 'ended' else '?'}" for n in values)
    change = f"UPDATE stage_run SET {settings} WHERE stage = ? AND {_MINE}"
    return change, [*values.values(), stage, *_mine(quarter)]


def _mine(quarter: str) -> list[Any]:
    return [quarter, HOST, os.getpid(), birth(os.getpid())]


def _write(path: Path, *statements: Statement, keep: bool = True) -> None:
    """Write what waits, then `statements`, all of it or nothing.

    What cannot be written now is kept for the next time: a full disk, a lock of another program
    or a damaged file stops no build.
    """
    with _one_at_a_time:
        former = _waiting.get(path, [])
        todo = [*former, *statements]
        if keep:
            _waiting[path] = todo[-_KEPT:]  # first of all: Ctrl-C may come at any time
        try:
            with writing(path, 0.1 if former else _WAIT) as connection:
                for statement, values in todo:
                    connection.execute(statement, values)
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                move_aside(path)
            elif not former:
                _tell(path, error)
        else:
            _waiting.pop(path, None)


def _tell(path: Path, error: Exception) -> None:
    why = "another program is writing it" if "locked" in str(error) else "is the disk full?"
    say(f"{shown(path)} cannot be written now ({why}). The build goes on.", "stderr")


def now() -> str:
    """Return the time as the table has it."""
    return as_text(datetime.now(UTC))


def as_text(time: datetime) -> str:
    """Return a time as the table has it: ISO 8601 in UTC, milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")
