"""Builds quarters from Python: one, or every one that is due."""

import sys
import warnings
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from ploomber.exceptions import DAGBuildError, DAGRenderError
from ploomber.spec import DAGSpec

from exams import project
from exams.orchestrate import locks
from exams.orchestrate.withdraw import vanished
from exams.places import Places


def build_quarter(quarter: str, root: Path = Path()) -> bool:
    """Build one quarter of the project at `root`; say whether it went well.

    What happens is printed.
    """
    root = project.find_root(root)
    return _built(quarter, root, project.places(root), announces=True) != "failed"


def build_due(root: Path = Path(), quarters: Iterable[str] = ()) -> int:
    """Build every quarter that is due, or those of `quarters` that are, oldest first.

    One that fails does not stop the others. Return the exit code: 0, or 1 if one failed.
    """
    root = project.find_root(root)
    ends = build_each(root, quarters or due_quarters(project.places(root)))
    return 1 if "failed" in ends.values() else 0


def due_quarters(places: Places) -> list[str]:
    """Return the quarters to look at, oldest first: those that have files or have lost the last.

    The latter are withdrawn.
    """
    return sorted({*places.delivered_quarters(), *vanished(places)})


def build_each(root: Path, quarters: Iterable[str]) -> dict[str, str]:
    """Build those of `quarters` that are due, oldest first; return what became of each.

    It is built, idle (it was up to date) or failed.
    """
    places, chosen = project.places(root), sorted(set(quarters))
    if not chosen:
        print("No quarter has files yet; nothing to do.")
    ends = {quarter: _built(quarter, root, places, announces=False) for quarter in chosen}
    if idle := [*ends.values()].count("idle"):
        up_to_date = "1 quarter is up to date" if idle == 1 else f"{idle} quarters are up to date"
        print(f"{up_to_date}{'; nothing to do' if idle == len(ends) else ''}.")
    return ends


def _built(quarter: str, root: Path, places: Places, *, announces: bool) -> str:
    """Build a quarter; return built, idle (it was up to date) or failed."""
    env = project.environment(root, quarter, places)
    try:
        with chdir(root), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dag = DAGSpec("pipeline.yaml", env=env).to_dag()
            dag.executor.announces = announces
            dag.build(show_progress=False)
    except (DAGBuildError, DAGRenderError) as error:
        print(error, file=sys.stderr)
        return "failed"
    finally:
        locks.release()
    return "built" if dag.executor.ran else "idle"
