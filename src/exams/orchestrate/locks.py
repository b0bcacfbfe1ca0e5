"""One build at a time per quarter and data folder, and none while a backup is put back."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from exams.errors import ExamsError
from exams.files import closed
from exams.places import Places, private
from exams.status import HOST

_held: dict[Path, IO[str]] = {}


def hold(places: Places, quarter: str, *, wait: bool = True) -> bool:
    """Take the lock of `quarter` for this process; say whether it is held.

    With `wait`, name the process that has it and wait until it is free. The system frees the
    lock of a process that dies. Raise E414 if a restore was interrupted.
    """
    if not _share(places, wait=wait):
        return False
    if _marker(places).exists():
        what = "A restore was interrupted: databases of different times lie side by side."
        raise ExamsError("E414", what, "Run that `exams restore` again.")
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


def alone(places: Places) -> AbstractContextManager[bool]:
    """Keep builds out; yield False if one runs already, or waits for its turn."""
    return exclusive(_builds(places))


@contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Hold the lock file at `path`; yield False if another process does."""
    with closed(path).open("a+") as file:
        yield _taken(file)


@contextmanager
def restoring(places: Places) -> Iterator[None]:
    """Leave a mark that keeps builds out, unless what is done here comes to its end."""
    closed(_marker(places))
    yield
    _marker(places).unlink()


def _share(places: Places, *, wait: bool) -> bool:
    """Join the builds that `alone` looks for; say whether that was possible."""
    path = _builds(places)
    if path not in _held:
        file = closed(path).open("a+")
        if not _taken(file, fcntl.LOCK_SH):
            if not wait:
                file.close()
                return False
            print("A backup is being put back; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_SH)
        _held[path] = file
    return True


def _builds(places: Places) -> Path:
    return private(places.data / "private") / ".builds.lock"


def _marker(places: Places) -> Path:
    return private(places.data / "private") / ".restoring"


def release() -> None:
    """Give back every lock of this process."""
    while _held:
        _held.popitem()[1].close()


def _taken(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, kind | fcntl.LOCK_NB)
        return True
    return False


def _owner(path: Path) -> str:
    return path.read_text() or "another process"
