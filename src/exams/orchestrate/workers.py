"""Several quarters at once: each turn in a process of its own, as many as there are cores.

The processes are forked from one that has imported Ploomber, so that only that one pays for it.
What they print comes through here, line by line. Stages that write to the warehouse, or compare
quarters, are taken in the order of the quarters: each begins when it has ended for all earlier
ones. So whatever they look up of an earlier quarter is there.
"""

import io
import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.util import get_temp_dir
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple

from exams.errors import ExamsError
from exams.orchestrate import forks
from exams.orchestrate.failures import explain_exception
from exams.orchestrate.stopping import terminable
from exams.places import STAGES
from exams.progress import Overall

MOST = 4  # of more, most would wait: the stages in order take turns
_ORDERED = STAGES[2:]  # load: SQLite has one writer; model, publish, visualize: they compare
_TURNS = "exams.orchestrate.turns"  # takes a second to import: in the processes alone
_PATIENCE = 8.0  # seconds for a process to end by itself


class Outcome(NamedTuple):
    """How a turn ended: built, idle (nothing was due), waits or failed; the stages still due.

    It waits if a stage before its own is due, which is not its turn's to run.
    """

    end: str
    left: tuple[str, ...] = ()
    withdrawn: bool = False


def run_turns(
    turns: Mapping[str, Collection[str]], root: Path, overall: Overall
) -> dict[str, Outcome]:
    """Run a turn for each quarter, oldest first, with its stages; return how each ended.

    Ctrl-C and SIGTERM end all of them.
    """
    crew = _Crew(turns, root, overall)
    try:
        with terminable():
            try:
                crew.work(min(len(os.sched_getaffinity(0)), MOST))
            finally:
                crew.stop()
    except KeyboardInterrupt:
        sys.exit(130)
    return crew.outcomes


class _Crew:
    """The processes at work, what they have ended, and what they wait for."""

    def __init__(self, turns: Mapping[str, Collection[str]], root: Path, overall: Overall) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._turns, self._root, self._overall = turns, root, overall
        self._order = sorted(turns)
        self._pipes: dict[Any, tuple[str, BaseProcess]] = {}
        self._ended = dict.fromkeys(self._order, 0)  # so many of STAGES, in their order
        self._stopping = False
        self._asking: dict[Any, int] = {}  # by pipe, the place of the stage that waits

    def work(self, most: int) -> None:
        """Run all turns, `most` at a time."""
        waiting = deque(self._order)
        while waiting or self._pipes:
            while waiting and len(self._pipes) < most:
                self._start(waiting.popleft())
            self._listen()

    def stop(self) -> None:
        """End the processes that are left; their kernels end with them."""
        self._stopping = True
        for _, process in self._pipes.values():
            process.terminate()
        limit = time.monotonic() + _PATIENCE
        while self._pipes and (rest := limit - time.monotonic()) > 0:
            self._listen(rest)
        for _, process in self._pipes.values():
            process.kill()
            process.join()
        forks.dismiss()

    def _start(self, quarter: str) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload([_TURNS])
        ours, theirs = context.Pipe()
        own = (quarter, self._root, tuple(self._turns[quarter]))
        arguments = (theirs, forks.share(), *own, get_temp_dir())
        process = context.Process(target=_work, args=arguments)
        process.start()
        theirs.close()
        self._pipes[ours] = (quarter, process)

    def _listen(self, seconds: float | None = None) -> None:
        """Take what the processes say, and let those go on whose turn it is."""
        heard: list[Any] = connection.wait([*self._pipes], seconds)
        for pipe in heard:
            try:
                self._take(pipe, *pipe.recv())
            except (EOFError, ConnectionResetError):
                self._dismiss(pipe)
        for pipe, place in [*self._asking.items()]:
            if self._is_free(self._pipes[pipe][0], place):
                del self._asking[pipe]
                with suppress(BrokenPipeError):  # it has died: its end is heard next
                    pipe.send(None)

    def _take(self, pipe: Any, what: str, content: Any) -> None:
        quarter, _ = self._pipes[pipe]
        match what:
            case "line":
                self._overall.write(*content)
            case "due":
                if content:
                    forks.prepare()
                self._overall.expect(quarter, content)
            case "before":
                self._ended[quarter] = self._asking[pipe] = STAGES.index(content)
                self._overall.reach(quarter, content)
            case "outcome":
                self.outcomes[quarter] = content

    def _dismiss(self, pipe: Any) -> None:
        quarter, process = self._pipes.pop(pipe)
        process.join()
        pipe.close()
        self._asking.pop(pipe, None)
        self._ended[quarter] = len(STAGES)
        if quarter not in self.outcomes:
            self.outcomes[quarter] = Outcome("failed")
            if not self._stopping:
                said = f"{quarter}: process {process.pid} ended early, with {process.exitcode}."
                self._overall.write("stderr", said)
        self._overall.leave(quarter, self.outcomes[quarter].left)

    def _is_free(self, quarter: str, place: int) -> bool:
        if STAGES[place] not in _ORDERED:
            return True
        return all(self._ended[q] > place for q in self._order if q < quarter)


def _work(
    pipe: Connection,
    shared: socket | None,
    quarter: str,
    root: Path,
    stages: Collection[str],
    common: str,
) -> None:
    """Run a turn in this process; tell through `pipe` what happens.

    shared: the socket to ask for kernels through
    common: the folder of temporary files of these processes.
    """
    os.setsid()  # Ctrl-C reaches the parent alone, which ends this process
    threading.Thread(target=_end_with_parent, args=(common,), daemon=True).start()
    forks.join(shared)
    from exams.orchestrate.turns import run_turn  # noqa: PLC0415

    def before(stage: str) -> None:
        pipe.send(("before", stage))
        pipe.recv()

    def found(due: Collection[str]) -> None:
        pipe.send(("due", tuple(due)))

    out, err = (_Lines(pipe, name) for name in ("stdout", "stderr"))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            outcome = run_turn(quarter, root, stages, before=before, found=found)
        except (ExamsError, OSError, sqlite3.Error) as error:
            print(*filter(None, explain_exception(error)), file=err)
            outcome = Outcome("failed")
    pipe.send(("outcome", outcome))


def _end_with_parent(common: str) -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    shutil.rmtree(common, ignore_errors=True)  # one that was killed has left it
    os.kill(os.getpid(), signal.SIGTERM)


class _Lines(io.TextIOBase):
    """What is printed, sent line by line."""

    def __init__(self, pipe: Connection, name: str) -> None:
        self._pipe, self._name, self._rest = pipe, name, ""

    def write(self, text: str) -> int:
        """Send the lines that are complete."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._pipe.send(("line", (self._name, line)))
        return len(text)
