"""Compares the outputs of two executed notebooks as nbval does.

nbval is a plugin of pytest: it executes a notebook itself, in its own folder, where it would
write over what it is to be compared with. Here are its rules alone; a test holds them to nbval's.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from exams.notebook import INJECTED

# What nbval, too, leaves out: counters, and what is drawn anew each time.
_SKIPPED = {
    "metadata",
    "traceback",
    "prompt_number",
    "output_type",
    "name",
    "execution_count",
    "application/vnd.jupyter.widget-view+json",
    "image/png",
    "image/jpeg",
}
_SANITISED = {  # what no two executions have in common
    r"altair-viz-[0-9a-f]{32}": "CHART",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z| UTC)?": "TIME",
}
_WIDTH = 80  # characters of a line that a difference shows


def notebook_differences(reference: NotebookNode, test: NotebookNode) -> list[str]:
    """Return what differs between two executions of a notebook: a line for each cell.

    A cell is named by its number of execution. Cells with parameters have no outputs, and may
    name other folders.
    """
    before, now = _cells(reference), _cells(test)
    if len(before) != len(now):
        return [f"it has {len(now)} cells of code, and had {len(before)}"]
    found = []
    for old, new in zip(before, now, strict=True):
        name = f"cell [{old.get('execution_count') or '?'}]"
        if old.source != new.source:
            found.append(f"{name}: its code is another")
        found += [f"{name}: {what}" for what in output_differences(old.outputs, new.outputs)]
    return found


def output_differences(
    reference: Sequence[Mapping[str, Any]], test: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what differs between the outputs of two executions of a cell; empty if nothing does.

    Outputs are compared by kind (stdout, text/html, ...), in order within each.
    """
    before, now = _by_kind(reference), _by_kind(test)
    return [
        f"{kind}: {_difference(before.get(kind, []), now.get(kind, []))}"
        for kind in dict.fromkeys([*before, *now])
        if before.get(kind, []) != now.get(kind, [])
    ]


def _cells(notebook: NotebookNode) -> list[NotebookNode]:
    code = (cell for cell in notebook.cells if cell.cell_type == "code")
    return [cell for cell in code if INJECTED not in cell.metadata.get("tags", [])]


def _by_kind(outputs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the values of outputs by kind; a stream is one text, however often it was flushed."""
    found: dict[str, list[Any]] = {}
    for output in outputs:
        if output["output_type"] == "stream":
            former = found.get(output["name"], [""])[0]
            found[output["name"]] = [former + output["text"]]
            continue
        for kind, value in _flat(output):
            if kind not in _SKIPPED:
                found.setdefault(kind, []).append(value)
    return {kind: [_sanitised(value) for value in values] for kind, values in found.items()}


def _flat(output: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in output.items():
        if key == "data":
            yield from value.items()
        else:
            yield key, value


def _sanitised(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for pattern, word in _SANITISED.items():
        value = re.sub(pattern, word, value)
    return value


def _difference(before: list[Any], now: list[Any]) -> str:
    if len(before) != len(now):
        return f"{len(now)} outputs, and there were {len(before)}"
    old, new = next((a, b) for a, b in zip(before, now, strict=True) if a != b)
    lines = [_lines(old), _lines(new)]
    longest = max(map(len, lines))
    one, other = ([*part, *[""] * (longest - len(part))] for part in lines)
    first = next((pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]), ("", ""))
    return " is now ".join(f"“{line.strip()[:_WIDTH]}”" for line in first)


def _lines(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=0, sort_keys=True)
    return text.splitlines()
