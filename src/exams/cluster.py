"""A cluster of dask, for builds that ask for one: docs/scale.md says how.

Stages hand calls to its workers. What goes there and comes back are names, counts and settings;
records pass through files. Nothing of dask is imported in any other build.
"""

import ctypes
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from traceback import extract_tb
from typing import Any, NamedTuple

from exams.errors import ExamsError
from exams.intake.flow import one_thread
from exams.project import Workers

# How a build tells its notebooks: as variables of the environment, so that no stage is due only
# because it is to run elsewhere.
EXECUTOR, SCHEDULER, STORAGE = "EXAMS_EXECUTOR", "EXAMS_SCHEDULER", "EXAMS_STORAGE"
_LOOK = 2.0  # seconds without an answer after which the cluster is looked at
_ANSWER = 30.0  # seconds for a scheduler to answer, or to come back
_PATIENCE = 60.0  # seconds for a worker to come
_TRIES = 3  # so often a scheduler may be lost in one stage
_AGAIN = "Nothing was handed on. Look after the cluster and run `ploomber build` again."
_OURS = ("E435", "E437", "E438", "E439")  # what workers say of themselves, not of a file
_READ_WITH = ("numpy", "pyarrow")
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # glibc, malloc.h
_HERE = Path(__file__).parent


def ask_for(workers: Workers) -> None:
    """Let the stages that are run from now on, in kernels of this process, have these workers."""
    os.environ |= dict(zip((EXECUTOR, SCHEDULER, STORAGE), workers, strict=True))


class Outcome(NamedTuple):
    """What a call returned, or what the ExamsError says that it raised (code: else empty)."""

    value: Any
    code: str = ""
    message: str = ""
    remedy: str = ""

    @property
    def error(self) -> ExamsError:
        """The error that was raised."""
        return ExamsError(self.code, self.message, self.remedy)

    def get(self) -> Any:
        """Return the value, or raise the error."""
        if self.code:
            raise self.error
        return self.value

    @classmethod
    def failed(cls, error: ExamsError) -> "Outcome":
        """Return that a call has raised `error`, which dask could not pass on."""
        return cls(None, error.code, error.message, error.remedy)


@contextmanager
def crew() -> Iterator["Crew | None"]:
    """Yield the workers that the build asked for; None if all is to be done in this process.

    Raise E431 if dask is not installed, E432 if the scheduler does not answer.
    """
    if os.environ.get(EXECUTOR) != "dask":
        yield None
        return
    client = _client(os.environ.get(SCHEDULER, ""))
    try:
        yield Crew(client, os.environ.get(STORAGE, ""))
    finally:
        with suppress(Exception):  # what is lost needs no farewell
            client.close(timeout=5)
        if client.cluster is not None:
            client.cluster.close(timeout=5)


class Crew:
    """The workers of one cluster. storage: where they keep files, by fsspec; "": where we do."""

    def __init__(self, client: Any, storage: str) -> None:
        self.storage = storage
        self._client, self._pool = client, client.get_executor()
        self._answered = time.monotonic()  # when the cluster was last known to have workers

    def run(
        self, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Outcome]]:
        """Yield, for each call as it ends, its place among `calls` and what came of it.

        Each is made again if its worker dies; where the scheduler is lost and comes back, too.
        Raise E433 if it does not, E434 if there is no worker, E436 if workers died over a call.
        """
        ended: SimpleQueue[Future[Outcome]] = SimpleQueue()
        places: dict[Future[Outcome], int] = {}
        lost = Counter[int]()

        def submit(place: int) -> None:
            name = f"{function.__name__}-{token_hex(16)}"  # all that a dashboard tells of it
            future = self._pool.submit(_guarded, function, release(), *made[place], key=name)
            places[future] = place
            future.add_done_callback(ended.put)

        made = dict[int, tuple[Any, ...]]()
        try:
            for place, call in enumerate(calls):
                made[place] = call
                submit(place)
            while places:
                future = self._next(ended)
                place = places.pop(future)
                if future.cancelled():  # the client does that when it loses its scheduler
                    lost[place] += 1
                    self._await_scheduler(lost[place])
                    submit(place)
                else:
                    del made[place]
                    yield place, _outcome(future, function.__name__)
        finally:
            for future in [*places] if self._client.status == "running" else ():
                future.cancel()

    def _next(self, ended: "SimpleQueue[Future[Outcome]]") -> Future[Outcome]:
        """Return the call that ends next; look after the cluster while none does."""
        while True:
            with suppress(Empty):
                future = ended.get(timeout=_LOOK)
                self._answered = time.monotonic()
                return future
            if self._client.status != "running":
                self._await_scheduler()
            elif self._has_workers():
                self._answered = time.monotonic()
            elif time.monotonic() - self._answered > _PATIENCE:
                what = f"For {_PATIENCE:.0f} s there was no worker, or not even a scheduler."
                raise ExamsError("E434", what, _AGAIN)

    def _has_workers(self) -> bool:
        with suppress(OSError, TimeoutError):  # it is just being lost, or it hangs
            ask = self._client.scheduler.ncores
            return bool(self._client.sync(ask, callback_timeout=_ANSWER))
        return False

    def _await_scheduler(self, lost: int = 0) -> None:
        """Wait until the client is connected again; raise E433 if it is not in time."""
        while self._client.status != "running":  # it tries for _ANSWER
            if self._client.status == "closed":
                raise ExamsError("E433", "The scheduler was lost and did not come back.", _AGAIN)
            time.sleep(0.1)
        if lost > _TRIES:
            raise ExamsError("E433", "The scheduler was lost again and again.", _AGAIN)


def _client(address: str) -> Any:
    """Return a client of the scheduler at `address`; "": of workers that are started here."""
    import logging  # noqa: PLC0415  here, so that no other build takes the time

    try:
        import dask  # noqa: PLC0415  takes a second
        from distributed import Client, LocalCluster  # noqa: PLC0415
    except ImportError:
        remedy = "Install it: `.venv/bin/python -m pip install -e '.[dask]'`."
        raise ExamsError("E431", "executor: dask needs the package distributed.", remedy) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # an ExamsError tells it all
    if not address:
        cores = len(os.sched_getaffinity(0))
        # With certificates of its own, as whoever may talk to a scheduler can run code; no pages.
        pages: dict[str, list[str]] = {
            f"distributed.{who}.http.routes": [] for who in ("scheduler", "worker")
        }
        with dask.config.set(pages):
            local = LocalCluster(
                n_workers=cores,
                threads_per_worker=1,
                host="127.0.0.1",
                security=True,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
        return Client(local, set_as_default=False)
    try:
        return Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError):
        remedy = "Start it, or write `executor: process` in env.yaml."
        raise ExamsError("E432", f"No scheduler answers at {address}.", remedy) from None


def _outcome(future: Future[Outcome], name: str) -> Outcome:
    """Return what came of a call; raise E436 if it never came to an end."""
    error = future.exception()
    if error is None:
        outcome = future.result()
        if outcome.code in _OURS:
            raise outcome.error
        return outcome
    if type(error).__name__ == "KilledWorker":
        what = f"Several workers died, one after the other, over the same call of {name}."
        remedy = "Have they enough memory? Their logs and the system's say why they ended."
        raise ExamsError("E436", what, remedy) from None
    raise _defect(error) from None


def _guarded(function: Callable[..., Any], expected: str, *arguments: Any) -> Outcome:
    """Call a function on a worker; nothing is raised, as dask would log what that says."""
    if release() != expected:
        what = "A worker has another release of this package, numpy or pyarrow than the build."
        return Outcome.failed(ExamsError("E435", what, "Install the same on all machines."))
    _hold_memory()
    try:
        with one_thread():
            return Outcome(function(*arguments))
    except ExamsError as error:
        return Outcome.failed(error)
    except Exception as error:
        return Outcome.failed(_defect(error))


@cache
def _hold_memory() -> None:
    """Let this process use again what memory it has, as a process does that dask did not start.

    Dask has workers give it back at once. Then each array costs its pages anew: half of the time.
    """
    with suppress(OSError, AttributeError):  # a C library without it needs it not
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 32 << 20)
        library.mallopt(_TRIM_THRESHOLD, 64 << 20)


def _defect(error: BaseException) -> ExamsError:
    """Return the error for what should not happen: its class and place; a message may quote."""
    what = type(error).__name__
    if isinstance(error, OSError) and error.errno:
        what += f" ({os.strerror(error.errno)})"
    frames = [f for f in extract_tb(error.__traceback__) if f.filename != __file__]
    own = [f for f in frames if Path(f.filename).is_relative_to(_HERE)]
    where = "".join(f" in {Path(f.filename).name} line {f.lineno}" for f in (own or frames)[-1:])
    remedy = "Build with `executor: process` to see whether it fails there, too."
    return ExamsError("E437", f"A worker failed: {what}{where}.", remedy)


@cache
def release() -> str:
    """Return a fingerprint of this package's code, and of what it reads and sums records with.

    Workers must have the same: results are to be those of one process, to the byte.
    """
    from importlib.metadata import version  # noqa: PLC0415 half as long to import as all of this

    files = sorted(_HERE.rglob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(_HERE)}".encode() + b"\0" + file.read_bytes())
    for library in _READ_WITH:
        digest.update(f"{library} {version(library)}\0".encode())
    return digest.hexdigest()
