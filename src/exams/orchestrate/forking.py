"""The process that kernels are forked from: what they need is imported once, not by each.

    python -m exams.orchestrate.forking ipykernel_launcher DESCRIPTOR

exams.orchestrate.forks starts it and asks it for kernels; DESCRIPTOR is its end of that socket.
A request is a message of JSON (argv, env, cwd, then) with descriptors: a lease, where to complain,
and what else the kernel shall hold. The kernel tells its number through the lease and lives as
long as that; `then` are the stages to come after it. When nobody is left who could ask, the
kernels end, and this process.
"""

import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from socket import recv_fds, socket
from typing import Any, NamedTuple

LONGEST = 1 << 17  # bytes of a request; most of them are the environment
_MOST = 32  # descriptors of a request
# What the notebook of a stage imports that takes a while. Only modules that can be forked: they
# start no thread as long as nobody calls them.
IMPORTS = {
    "extract": ("ipykernel.kernelapp", "ipykernel.debugger", "exams.stages.extract", "pandas"),
    "transform": ("exams.stages.transform", "exams.stages.frames"),
    "load": ("exams.stages.load", "exams.stages.changes"),
    "model": (
        "exams.stages.model",
        "exams.stages.compare",
        "exams.stages.predict",
        "sklearn.cluster",
        "sklearn.ensemble",
        "sklearn.model_selection",
        "fairlearn.metrics",
    ),
    "publish": ("exams.stages.publish", "exams.stages.revising"),
    "visualize": ("exams.stages.visualize", "exams.stages.over_time", "exams.datapackage"),
}


class Request(NamedTuple):
    """What a kernel is to be, its lease, where it complains, and what else it holds."""

    given: dict[str, Any]
    lease: socket
    complaints: int
    held: list[int]


def main() -> None:
    """Import what the intake needs; then fork a kernel at each request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder: a kernel puts it behind the standard library
    for stage in ("extract", "transform", "load"):
        for module in IMPORTS[stage]:
            _prepare(module)
    if request := serve(socket(fileno=int(sys.argv[2]))):
        become(request)


def serve(requests: socket) -> Request | None:
    """Fork at each request; return it in the kernel's process, and None in this one at the end.

    While nobody asks, import what later stages need.
    """
    leases: dict[Any, int] = {}
    later: list[str] = []
    while True:
        ready = wait([requests, *leases], 0 if later else None)
        if not ready and later:
            _prepare(later.pop(0))
        for lease in leases.keys() & ready:
            _end(lease, leases.pop(lease))
        if requests not in ready:
            continue
        request = _received(requests)
        if request is None:
            for lease, pid in leases.items():
                _end(lease, pid)
            return None
        pid = os.fork()
        if pid == 0:
            for other in (requests, *leases):
                other.close()
            return request
        leases[request.lease] = pid
        for descriptor in (request.complaints, *request.held):
            os.close(descriptor)
        later = [module for stage in request.given["then"] for module in IMPORTS.get(stage, ())]


def become(request: Request) -> None:
    """Be a kernel, as `python -m ipykernel_launcher` would be one, until it ends."""
    os.setsid()
    with request.lease as lease:
        lease.send(str(os.getpid()).encode())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(request.complaints, 2)
    os.environ.clear()
    os.environ.update(request.given["env"])
    os.chdir(request.given["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tempfile.tempdir = None  # it may have been looked up for another build
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # else all kernels would draw the same numbers
    sys.argv = request.given["argv"]
    watched = f"--IPKernelApp.parent_handle={os.getppid()}"  # ends the kernel with that process
    import_module("ipykernel.kernelapp").launch_new_instance([*sys.argv[1:], watched])


def _received(requests: socket) -> Request | None:
    text, descriptors, *_ = recv_fds(requests, LONGEST, _MOST)
    if not text:
        return None
    lease, complaints, *held = descriptors
    return Request(json.loads(text), socket(fileno=lease), complaints, held)


def _end(lease: Any, pid: int) -> None:
    """End a kernel and what it has started; only then its lease does, so that both sides know."""
    for end in (os.kill, os.killpg):  # it may not have a group yet
        with suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    lease.close()


def _prepare(module: str) -> None:
    with suppress(Exception):  # a notebook that needs it fails by it, and shows that
        import_module(module)


if __name__ == "__main__":
    main()
