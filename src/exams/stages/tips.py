"""What a reader is told of each mark of a chart: in its tooltip, and in the chart's table."""

from collections.abc import Iterator
from typing import Any

import altair as alt

from exams.stages.findings import HIDDEN

_TITLES = {"n": "Students", "sd": "SD", "p": "p", "ci_low": "95 % from", "ci_high": "95 % to"}
_NONE = "–"


def told(*names: str, **numbers: str) -> list[alt.Tooltip]:
    """Return a tooltip of columns of words and of numbers, each with its format: n=",.0f"."""
    words = [alt.Tooltip(field=name, type="nominal", title=title(name)) for name in names]
    return words + [
        alt.Tooltip(field=name, type="quantitative", title=title(name), format=form)
        for name, form in numbers.items()
    ]


def title(name: str) -> str:
    """Return a column of figures as people read it."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def table(spec: dict[str, Any]) -> dict[str, list[Any]] | None:
    """Return columns (title, number) and rows (texts) of the marks with a tooltip; else None.

    `spec` is a Vega-Lite specification with its data inside. Rows without any figure are
    headings of the chart, and left out.
    """
    for layer in [spec, *spec.get("layer", [])]:
        tips = layer.get("encoding", {}).get("tooltip")
        if isinstance(tips, list):
            name = (layer.get("data") or spec["data"])["name"]
            rows = [[*_cells(row, tips)] for row in spec["datasets"][name] if _tells(row, tips)]
            return {"columns": [_column(tip) for tip in tips], "rows": rows}
    return None


def _column(tip: dict[str, Any]) -> dict[str, Any]:
    return {"title": tip.get("title", tip["field"]), "number": tip["type"] == "quantitative"}


def _tells(row: dict[str, Any], tips: list[dict[str, Any]]) -> bool:
    numbers = [tip["field"] for tip in tips if tip["type"] == "quantitative"]
    figures = numbers or [tip["field"] for tip in tips]
    return bool(row.get("suppressed")) or any(row.get(name) is not None for name in figures)


def _cells(row: dict[str, Any], tips: list[dict[str, Any]]) -> Iterator[str]:
    for tip in tips:
        value = row.get(tip["field"])
        if value is None:
            yield HIDDEN if row.get("suppressed") else _NONE
        else:
            yield format(value, tip["format"]) if "format" in tip else str(value)
