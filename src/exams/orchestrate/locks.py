"""One build at a time per quarter and data folder."""

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from exams.places import Places, private
from exams.processes import HOST, birth, is_gone

_held: dict[Path, IO[str]] = {}


def hold(places: Places, quarter: str, *, wait: bool = True) -> bool:
    """Take the lock of `quarter` for this process; say whether it is held.

    With `wait`, name the process that has it and wait until it is free. The system frees the
    lock of a process that dies. Its kernel holds it, too (see `held`), and may live on for a
    moment: it is ended, so that it cannot write beside the next build.
    """
    path = private(places.data / "private") / f".{quarter}.lock"
    if path in _held:
        return True
    file = path.open("a+")
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
            print(f"{quarter} is being built by {_owner(path)[0]}; waiting for it.", flush=True)
            told = True
        time.sleep(0.2)
    file.truncate(0)
    file.write(f"process {os.getpid()} on {HOST}\n{birth(os.getpid())}")
    file.flush()
    _held[path] = file
    return True


def release() -> None:
    """Give back every lock of this process."""
    while _held:
        _held.popitem()[1].close()


def held() -> tuple[int, ...]:
    """Return the descriptors of the locks of this process, for its kernels to hold, too."""
    return tuple(file.fileno() for file in _held.values())


def _taken(file: IO[str]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
