"""The Ploomber executor: one line a stage, and a failure in three lines."""

import json
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ploomber.constants import TaskStatus
from ploomber.exceptions import DAGBuildError
from ploomber.executors.abc import Executor

from exams import cluster, project, status
from exams.errors import ExamsError
from exams.files import shown
from exams.orchestrate import forks, locks
from exams.orchestrate.failures import complaint, explain_exception, verdict
from exams.orchestrate.fingerprint import imported
from exams.orchestrate.healing import clear_away, heal
from exams.orchestrate.hooks import counted
from exams.orchestrate.products import products, receipt
from exams.orchestrate.showing import show
from exams.orchestrate.stopping import terminable
from exams.orchestrate.temporary import sweep_drafts, temporary
from exams.orchestrate.withdraw import withdraw
from exams.places import STAGES, Places
from exams.progress import say
from exams.quarters import check_quarter
from exams.warehouse import store

_UNDONE = "The build ended before its turn."


class BuildFailed(DAGBuildError):
    """A build that failed; its text is all that Ploomber prints about it."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)  # Ploomber's own would add an advertisement

    @classmethod
    def by(cls, error: ExamsError | OSError) -> "BuildFailed":
        """Return the failure by an error outside of every stage."""
        return cls(" ".join(filter(None, explain_exception(error))))


class StageExecutor(Executor):
    """Runs the stages of one quarter in this process.

    `announces` is off when several quarters are built; `building` says whether a build is going
    on, `ran` whether the last one had anything to do, `withdrawn` whether that was to withdraw.
    In a turn of several only `stages` run; those that are due beside them are `left`. If one of
    those comes before them, none of them runs: the turn `waits`. `found` is told which are due,
    `before` each one before it begins.
    """

    def __init__(
        self,
        quarter: str,
        data: str,
        reports: str,
        largest_file: object,
        refused_files: object,
        retention_years: object,
        workers: Mapping[str, object],
        timing: Mapping[str, object],
        warehouse: str = "",
    ) -> None:
        self.announces, self.building, self.ran, self._ready = True, False, False, False
        self.withdrawn = self.waits = False
        self.stages: Collection[str] = STAGES
        self.left: tuple[str, ...] = ()
        self.found: Callable[[Collection[str]], None] = lambda due: None
        self.before: Callable[[str], None] = lambda stage: None
        _silence()
        try:
            self.quarter = check_quarter(quarter)
            project.intake({"largest_file": largest_file, "refused_files": refused_files})
            project.retention_years({"retention_years": retention_years})
            cluster.ask_for(project.workers(workers))
            project.hand_on({"warehouse": warehouse})
            self.timing = project.timing(timing)  # found wrong here rather than at the next tick
            self.places = Places.of(data, reports)
            store.loaded(self.places.warehouse)  # out of reach: told here, not by Ploomber
            # Ploomber looks at the products right after this. If another process is building
            # them, the build below waits for it and looks again.
            self._ready = locks.hold(self.places, quarter, wait=False)
            if self._ready:
                self._prepare()
            if self._ready and not self._published(quarter):  # there is work for sure
                forks.prepare()
                with suppress(OSError, ValueError):  # Ploomber will tell
                    _expect(Path(f"notebooks/{stage}.ipynb") for stage in STAGES[:3])
        except (ExamsError, OSError) as error:
            raise BuildFailed.by(error) from None

    def __call__(self, dag: Any, show_progress: bool) -> list[Any]:
        """Run every stage that is due; raise BuildFailed if one fails."""
        del show_progress
        self.building = True
        try:
            with terminable():
                if not self._ready:
                    locks.hold(self.places, self.quarter)
                    self._look_again(dag)
                with temporary(self.places, self.quarter):
                    return self._build_shown(dag)
        except (ExamsError, OSError) as error:
            raise BuildFailed.by(error) from None
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            forks.dismiss()
            locks.release()
            self.building = self._ready = False

    def _prepare(self) -> None:
        clear_away(self.places)
        sweep_drafts(self.places, self.quarter)
        status.reap(self.places.status)
        heal(self.places, self.quarter)

    def _look_again(self, dag: Any) -> None:
        self._prepare()
        for task in dag.values():
            task.product.metadata.clear()
        dag.render(show_progress=False)

    def _build_shown(self, dag: Any) -> list[Any]:
        """Build, and let the static site follow, whatever the end."""
        try:
            done = self._build(dag)
        except BaseException:
            with suppress(OSError):  # the first failure is the one to tell of
                show(self.places, self.timing, self.quarter)
            raise
        show(self.places, self.timing, self.quarter)
        return done

    def _build(self, dag: Any) -> list[Any]:
        if self.quarter not in self.places.delivered_quarters():
            self._withdraw()
            for task in dag.values():
                task.exec_status = TaskStatus.Skipped
            return []
        due = [t for t in dag.values() if t.exec_status is not TaskStatus.Skipped]
        self._restore(task for task in dag.values() if task not in due)
        self.found([task.name for task in due])
        first = min(map(STAGES.index, self.stages), default=0)
        self.waits = any(STAGES.index(task.name) < first for task in due)
        now = [task for task in due if task.name in self.stages and not self.waits]
        self.ran, self.left = bool(now), tuple(task.name for task in due if task not in now)
        self._announce()
        if now:
            self._run_planned(due, now)
        for task in due:
            if task not in now:  # Ploomber wants to know of each that nothing is amiss
                task.exec_status = TaskStatus.Skipped
        return []

    def _restore(self, tasks: Iterable[Any]) -> None:
        """Note stages that are up to date as done, where the status has lost that."""
        for task in tasks:
            made = products(self.places, self.quarter, task.name)[-1].stat().st_mtime
            found = counted(receipt(self.places, self.quarter, task.name) or {}) | _made_from(task)
            found["ended"] = status.as_text(datetime.fromtimestamp(made, UTC))
            status.restore(self.places.status, self.quarter, task.name, **found)

    def _run_planned(self, due: list[Any], now: list[Any]) -> None:
        status.plan(self.places.status, self.quarter, [task.name for task in now])
        show(self.places, self.timing)
        try:
            with status.beating(self.places.status, self.quarter):  # while it waits, too
                for task in due:
                    self._check(task)
                self._run_all(now)
            self._restore(now)
        except BuildFailed:
            status.plan(self.places.status, self.quarter, self.left)
            raise
        finally:
            for task in due:  # those that did not get their turn
                status.end(self.places.status, self.quarter, task.name, "skipped", reason=_UNDONE)

    def _withdraw(self) -> None:
        if not withdraw(self.places, self.quarter, self.timing):
            delivered = self.places.delivered_quarters()
            raise ExamsError(
                "E402",
                f"{shown(self.places.delivery(self.quarter))} holds no file.",
                f"Deliver a file. Quarters with files: {', '.join(delivered) or 'none'}.",
            )
        say(f"{self.quarter}  {status.WITHDRAWN[0].lower()}{status.WITHDRAWN[1:]}")
        self.ran = self.withdrawn = True

    def _run_all(self, due: list[Any]) -> None:
        failures = []
        forks.prepare()
        _expect(Path(task.source.loc) for task in due)
        for task in due:
            if task.exec_status is not TaskStatus.Aborted:
                self.before(task.name)
                failures += self._run(task)
                if not failures:
                    show(self.places, self.timing)
        if failures:
            raise BuildFailed("\n".join(failures))

    def _run(self, task: Any) -> list[str]:
        """Run one stage and print its line; return the lines that explain a failure."""
        begin, explained, state = time.monotonic(), [], "interrupted"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                task.product.metadata.update_locally(task._build(catch_exceptions=True)[1])
            found = counted(receipt(self.places, self.quarter, task.name) or {})
            status.end(self.places.status, self.quarter, task.name, "done", **found)
            state = "done"
        except Exception as error:
            state, explained = "failed", self._explained(task, error)
        finally:
            if state == "interrupted":
                stopped = {"state": state, "reason": "Stopped by the user."}
                status.end(self.places.status, self.quarter, task.name, **stopped)
            self._print(task.name, state, time.monotonic() - begin)
        return explained

    def _check(self, task: Any) -> None:
        """Raise E404 if the notebook of a stage cannot run, before any stage has begun.

        Ploomber can do so itself (`static_analysis: strict`), but prints 30 lines about it.
        """
        try:
            task.source._check_notebook(raise_=True, check_signature=True)
        except Exception as error:
            what = f"{shown(Path(task.source.loc))} cannot run: {complaint(str(error))}."
            wrong = ExamsError("E404", what, "Open it with `make lab` and correct it.")
            status.start(self.places.status, self.quarter, task.name, **_made_from(task))
            self._explained(task, wrong)
            raise wrong from None

    def _explained(self, task: Any, error: Exception) -> list[str]:
        code, reason = explain_exception(error)
        path = self.places.status
        status.end(path, self.quarter, task.name, "failed", reason_code=code, reason=reason)
        return verdict(self.places, self.quarter, task.name, code, reason)

    def _print(self, stage: str, state: str, seconds: float) -> None:
        rows = (receipt(self.places, self.quarter, stage) or {}).get("rows_out")
        tail = f"  {rows:,} rows" if state == "done" and rows is not None else ""
        say(f"{self.quarter}  {stage:<9}  {state:<11}  {seconds:6.1f} s{tail}")

    def _announce(self) -> None:
        if self.announces:
            as_far = f" as far as {[*self.stages][-1]}" if self.left else ""
            up_to_date = f"{self.quarter} is up to date{as_far}."
            say(f"Building {self.quarter}." if self.ran else up_to_date)
            delivered = self.places.delivered_quarters()
            newer = [q for q in delivered if q > self.quarter and not self._published(q)]
            if newer:
                say(f"Newer deliveries wait: {', '.join(newer)}. Run `exams build --due`.")

    def _published(self, quarter: str) -> bool:
        return receipt(self.places, quarter, "visualize") is not None


def _expect(notebooks: Iterable[Path]) -> None:
    """Let kernels have done what these notebooks import."""
    forks.expect(name for notebook in notebooks for name in imported(notebook))


def _silence() -> None:
    """Silence warnings about what is meant so: `code` and `inputs` only make a stage due."""
    warnings.filterwarnings("ignore", r"(?s)\s*=+ DAG render with warnings")
    warnings.filterwarnings("ignore", "These parameters are not used")
    warnings.filterwarnings("ignore", category=FutureWarning, module="networkx")


def _made_from(task: Any) -> dict[str, str]:
    return {"inputs": json.dumps(task.params["inputs"]), "code": task.params["code"]}
