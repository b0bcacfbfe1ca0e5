"""Loads pipeline.yaml for a quarter, or says in one line why that is impossible."""

import sqlite3
import warnings
from pathlib import Path
from typing import Any

import yaml
from click import ClickException
from ploomber.exceptions import DAGBuildError
from ploomber.spec import DAGSpec

from exams import project
from exams.errors import ExamsError
from exams.places import Places


def load(root: Path, quarter: str, places: Places, *, building: bool) -> Any:
    """Return Ploomber's DAG of a quarter of the project at `root`, which is the current folder.

    Unless it is for `building`, it lacks the pipeline's executor, which would prepare a build.
    Raise E403 if pipeline.yaml or a notebook cannot be read.
    """
    env = project.environment(root, quarter, places)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if building:
                return DAGSpec("pipeline.yaml", env=env).to_dag()
            spec = yaml.safe_load((root / "pipeline.yaml").read_text(encoding="utf-8"))
            spec["executor"] = "serial"
            return DAGSpec(spec, env=env, parent_path=str(root)).to_dag()
    except (ExamsError, DAGBuildError, OSError, sqlite3.Error):
        raise
    except Exception as error:
        gist = type(error).__name__
        if isinstance(error, ClickException):  # Ploomber's words about the project's own files
            gist = str(error).splitlines()[0].replace(f"{root.resolve()}/", "").rstrip(".")
        what = f"The pipeline cannot be loaded: {gist}."
        remedy = "Correct pipeline.yaml or the notebook, or take it from git again."
        raise ExamsError("E403", what, remedy) from error
