"""JupyterLab for this project: opened notebooks are filled in, saved ones stripped."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat import NotebookNode

from exams import project
from exams.errors import ExamsError
from exams.notebook import filled, stripped
from exams.places import STAGES
from exams.scratch import parameters, prepare_scratch


class ProjectContents(AsyncLargeFileManager):
    """Reads and writes files for JupyterLab; set in etc/jupyter/jupyter_server_config.json.

    A stage's notebook opens with its parameters filled in, so that running it by hand writes
    under data/scratch/ only; saving one writes neither outputs nor paths. An analyst's own
    notebooks are left as they are.
    """

    async def get(self, path: str, content: bool = True, *args: Any, **kwargs: Any) -> dict:
        """Return the model of a file; a stage's notebook with its parameters."""
        model = await super().get(path, content, *args, **kwargs)
        notebook = Path(self._get_os_path(path.strip("/")))
        if content and model["type"] == "notebook" and is_stage(notebook):
            try:
                model["content"] = await asyncio.to_thread(by_hand, notebook, model["content"])
            except (ExamsError, OSError, sqlite3.Error) as error:
                self.log.warning("%s opens without parameters: %s", path, error)
        return model

    async def save(self, model: dict, path: str = "") -> dict:
        """Save a file; a notebook of this project stripped."""
        own = is_own(Path(self._get_os_path(path.strip("/"))))
        if own and model.get("type") == "notebook" and "content" in model:
            model = {**model, "content": stripped(nbformat.from_dict(model["content"]))}
        return await super().save(model, path)


def is_own(path: Path) -> bool:
    """Say whether `path` is a notebook of the project: a stage's or the dashboard's."""
    return is_stage(path) or (path.name == "dashboard.ipynb" and _in_project(path))


def is_stage(path: Path) -> bool:
    """Say whether `path` is notebooks/<stage>.ipynb beside a pipeline.yaml."""
    return path.suffix == ".ipynb" and path.stem in STAGES and _in_project(path)


def by_hand(path: Path, notebook: NotebookNode) -> NotebookNode:
    """Return a stage's `notebook` filled in for the working copy, which is brought up to date.

    The quarter is that of env.yaml if it has been delivered, else the newest delivered one.
    """
    root = path.parent.parent
    real = project.places(root)
    delivered = real.delivered_quarters()
    quarter = str(project.settings(root).get("quarter", ""))
    if quarter not in delivered:
        if not delivered:
            raise ExamsError("E005", "No quarter has been delivered.", "Run `make run` first.")
        quarter = delivered[-1]
    given = parameters(prepare_scratch(real, quarter), quarter, path.stem)
    if path.stem == "extract":
        given |= project.intake(project.settings(root))._asdict()
    return filled(notebook, given)


def open_lab(root: Path, arguments: Sequence[str] = ()) -> None:
    """Replace this process by JupyterLab in `root`, on the loopback interface.

    `arguments` are those of `jupyter lab`.
    """
    os.chdir(root)
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    if os.geteuid() == 0:  # in a container, where JupyterLab would refuse
        command.append("--allow-root")
    os.execv(sys.executable, [*command, *arguments])


def _in_project(path: Path) -> bool:
    return path.parent.name == "notebooks" and (path.parents[1] / "pipeline.yaml").is_file()
