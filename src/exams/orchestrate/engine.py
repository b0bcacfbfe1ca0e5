"""The papermill engine: executes a stage's notebook and writes down what happens to it.

Papermill loads it through the entry point `papermill.engine`, on every import: keep it light,
and import papermill.engines nowhere else (papermill imports this module in turn).
"""

import json
import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbformat import NotebookNode
from papermill.engines import NBClientEngine
from papermill.log import logger
from traitlets.config import Config

from exams import status
from exams.errors import ExamsError
from exams.notebook import injected
from exams.orchestrate import kernels, locks
from exams.orchestrate.failures import explain, explain_exception, withheld
from exams.orchestrate.products import forget
from exams.orchestrate.stopping import terminable
from exams.orchestrate.temporary import temporary
from exams.places import STAGES, Places
from exams.progress import say

_SAVED_EVERY = 5.0  # seconds
_PRIVATE = set(STAGES) - {"visualize"}  # see records, or (model, publish) sums of any group


class StatusEngine(NBClientEngine):
    """Papermill's own engine, with status, heartbeat and lock for the stages of the pipeline."""

    @classmethod
    def execute_notebook(
        cls, nb: NotebookNode, kernel_name: str, output_path: str | None = None, **more: Any
    ) -> NotebookNode:
        """Execute `nb`; any other notebook than a stage's is left to papermill alone."""
        given = injected(nb)
        files = [Path(f) for f in (given.get("product") or {}).values()]
        output = Path(output_path or "").resolve()
        if output not in [f.resolve() for f in files]:
            return super().execute_notebook(nb, kernel_name, output_path=output_path, **more)
        places = Places.of(given["data"], given["reports"])
        locks.hold(places, given["quarter"])
        forget(files)  # first of all, so that half a product never counts as done
        recorded = _recorded(places.status, given, output.stem)
        sockets = _sockets(places, given["quarter"])
        with _unlogged(), terminable(), recorded as run, sockets as config:
            more |= {"config": config, "kernel_manager_class": kernels.LockedKernel}
            more["on_cell_start"] = _counting(nb, places.status, given["quarter"], output.stem)
            done = super().execute_notebook(nb, kernel_name, output_path=output_path, **more)
            run.failure = _failure(done, output.stem)
        return done

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **more: Any) -> Any:
        """Execute the notebook of `nb_man`, which is saved now and then, and at the end.

        To save it before and after each cell, as papermill does, takes longer than the cells.
        """
        nb_man.save = _now_and_then(nb_man.save)
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **more)
        finally:
            del nb_man.save


@contextmanager
def _sockets(places: Places, quarter: str) -> Iterator[Config]:
    """Let the kernel talk over files, not ports: two builds at once never take the same one.

    The folder's path is short, as the system allows about 100 characters. A kernel that was only
    starting when the work was stopped is known to nobody else: it is ended before the folder goes.
    """
    with temporary(places, quarter) as own, TemporaryDirectory(prefix="k", dir=own) as folder:
        files = {"ip": f"{folder}/kernel", "connection_file": f"{folder}/kernel.json"}
        try:
            yield Config({"KernelManager": {"transport": "ipc", **files}})
        except Exception:  # such as a kernel that died: it may have told why
            with suppress(OSError):
                if told := Path(folder, kernels.COMPLAINTS).read_text(errors="replace").strip():
                    say(told, "stderr")
            raise
        finally:
            kernels.end(folder)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Log no errors: what nbclient logs it also raises."""
    former = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(former)


def _now_and_then(save: Callable[..., None]) -> Callable[..., None]:
    """Return what saves if that was done some seconds ago."""
    last = time.monotonic()

    def saved(**more: Any) -> None:
        nonlocal last
        if time.monotonic() - last > _SAVED_EVERY:
            save(**more)
            last = time.monotonic()

    return saved


def _counting(nb: NotebookNode, path: Path, quarter: str, stage: str) -> Callable[..., None]:
    """Return what notes, as a cell begins, the how manieth of the code cells of `nb` it is."""
    code = [i for i, c in enumerate(nb.cells) if c.cell_type == "code" and c.source.strip()]

    def note(cell: NotebookNode, cell_index: int) -> None:
        status.reach(path, quarter, stage, bisect_right(code, cell_index), len(code))

    return note


class _Run:
    failure: tuple[str | None, str] | None = None


@contextmanager
def _recorded(path: Path, given: dict[str, Any], stage: str) -> Iterator[_Run]:
    """Record a run: running with a heartbeat, then failed or interrupted.

    It stays `running` if all went well: the report is not exported yet.
    """
    run, quarter = _Run(), given["quarter"]
    made_from = {"inputs": json.dumps(given.get("inputs")), "code": given.get("code")}
    status.start(path, quarter, stage, **made_from)
    try:
        with status.beating(path, quarter):
            yield run
        if run.failure is not None:
            code, reason = run.failure
            status.end(path, quarter, stage, "failed", reason_code=code, reason=reason)
    except KeyboardInterrupt:
        status.end(path, quarter, stage, "interrupted", reason="Stopped by the user.")
        raise
    except Exception as error:
        code, reason = explain_exception(error)
        status.end(path, quarter, stage, "failed", reason_code=code, reason=reason)
        raise


def _failure(nb: NotebookNode, stage: str) -> tuple[str | None, str] | None:
    """Return code and text of the error in the executed notebook, if there is one.

    In the notebook, a mistake of the user keeps its message and loses its traceback. Any other
    error keeps its traceback and, on the private side, loses its message.
    """
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return _explained(output, cell, stage)
        if cell.metadata.get("papermill", {}).get("exception"):  # a group of errors leaves none
            _mute(cell, stage)
            return explain("ExceptionGroup", "", cell.execution_count)
    return None


def _explained(output: NotebookNode, cell: NotebookNode, stage: str) -> tuple[str | None, str]:
    if output.ename == "KeyboardInterrupt":
        raise KeyboardInterrupt
    explained = code, text = explain(output.ename, output.evalue, cell.execution_count)
    if code:  # also what the system refuses, such as E411
        output.ename, output.evalue = ExamsError.__name__, f"{code} {text}"
        output.traceback = [output.evalue]
    elif stage in _PRIVATE:
        output.evalue, output.traceback = "", withheld(output.ename, output.traceback)
        _mute(cell, stage)
    return explained


def _mute(cell: NotebookNode, stage: str) -> None:
    """Drop what a failing cell of a private stage has printed as errors: it may quote a record."""
    if stage in _PRIVATE:
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
