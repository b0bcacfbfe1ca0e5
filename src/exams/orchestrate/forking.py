"""The process that kernels are forked from: what they need is imported once, not by each.

    python forking.py ipykernel_launcher DESCRIPTOR

exams.orchestrate.forks starts it and asks it for kernels; DESCRIPTOR is its end of that socket.
A message is JSON: a list of modules to import while nobody asks; or what a kernel is to be (argv,
env, cwd) with descriptors: a lease, where to complain, and what else the kernel shall hold. The
kernel tells its number through the lease and lives as long as that. When nobody is left who could
ask, the kernels end, and this process.
"""

import builtins
import gc
import json
import os
import signal
import sys
import tempfile
import warnings
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from socket import recv_fds, socket
from types import SimpleNamespace
from typing import Any, NamedTuple

LONGEST = 1 << 17  # bytes of a request; most of them are the environment
_MOST = 32  # descriptors of a request
_ALWAYS = ("ipykernel.kernelapp", "ipykernel.debugger")


class Request(NamedTuple):
    """What a kernel is to be, its lease, where it complains, and what else it holds."""

    given: dict[str, Any]
    lease: socket
    complaints: int
    held: list[int]


def main() -> None:
    """Import what every kernel needs; then do as asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.flags.safe_path:
        del sys.path[0]  # this module's folder
    # What is imported asks in this way whether it is in a kernel: pandas, to show tables.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    for module in _ALWAYS:
        import_module(module)
    if request := serve(socket(fileno=int(sys.argv[2]))):
        del builtins.get_ipython  # type: ignore[attr-defined]
        become(request)


def serve(asked: socket) -> Request | None:
    """Fork at each request; return it in the kernel's process, and None in this one at the end."""
    leases: dict[Any, int] = {}
    modules: list[str] = []
    while True:
        ready = wait([asked, *leases], 0 if modules else None)
        if modules and not ready:
            with suppress(Exception):  # a notebook that needs it fails by it, and shows that
                import_module(modules.pop(0))
        for lease in leases.keys() & ready:
            _end(lease, leases.pop(lease))
        match _received(asked) if asked in ready else []:
            case None:
                for lease, pid in leases.items():
                    _end(lease, pid)
                return None
            case list() as more:
                modules += more
            case Request() as request:
                forked = _forked()
                if forked == 0:
                    for other in (asked, *leases):
                        other.close()
                    return request
                if forked is None:
                    request.lease.close()
                else:
                    leases[request.lease] = forked
                for descriptor in (request.complaints, *request.held):
                    os.close(descriptor)


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
    app = import_module("ipykernel.kernelapp").IPKernelApp.instance()
    app.initialize([*sys.argv[1:], watched])
    app.kernel._process_children = list  # it would wait 14 s for each; who asked ends them
    app.start()
    app.control_thread.join()  # once more is ended, it might wait for that: for 10 s


def _forked() -> int | None:
    """Fork; return None if the system has no process or memory to give."""
    gc.freeze()  # else the first collection in a kernel would make it copy what is shared
    with suppress(OSError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads (Python 3.12): OpenBLAS's, which mind forks
        return os.fork()
    return None


def _received(asked: socket) -> Request | list[str] | None:
    text, descriptors, *_ = recv_fds(asked, LONGEST, _MOST)
    if not text:
        return None
    given = json.loads(text)
    if not descriptors:
        return list(given)
    lease, complaints, *held = descriptors
    return Request(given, socket(fileno=lease), complaints, held)


def _end(lease: Any, pid: int) -> None:
    """End a kernel and what it has started; only then its lease does, so that both sides know."""
    for end in (os.kill, os.killpg):  # it may not have a group yet
        with suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    lease.close()


if __name__ == "__main__":
    main()
