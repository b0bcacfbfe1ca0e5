"""Builds quarters from Python: one, or every one that is due."""

import sys
import warnings
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

import yaml
from ploomber.exceptions import DAGBuildError, DAGRenderError
from ploomber.spec import DAGSpec

from exams.errors import ExamsError
from exams.orchestrate import locks
from exams.places import Places


def build_quarter(
    quarter: str,
    root: Path = Path(),
    data: str | Path | None = None,
    reports: str | Path | None = None,
) -> bool:
    """Build one quarter of the project at `root`; say whether it went well.

    `data` and `reports` take the place of the folders in env.yaml. What happens is printed.
    """
    return _built(quarter, root, _folders(root, data, reports), announces=True) != "failed"


def build_due(
    root: Path = Path(),
    data: str | Path | None = None,
    reports: str | Path | None = None,
    quarters: Iterable[str] | None = None,
) -> int:
    """Build every quarter that is due, or those of `quarters` that are, oldest first.

    A quarter that fails does not stop the others. Return the exit code: 0, or 1 if one failed.
    """
    folders = _folders(root, data, reports)
    chosen = sorted(set(quarters or Places.of(**folders).delivered_quarters()))
    if not chosen:
        print("No quarter has files yet; nothing to do.")
    ends = [_built(quarter, root, folders, announces=False) for quarter in chosen]
    if idle := ends.count("idle"):
        up_to_date = "1 quarter is up to date" if idle == 1 else f"{idle} quarters are up to date"
        print(f"{up_to_date}{'; nothing to do' if idle == len(ends) else ''}.")
    return 1 if "failed" in ends else 0


def _built(quarter: str, root: Path, folders: dict[str, str], *, announces: bool) -> str:
    """Build a quarter; return built, idle (it was up to date) or failed."""
    try:
        with chdir(root), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dag = DAGSpec("pipeline.yaml", env={"quarter": quarter, **folders}).to_dag()
            dag.executor.announces = announces
            dag.build(show_progress=False)
    except (DAGBuildError, DAGRenderError) as error:
        print(error, file=sys.stderr)
        return "failed"
    finally:
        locks.release()
    return "built" if dag.executor.ran else "idle"


def _folders(root: Path, data: str | Path | None, reports: str | Path | None) -> dict[str, str]:
    """Return the folders to build in, absolute: those given, else those of env.yaml."""
    settings = root / "env.yaml"
    if not settings.is_file():
        raise ExamsError("E403", "There is no env.yaml here.", "Run it in the project's folder.")
    env = yaml.safe_load(settings.read_text())
    return {
        "data": str(Path(data or root / env["data"]).resolve()),
        "reports": str(Path(reports or root / env["reports"]).resolve()),
    }
