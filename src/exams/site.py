"""reports/index.html: every published quarter with its key figures and its reports."""

from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from exams import published, web
from exams.editions import edition
from exams.files import write_atomic
from exams.places import STAGES, Places
from exams.status import known

_MOMENT = "%-d %b %Y, %H:%M UTC"
_FOLDER = web.FOLDER / "site"


def write_index(places: Places) -> Path:
    """Write the list anew from published.db and status.db; return its path."""
    runs = known(places.status)
    publications = published.read(places.published, "publication")
    rows = sorted(publications, key=lambda row: row["quarter"], reverse=True)
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True)
    page = environment.get_template("index.html.j2").render(
        style=web.static("tokens.css") + (_FOLDER / "index.css").read_text(encoding="utf-8"),
        quarters=[_entry(places, row, runs) for row in rows],
        dashboard=(places.site / "index.html").is_file(),
    )
    write_atomic(places.index, page)
    return places.index


def _entry(
    places: Places, publication: dict[str, Any], runs: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what the list says of one quarter."""
    quarter = publication["quarter"]
    fields = [f for f in _read(places, "field", quarter) if f["role"] in ("score", "overall")]
    means = {row["score"]: row for row in _everyone(places, "mean_by_group", quarter)}
    risk = next(iter(_everyone(places, "at_risk_by_group", quarter)), None)
    failed = (r for r in runs if r["quarter"] == quarter and r["state"] == "failed")
    return {
        "name": quarter,
        "version": publication["version"],
        "edition": edition(places.published, quarter),
        "published_at": f"{datetime.fromisoformat(publication['published_at']):{_MOMENT}}",
        "students": _students([*means.values(), *([risk] if risk else [])]),
        "means": [(f["title"], _mean(means.get(f["name"]), f)) for f in fields],
        "at_risk": _share(risk),
        "refused": publication["refused"] or 0,
        "trouble": next(failed, None),
        "card": (places.reports / quarter / "model_card.html").is_file(),
        "stages": [stage for stage in STAGES if _has_report(places, quarter, stage)],
    }


def _read(places: Places, table: str, quarter: str) -> list[dict[str, Any]]:
    return published.read(places.published, table, quarter)


def _everyone(places: Places, table: str, quarter: str) -> list[dict[str, Any]]:
    return [row for row in _read(places, table, quarter) if row["dimension"] == "all"]


def _mean(row: dict[str, Any] | None, field: dict[str, Any]) -> str:
    """Return a mean with decimals that suit its scale: one on 0 to 100, two on 1 to 6."""
    if row is None:
        return "–"
    if row["suppressed"]:
        return "hidden"
    decimals = 2 if field["maximum"] - field["minimum"] <= 20 else 1
    return "–" if row["mean"] is None else f"{row['mean']:.{decimals}f}"


def _students(rows: list[dict[str, Any]]) -> str:
    """Return how many students the rows count, as far as one of them shows it."""
    counts = [row["n"] for row in rows if row["n"] is not None]
    if counts:
        return f"{max(counts):,}"
    return "hidden" if rows else "–"


def _share(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    if row["suppressed"]:
        return "hidden"
    return "–" if row["share"] is None else f"{100 * row['share']:.1f} %"


def _has_report(places: Places, quarter: str, stage: str) -> bool:
    """Say whether a stage has a report; visualize's is written after it has made this list."""
    return stage == "visualize" or (places.reports / quarter / f"{stage}.html").is_file()
