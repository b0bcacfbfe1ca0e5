"""The six notebooks through papermill alone: python benchmarks/notebooks.py PROJECT [--report].

For each quarter with files, in one process that has imported Ploomber; with --report each one
becomes an HTML report, too, through the exporter of the project. No lock, no status, no look at
what has to run: what builds.py compares with.
"""

import sys
from pathlib import Path

import papermill
import ploomber  # noqa: F401  as a build does
from nbformat import NotebookNode

from exams import project
from exams.places import STAGES, Places
from exams.report import ReportExporter


def main(root: Path, report: bool) -> None:
    places = project.places(root)
    for quarter in places.delivered_quarters():
        places.report(quarter)
        for stage in STAGES:
            done = execute(root, places, quarter, stage)
            if report:
                export(done, places.reports / quarter / f"{stage}.html", stage)


def execute(root: Path, places: Places, quarter: str, stage: str) -> NotebookNode:
    folder = places.reports / quarter
    product = {
        "nb_ipynb": str(folder / f"{stage}.ipynb"),
        "nb_html": str(folder / f"{stage}.html"),
        "receipt": str(folder / f"{stage}.receipt.json"),
    }
    given = {"quarter": quarter, "data": str(places.data), "reports": str(places.reports)}
    given |= {"code": "benchmark", "inputs": {}, "upstream": None, "product": product}
    if stage == "extract":
        given |= project.intake(project.settings(root))._asdict()
    return papermill.execute_notebook(
        root / "notebooks" / f"{stage}.ipynb", product["nb_ipynb"], given, progress_bar=False
    )


def export(done: NotebookNode, path: Path, stage: str) -> None:
    exporter = ReportExporter(exclude_input=stage == "visualize")
    path.write_text(exporter.from_notebook_node(done)[0], encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--report" in sys.argv)
