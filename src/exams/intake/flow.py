"""Lets stages work at the same time, and the parts of a stage."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain, islice
from queue import Queue
from typing import TypeVar

Item = TypeVar("Item")
_BESIDE = 4  # works at a time, however many cores there are: more would only take memory
_WAITING = 2  # works beside, for the same reason
_alone = ContextVar("_alone", default=False)


def started(items: Iterable[Item]) -> Iterator[Item]:
    """Return `items` with the first of them made: what runs ahead of them is on its way."""
    rest = iter(items)
    first = list(islice(rest, 1))
    return chain(first, rest)


def ahead(items: Iterable[Item], most: int = 16) -> Iterator[Item]:
    """Yield `items`, made by a thread of their own: at `most` so many wait for whoever takes them.

    An error in making them is raised here. Whoever stops taking them stops the thread, too.
    """
    line: Queue[tuple[str, object]] = Queue(most)
    stopped = threading.Event()

    def work() -> None:
        try:
            for item in items:
                line.put(("item", item))
                if stopped.is_set():
                    return
            line.put(("end", None))
        except BaseException as error:
            line.put(("error", error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            kind, value = line.get()
            if kind == "error":
                raise value  # type: ignore[misc]
            if kind == "end":
                return
            yield value  # type: ignore[misc]
    finally:
        stopped.set()
        while thread.is_alive():  # it may wait for room in the line
            while not line.empty():
                line.get_nowait()
            thread.join(0.01)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let what begins within the block do its works one after the other, in this thread."""
    former = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(former)


def side_by_side(works: Iterable[Callable[[], Item]]) -> Iterator[Item]:
    """Yield what each of `works` returns, in their order; a few at a time if there are cores.

    An error, of a work or in making it, comes in its turn: when all before it was taken.
    """
    if _alone.get():
        yield from (work() for work in works)
        return
    workers = min(os.cpu_count() or 1, _BESIDE)
    line: deque[Future[Item]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for future in _submitted(pool, works):
            line.append(future)
            if len(line) > workers:
                yield line.popleft().result()
        while line:
            yield line.popleft().result()


class Aside:
    """Does works one after the other in a thread of its own, beside whoever gives them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._line: deque[Future[object]] = deque()

    def do(self, work: Callable[[], object]) -> None:
        """Do `work` after those before it, of which a few may wait; raise what one has raised."""
        if _alone.get():
            work()
            return
        self._line.append(self._pool.submit(work))
        if len(self._line) > _WAITING:
            self._line.popleft().result()

    def finish(self) -> None:
        """Wait until all works are done; raise what one has raised."""
        while self._line:
            self._line.popleft().result()


def _submitted(
    pool: ThreadPoolExecutor, works: Iterable[Callable[[], Item]]
) -> Iterator[Future[Item]]:
    try:
        for work in works:
            yield pool.submit(work)
    except Exception as error:
        failed: Future[Item] = Future()
        failed.set_exception(error)
        yield failed
