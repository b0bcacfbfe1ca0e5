"""Notebooks as files: filled in when opened by hand, stripped when saved."""

import ast
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from pprint import pformat
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from exams.files import write_atomic

INJECTED = "injected-parameters"  # the tag by which papermill, too, knows such a cell
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_NOTE = "# Filled in on opening, never saved: what you run here writes under data/scratch/ only."


def stripped(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without anything that a run or an editor has left in it.

    Outputs, execution counts and injected cells go; of the metadata only tags and the name of
    the kernel stay, so that equal work gives equal bytes.
    """
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if INJECTED in tags:
            continue
        kept = NotebookNode({**cell, "metadata": {"tags": tags} if tags else {}})
        if cell.cell_type == "code":
            kept.update(outputs=[], execution_count=None)
        cells.append(kept)
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return nbformat.from_dict({**notebook, "cells": cells, "metadata": metadata})


def filled(notebook: NotebookNode, parameters: Mapping[str, Any]) -> NotebookNode:
    """Return a copy with a cell of `parameters` after the cell tagged `parameters`.

    A cell filled in earlier goes. A notebook without such a tag is returned as it is.
    """
    cells = [c for c in notebook.cells if INJECTED not in c.metadata.get("tags", [])]
    tagged = [i for i, c in enumerate(cells) if "parameters" in c.metadata.get("tags", [])]
    if not tagged:
        return notebook
    lines = [_NOTE, *(f"{name} = {pformat(value, width=90)}" for name, value in parameters.items())]
    cell = new_code_cell("\n".join(lines), id=INJECTED, metadata={"tags": [INJECTED]})
    cells.insert(tagged[0] + 1, cell)
    return nbformat.from_dict({**notebook, "cells": cells})


def injected(notebook: NotebookNode) -> dict[str, Any]:
    """Return the parameters of the injected cell that are literals; empty if there is none."""
    found = {}
    for cell in notebook.cells:
        if INJECTED not in cell.metadata.get("tags", []):
            continue
        for line in ast.parse(cell.source).body:
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                with suppress(ValueError):
                    found[line.targets[0].id] = ast.literal_eval(line.value)
    return found


def text(notebook: NotebookNode) -> str:
    """Return the notebook as it stands in a file."""
    return nbformat.writes(notebook) + "\n"


def strip_file(path: Path) -> bool:
    """Strip the notebook at `path`; say whether that changed it."""
    before = path.read_text(encoding="utf-8")
    after = text(stripped(nbformat.reads(before, as_version=4)))
    if after != before:
        write_atomic(path, after)
    return after != before


if __name__ == "__main__":  # the pre-commit hook: fails when it had to change a file
    changed = [name for name in sys.argv[1:] if strip_file(Path(name))]
    print(*(f"stripped {name}" for name in changed), sep="\n", end="\n" if changed else "")
    sys.exit(bool(changed))
