"""Asks for kernels that are forked from a process which has their imports done.

To watch a forked kernel takes a descriptor of its process, which Linux has. Elsewhere, and where
nobody has called `prepare`, no kernel is forked.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, SOCK_SEQPACKET, send_fds, socket, socketpair
from typing import Any

from exams.orchestrate import forking

# Packages that start no thread as long as nobody calls them: what forks would lose it.
_FORKABLE = {"altair", "exams", "fairlearn", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}
_USUAL = [sys.executable, "-m", "ipykernel_launcher"]
# The debugger would warn of what it cannot see; pandas asks what the output is written in.
_ENVIRONMENT = {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONIOENCODING": "UTF-8"}
_PATIENCE = 60.0  # seconds for that process to end an import and answer
_SOON = 5.0  # seconds for it to end


class Fork:
    """A forked kernel: what jupyter_client wants of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, lease: socket) -> None:
        self.pid, self._lease = pid, lease
        self._process = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return None while it lives; then 0, as its parent alone knows with what it ended."""
        return 0 if wait([self._process], 0) else None

    def wait(self) -> int:
        """Return when it has ended."""
        wait([self._process])
        return 0

    def send_signal(self, number: int) -> None:
        """Send a signal to it alone."""
        signal.pidfd_send_signal(self._process, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it with what it has started; let its parent forget it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        os.close(self._process)
        _leases.remove(self._lease)
        self._lease.close()


_ends: list[socket] = []  # of the socket to ask through: ours; and theirs, until they have it
_parents: list[subprocess.Popen[bytes]] = []  # the process asked, if this one has started it
_leases: list[socket] = []  # of the kernels that are alive, or may be


def share() -> socket | None:
    """Return the socket that other processes may `join`; None if kernels cannot be forked.

    Before `prepare`, who asks waits.
    """
    if not _ends and hasattr(os, "pidfd_open"):
        _ends.extend(socketpair(AF_UNIX, SOCK_SEQPACKET))
    return _ends[0] if _ends else None


def prepare() -> None:
    """Start the process that kernels are forked from, unless there is one."""
    share()
    if len(_ends) > 1:
        with _ends.pop() as theirs:
            number = theirs.fileno()
            command = [sys.executable, forking.__file__, _USUAL[-1], str(number)]
            more: dict[str, Any] = {"stdin": subprocess.DEVNULL, "start_new_session": True}
            more["env"] = os.environ | _ENVIRONMENT
            _parents.append(subprocess.Popen(command, pass_fds=[number], **more))


def join(shared: socket | None) -> None:
    """Ask through the socket of the process that shares it."""
    _ends[:] = [shared] if shared else []


def expect(modules: Iterable[str]) -> None:
    """Have those of `modules` imported that can be forked, while no kernel is asked for."""
    able = [name for name in modules if name.partition(".")[0] in _FORKABLE]
    if _ends:
        with suppress(OSError):  # that process has died: the next kernel is started
            _ends[0].send(json.dumps([*dict.fromkeys(able)]).encode())


def dismiss() -> None:
    """Ask no more; end the process that this one has started for that."""
    while _ends:
        _ends.pop().close()
    while _parents:
        parent = _parents.pop()
        with suppress(subprocess.TimeoutExpired):
            parent.wait(_SOON)  # it ends what it has forked first, if anything is left
        parent.kill()
        parent.wait()


def fork(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, held: Sequence[int]
) -> Fork | None:
    """Return a kernel that does what `command` says; None if it cannot be forked.

    held: descriptors of where to complain, and of what else it shall hold
    """
    given = {"argv": command[2:], "env": dict(env), "cwd": str(cwd)}
    text = json.dumps(given).encode()
    if not _ends or list(command[:3]) != _USUAL or len(text) > forking.LONGEST:
        return None
    lease, theirs = socketpair()
    lease.settimeout(_PATIENCE)
    _leases.append(lease)
    with theirs, suppress(OSError):
        send_fds(_ends[0], [text], [theirs.fileno(), *held])
        theirs.close()
        if told := lease.recv(32):
            return Fork(int(told), lease)
    dismiss()  # that process has died, or hangs
    end()
    return None


def end() -> None:
    """End every forked kernel that is left."""
    while _leases:
        with _leases.pop() as lease, suppress(OSError):
            lease.settimeout(_SOON)
            lease.shutdown(SHUT_WR)
            while lease.recv(32):  # until its parent has buried it
                pass
