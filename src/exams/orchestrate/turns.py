"""A turn of a quarter: some of its stages, run by Ploomber in this process."""

import warnings
from collections.abc import Callable, Collection
from contextlib import chdir
from pathlib import Path

from ploomber.exceptions import DAGBuildError, DAGRenderError

from exams import project
from exams.orchestrate import forks, locks, pipeline
from exams.orchestrate.workers import Outcome
from exams.places import STAGES
from exams.progress import say


def run_turn(
    quarter: str,
    root: Path,
    stages: Collection[str] = STAGES,
    *,
    announces: bool = False,
    before: Callable[[str], None] = lambda stage: None,
    found: Callable[[Collection[str]], None] = lambda due: None,
) -> Outcome:
    """Run those of `stages` that are due for a quarter of the project at `root`.

    `found` is told which stages are due, `before` each stage before it begins. What happens is
    printed.
    """
    places = project.places(root)
    try:
        with chdir(root), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dag = pipeline.load(root, quarter, places, building=True)
            turn = dag.executor
            turn.announces, turn.stages, turn.before, turn.found = announces, stages, before, found
            dag.build(show_progress=False)
    except (DAGBuildError, DAGRenderError) as error:
        say(error, "stderr")
        return Outcome("failed")
    finally:
        forks.dismiss()
        locks.release()
    end = "waits" if turn.waits else "built" if turn.ran else "idle"
    return Outcome(end, turn.left, turn.withdrawn)
