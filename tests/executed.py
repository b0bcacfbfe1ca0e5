"""An executed notebook for tests of the report: words, a table, charts, a parameter with paths."""

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from exams.web import CHART

FOLDER = "/nowhere/office"
PARAMETERS = f"""# Parameters
quarter = "2026Q3"
data = "{FOLDER}/data"
product = {{"nb_html": "{FOLDER}/reports/2026Q3/visualize.html"}}
"""


def notebook(charts: list[dict], table: pd.DataFrame | None = None) -> nbformat.NotebookNode:
    """Return a notebook as papermill leaves it, with one cell per chart."""
    cells = [
        new_markdown_cell("# Results of the quarter\n\n> How did the students do?", id="title"),
        new_code_cell("quarter = None", id="given", metadata={"tags": ["parameters"]}),
        new_code_cell(PARAMETERS, id="injected", metadata={"tags": ["injected-parameters"]}),
        new_markdown_cell("## Every group\n\nOne row per group and score.", id="groups"),
        new_code_cell(
            "read(quarter)", id="table", outputs=[_table(table)] if table is not None else []
        ),
        new_code_cell(
            "print(1)", id="out", outputs=[new_output("stream", name="stdout", text="1 file\n")]
        ),
        new_markdown_cell("## What the charts show", id="charts"),
    ]
    for i, spec in enumerate(charts):
        data = {CHART: spec, "text/plain": "<chart>"}
        cells.append(
            new_code_cell("chart", id=f"chart-{i}", outputs=[new_output("display_data", data=data)])
        )
    made = new_notebook(cells=cells)
    made.metadata["language_info"] = {"name": "python"}
    return made


def _table(table: pd.DataFrame) -> nbformat.NotebookNode:
    data = {"text/html": table.to_html(border=1), "text/plain": "table"}
    return new_output("execute_result", execution_count=1, data=data)
