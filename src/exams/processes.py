"""Processes, told apart for good: a system gives the number of one that has ended to another."""

import os
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

HOST = socket.gethostname()


def birth(pid: int) -> str | None:
    """Return the mark of process `pid`: where and when it began; None if it has ended.

    Empty on a system that does not say (without /proc).
    """
    if not _machine():
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()  # proc(5): the third field is the state
    return None if state in "ZX" else f"{_machine()}-{fields[18]}"


def is_gone(host: str, pid: int, mark: str | None) -> bool | None:
    """Say whether a process has ended; None if that cannot be seen from here.

    `mark` is its birth, as it had noted it.
    """
    if mark and _machine() and mark.startswith(f"{_machine()}-"):
        return None if _is_hidden(pid) else birth(pid) != mark
    if mark or host != HOST:
        return None
    return not _has_number(pid)


def end_children(name: str) -> None:
    """End the processes that this one has started with `name` in their command; wait for them."""
    import psutil  # noqa: PLC0415 it takes a while, and few need it

    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if any(name in word for word in _command(child)):
                child.kill()
                child.wait()


def _command(process: Any) -> list[str]:
    """Return the words of its command; while it is only starting, it has none."""
    limit = time.monotonic() + 1
    while not (words := process.cmdline()) and time.monotonic() < limit:
        time.sleep(0.001)
    return words


@cache
def _machine() -> str:
    """Return what names this run of this machine, and the container: numbers count within it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return ""
    return f"{boot[:8]}-{space.strip('pid:[]')}"


def _is_hidden(pid: int) -> bool:
    """Say whether /proc conceals a process: that of another user, mounted with hidepid."""
    return not Path(f"/proc/{pid}").exists() and _has_number(pid)


def _has_number(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
