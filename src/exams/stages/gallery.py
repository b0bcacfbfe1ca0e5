"""The charts of a report, as Vega-Lite files and as outputs of its notebook."""

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import altair as alt
import pandas as pd

from exams.files import write_atomic
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
        self, name: str, page: str, chart: alt.TopLevelMixin, finding: str, detail: str, kind: str
    ) -> "Figure":
        """Write `chart` to <name>.vl.json and return it for display.

        `page` names the dashboard's pages (home, etl, ml, trends, several with spaces between;
        report: none of them). The title states the `finding`, with n, quarter and the like as
        `detail` below it. `kind` tells those who cannot see the chart what it draws; its figures
        are there for them as a table.
        """
        detail = ". ".join(filter(None, [detail, self.caveat]))
        spec = chart.to_dict()
        spec.pop("config", None)  # the page's theme applies
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
                "table": table(spec),
            },
        }
        write_atomic(self.folder / f"{name}.vl.json", json.dumps(spec, ensure_ascii=False))
        return Figure(spec)

    def paths(self) -> list[Path]:
        """Return the files that were written."""
        return [self.folder / f"{name}.vl.json" for name in self.names]

    def files(self) -> pd.DataFrame:
        """Return chart, page and title of what was written."""
        rows = [_summary(*written) for written in zip(self.names, self.paths(), strict=True)]
        return pd.DataFrame(rows, columns=["chart", "page", "title"])


def _summary(name: str, path: Path) -> tuple[str, str, str]:
    spec = json.loads(path.read_text(encoding="utf-8"))
    return name, ", ".join(spec["usermeta"]["page"]), " ".join(spec["title"]["text"])


@dataclass(frozen=True)
class Figure:
    """A chart in a notebook's output."""

    spec: dict[str, Any]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {CHART: self.spec, "text/plain": self.spec["description"]}
