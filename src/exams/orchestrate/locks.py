"""One build at a time per quarter and data folder."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from exams.files import closed
from exams.places import Places, private
from exams.status import HOST

_held: dict[Path, IO[str]] = {}


def hold(places: Places, quarter: str, *, wait: bool = True) -> bool:
    """Take the lock of `quarter` for this process; say whether it is held.

    With `wait`, name the process that has it and wait until it is free. The system frees the
    lock of a process that dies.
    """
    path = private(places.data / "private") / f".{quarter}.lock"
    if path in _held:
        return True
    file = closed(path).open("a+")
    told = False
    while not _taken(file):
        if not wait:
            file.close()
            return False
        if not told:
            print(f"{quarter} is being built by {_owner(path)}; waiting for it.", flush=True)
            told = True
        time.sleep(0.2)
    file.truncate(0)
    file.write(f"process {os.getpid()} on {HOST}")
    file.flush()
    _held[path] = file
    return True


def release() -> None:
    """Give back every lock of this process."""
    while _held:
        _held.popitem()[1].close()


def _taken(file: IO[str]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _owner(path: Path) -> str:
    return path.read_text() or "another process"
