"""The HTML report of a stage: its executed notebook as one file that opens with the network off.

Registered with nbconvert as `exams`: `jupyter nbconvert --to exams notebook.ipynb`.
"""

import ast
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode, from_dict
from traitlets import default

from exams import lineage, web
from exams.files import read_note
from exams.notebook import INJECTED, injected
from exams.places import STAGES

_NUMBER = re.compile(r"[-−+±]?[\d.,]+(e[-+]?\d+)?\s?%?")
_LONG = 40  # letters of a text that wants a broad column
_MISSING = ("", "NaN", "None", "<NA>", "–", "hidden")
_RESULTS = {"home", "ml", "trends"}  # pages of the dashboard
_TEMPLATE = web.REPORT_TEMPLATES / "exams"


class ReportExporter(HTMLExporter):
    """Draws charts and tables in the office's style and leaves out what names this machine."""

    export_from_notebook = "Exams report"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "exams"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(web.REPORT_TEMPLATES)]

    def default_filters(self) -> Iterable[tuple[str, Any]]:
        """Add the filters for tables and for sentences."""
        yield from super().default_filters()
        yield "tidied", tidied
        yield "sentence", sentence
        yield "place", place

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the report of an executed notebook, and nbconvert's resources."""
        parameters = injected(nb)
        shown = NotebookNode(nb)
        cells = [cell for cell in nb.cells if not _names_this_machine(cell)]
        shown.cells = [from_dict(web.finite_json(json.dumps(cell))) for cell in cells]
        resources = dict(resources or {})
        resources["report"] = _page(shown, parameters)
        return super().from_notebook_node(shown, resources, **kw)


def tidied(html: str) -> str:
    """Return pandas' tables with one row of headings; columns of numbers and long texts marked."""
    if 'class="dataframe"' not in html:
        return html
    soup = BeautifulSoup(html, "html.parser")
    for style in soup.select("style"):  # pandas' own, which sets every heading to the right
        style.extract()
    for table in soup.select("table.dataframe"):
        del table["border"]
        _merge_headings(table)
        rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
        for cell in (cell for row in rows for cell in row if len(cell.get_text()) > _LONG):
            cell["class"] = "long"
        body = [row.find_all(["th", "td"]) for row in table.select("tbody tr")]
        for place in range(1, max(map(len, rows), default=0) + 1):  # from the right: on the left,
            if all(_is_number(row[-place]) for row in body if place <= len(row)):  # cells span rows
                for cell in (row[-place] for row in rows if place <= len(row)):
                    cell["class"] = "number"
    return str(soup)


def sentence(text: str) -> str | None:
    """Return the words of a cell whose value is a text; None if it is anything else.

    `text` is the value as Python writes it.
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def place(spec: dict[str, Any]) -> str:
    """Return the anchor of a chart of the gallery; empty for any other."""
    order = spec.get("usermeta", {}).get("order")
    return f"chart-{order}" if order else ""


def _merge_headings(table: Tag) -> None:
    """Put the names of the index, a row of their own in pandas, above the index.

    A corner that is empty heads nothing: it becomes a cell.
    """
    rows = table.select("thead tr")
    for row in rows:
        del row["style"]
    if len(rows) == 2 and len(rows[0].find_all("th")) == len(rows[1].find_all("th")):
        for above, below in zip(rows[0].find_all("th"), rows[1].find_all("th"), strict=True):
            if below.get_text().strip():
                above.string = below.get_text()
        rows[1].extract()
    for corner in table.select("thead th"):
        if not corner.get_text().strip():
            corner.name = "td"


def _is_number(cell: Tag) -> bool:
    text = cell.get_text().strip()
    return text in _MISSING or _NUMBER.fullmatch(text) is not None


def _page(nb: NotebookNode, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what the template puts around the cells."""
    title, headings = _headings(nb)
    has_charts = bool(_charts(nb))
    product = parameters.get("product")
    page = product.get("nb_html", "") if isinstance(product, dict) else ""
    return {
        "title": title,
        "headings": headings,
        "findings": _findings(nb),
        "first_section": _first_section(nb),
        "quarter": parameters.get("quarter"),
        "stage": Path(page).stem,
        "stages": STAGES,
        "lineage": _lineage(Path(page)) if has_charts and page else {},
        "chart": web.CHART,
        "style": web.static("tokens.css") + _text("report.css"),
        "script": web.script("charts.js") + _text("report.js"),
        "vega": web.packed(web.vega()) if has_charts else "",
    }


def _lineage(page: Path) -> dict[str, Any]:
    """Return the lineage that lies beside the page, as far as it is complete."""
    found = read_note(page.with_name(lineage.NAME))
    return found if "publication" in found else {}


def _headings(nb: NotebookNode) -> tuple[str, list[dict[str, str]]]:
    """Return the first heading, and text and anchor of those of the second order."""
    words = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    words = re.sub(r"^```.*?^```", "", words, flags=re.DOTALL | re.MULTILINE)
    first = re.search(r"^# +(.+?)\s*$", words, re.MULTILINE)
    texts = [re.sub(r"[`*]", "", t) for t in re.findall(r"^## +(.+?)\s*$", words, re.MULTILINE)]
    headings = [{"text": text, "anchor": text.replace(" ", "-")} for text in texts]
    return (first[1] if first else "Report"), headings


def _findings(nb: NotebookNode) -> list[dict[str, str]]:
    """Return what each section's first chart of results finds, and where; none of a single one."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            headings = _headings(NotebookNode(cells=[cell]))[1]
            section = headings[-1]["text"] if headings else section
        for spec in _charts(NotebookNode(cells=[cell])):
            if place(spec) and _RESULTS.intersection(spec["usermeta"]["page"]):
                text = " ".join(spec["title"]["text"])
                found.setdefault(section, {"section": section, "text": text, "anchor": place(spec)})
    return list(found.values()) if len(found) > 1 else []


def _first_section(nb: NotebookNode) -> str:
    """Return the id of the first cell with a heading of the second order; empty without one."""
    cells = (cell for cell in nb.cells if cell.cell_type == "markdown")
    return next((cell.id for cell in cells if re.search(r"^## ", cell.source, re.MULTILINE)), "")


def _charts(nb: NotebookNode) -> list[NotebookNode]:
    data = [output.get("data", {}) for output in _outputs(nb)]
    return [found[web.CHART] for found in data if web.CHART in found]


def _outputs(nb: NotebookNode) -> list[NotebookNode]:
    return [output for cell in nb.cells for output in cell.get("outputs", [])]


def _names_this_machine(cell: NotebookNode) -> bool:
    """Say whether the cell holds parameters, whose folders mean nothing to a reader."""
    return not {"parameters", INJECTED}.isdisjoint(cell.metadata.get("tags", []))


def _text(name: str) -> str:
    return (_TEMPLATE / name).read_text(encoding="utf-8")
