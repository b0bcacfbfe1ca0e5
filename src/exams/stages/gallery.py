"""The charts of a report, as Vega-Lite files and as outputs of its notebook."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import altair as alt
import pandas as pd

from exams.files import write_atomic
from exams.stages.findings import ALL
from exams.stages.lean import lean
from exams.stages.tips import table
from exams.web import CHART


class Gallery:
    """The charts of a report: each is written as a Vega-Lite file and shown."""

    def __init__(self, folder: Path, caveat: str = "") -> None:
        """Empty the folder: a chart whose cell is gone shall be gone.

        `caveat` stands below the title of every chart.
        """
        self.folder, self.caveat = folder, caveat
        self.names: list[str] = []
        for former in folder.glob("*.vl.json"):
            former.unlink()

    def show(
        self,
        name: str,
        page: str,
        chart: alt.TopLevelMixin,
        finding: str | Mapping[str, str],
        detail: str,
        kind: str,
    ) -> "Figure":
        """Write `chart` to <name>.vl.json and return it for display.

        `page` names the dashboard's pages (home, etl, ml, trends, several with spaces between;
        report: none of them). The title states the `finding`, with what is drawn, n and quarter as
        `detail` below it, which must stay true where a reader narrows the chart to a score or a
        dimension. The finding gives way then, to another of several (findings.of_each): a chart
        of one of its scores, by an Altair parameter `score`, begins with that one's, others with
        that of all. `kind` says what is drawn to those who cannot see it; they get a table, too.
        """
        findings = {} if isinstance(finding, str) else dict(finding)
        detail = ". ".join(filter(None, [detail, self.caveat]))
        spec = lean(chart.to_dict())
        spec.pop("config", None)  # the page's theme applies
        finding = finding if isinstance(finding, str) else finding.get(_chosen(spec), detail)
        self.names.append(name)
        spec |= {
            "title": {"text": wrap(finding, 42), "subtitle": wrap(detail, 52)},  # fits a phone
            "description": f"{finding}. {detail}. {kind}.",
            "width": "container",
            "autosize": {"type": "fit-x", "contains": "padding"},
            "usermeta": {
                "name": name,
                "page": page.split(),
                "order": len(self.names),
                "kind": kind,
                "findings": findings,
                "table": table(spec),
            },
        }
        write_atomic(self.folder / f"{name}.vl.json", _text(spec))
        return Figure(spec)

    def paths(self) -> list[Path]:
        """Return the files that were written."""
        return [self.folder / f"{name}.vl.json" for name in self.names]

    def files(self) -> pd.DataFrame:
        """Return chart, page and title of what was written."""
        rows = [_summary(*written) for written in zip(self.names, self.paths(), strict=True)]
        return pd.DataFrame(rows, columns=["chart", "page", "title"])


def _chosen(spec: dict[str, Any]) -> str:
    """Return the score that a chart starts with: that of its parameter, else all of them."""
    return next((str(p["value"]) for p in spec.get("params", []) if p["name"] == "score"), ALL)


def _text(spec: dict[str, Any]) -> str:
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":"))


def _summary(name: str, path: Path) -> tuple[str, str, str]:
    spec = json.loads(path.read_text(encoding="utf-8"))
    return name, ", ".join(spec["usermeta"]["page"]), " ".join(spec["title"]["text"])


@dataclass(frozen=True)
class Figure:
    """A chart in a notebook's output."""

    spec: dict[str, Any]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {CHART: self.spec, "text/plain": self.spec["description"]}
