"""One build at a time per quarter and data folder, and none while a backup is put back."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from exams.errors import ExamsError
from exams.files import closed
from exams.places import Places
from exams.processes import HOST, birth, is_gone
from exams.progress import say

_held: dict[Path, IO[str]] = {}


def hold(places: Places, quarter: str, *, wait: bool = True) -> bool:
    """Take the lock of `quarter` for this process; say whether it is held.

    With `wait`, name the process that has it and wait until it is free. The system frees the
    lock of a process that dies. Its kernel holds it, too (see `held`), and may live on for a
    moment: it is ended, so that it cannot write beside the next build. Raise E414 if a
    restore was interrupted.
    """
    if not _share(places, wait=wait):
        return False
    if _marker(places).exists():
        what = "A restore was interrupted: databases of different times lie side by side."
        raise ExamsError("E414", what, "Run that `exams restore` again.")
    path = places.private / f".{quarter}.lock"
    if path in _held:
        return True
    file = closed(path).open("a+")
    told = False
    while not _taken(file):
        orphans = _orphans(path)
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not (wait or orphans):
            file.close()
            return False
        if not (told or orphans):
            say(f"{quarter} is being built by {_owner(path)[0]}; waiting for it.")
            told = True
        time.sleep(0.2)
    file.truncate(0)
    file.write(f"process {os.getpid()} on {HOST}\n{birth(os.getpid())}")
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
            say("A backup is being put back; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_SH)
        _held[path] = file
    return True


def _builds(places: Places) -> Path:
    return places.private / ".builds.lock"


def _marker(places: Places) -> Path:
    return places.private / ".restoring"


def release() -> None:
    """Give back every lock of this process."""
    while _held:
        _held.popitem()[1].close()


def held() -> tuple[int, ...]:
    """Return the descriptors of the locks of this process, for its kernels to hold, too."""
    return tuple(file.fileno() for file in _held.values())


def _taken(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, kind | fcntl.LOCK_NB)
        return True
    return False


def _owner(path: Path) -> tuple[str, int, str, str]:
    """Return who has noted itself in a lock: in words, its number, its computer and its birth."""
    words, _, mark = path.read_text().partition("\n")
    match words.split():
        case ["process", pid, "on", host] if pid.isdecimal():
            return words, int(pid), host, mark
    return "another process", 0, "", mark


def _orphans(path: Path) -> list[int]:
    """Return the kernels that hold a lock whose build has ended; none if that cannot be seen."""
    _, owner, host, mark = _owner(path)
    if not mark or not is_gone(host, owner, mark):
        return []
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or belongs to someone else
            if _is_kernel(process) and _holds(process, path):
                found.append(int(process.name))
    return found


def _is_kernel(process: Path) -> bool:
    return b"ipykernel" in (process / "cmdline").read_bytes()


def _holds(process: Path, path: Path) -> bool:
    """Say whether a process holds the lock, and does not only wait for it (proc(5): fdinfo)."""
    open_ = [f.name for f in (process / "fd").iterdir() if f.readlink() == path]
    return any("FLOCK" in (process / "fdinfo" / name).read_text() for name in open_)
