"""What one page of the dashboard needs of one quarter, as plain data for JSON."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from exams import published, web
from exams.dashboard.tables import catalog
from exams.editions import edition
from exams.errors import ExamsError
from exams.files import states
from exams.places import STAGES, Places

SHOWN = (
    "field",
    "delivery",
    "quarantine_count",
    "repair_count",
    "schema_change",
    "mean_by_group",
    "at_risk_by_group",
    "levels",
    "tiers",
    "gaps",
    "prediction",
    "explanation",
    "calibration",
    "fairness",
)
_TRIES = 3


def payload(places: Places, quarter: str | None = None) -> dict[str, Any]:
    """Return everything the dashboard shows of `quarter` (the newest, if it is not published).

    It is what `common` and `of_quarter` return, and `stamp`.
    """
    for _ in range(_TRIES - 1):
        with suppress(FileNotFoundError, ValueError):  # a build takes away what was there just now
            return _payload(places, quarter)
    return _payload(places, quarter)


def _payload(places: Places, quarter: str | None) -> dict[str, Any]:
    now = stamp(places)  # before reading: what changes meanwhile is seen at the next tick
    found = common(places)
    quarters = found["quarters"]
    chosen = quarter if quarter in quarters else next(iter(quarters), None)
    return {**found, **(of_quarter(places, chosen) if chosen else {}), "stamp": now}


def common(places: Places) -> dict[str, Any]:
    """Return what the dashboard shows whatever the quarter.

    Keys: quarters (newest first), incomplete (those of which a file was refused), history (of
    every quarter, oldest first: the rows of all students), stages, catalog (what the published
    tables hold); and those of `of_quarter`, as they are where nothing is published.
    """
    publications = {row["quarter"]: row for row in _publications(places)}
    quarters = sorted(publications, reverse=True)
    return {
        "quarters": quarters,
        "incomplete": [q for q in quarters if publications[q]["refused"]],
        "history": _history(places) if quarters else [],
        "stages": list(STAGES),
        "catalog": catalog(places) if quarters else [],
        "quarter": None,
        "publication": None,
        "tables": {},
        "charts": [],
        "has_report": False,
        "has_card": False,
    }


def of_quarter(places: Places, quarter: str) -> dict[str, Any]:
    """Return what the dashboard shows of a published quarter.

    Keys: quarter, publication, tables (published rows), charts, has_report, has_card.
    """
    [publication] = published.read(places.published, "publication", quarter)
    return {
        "quarter": quarter,
        "publication": publication | {"edition": edition(places.published, quarter)},
        "tables": {name: published.read(places.published, name, quarter) for name in SHOWN},
        "charts": _charts(places, quarter),
        "has_report": _page(places, quarter, "visualize").is_file(),
        "has_card": _page(places, quarter, "model_card").is_file(),
    }


def report(places: Places, quarter: str) -> str:
    """Return the HTML report of a published quarter; raise E305 if there is none."""
    return _shown(places, quarter, "visualize", "report")


def card(places: Places, quarter: str) -> str:
    """Return the model card of a published quarter as HTML; raise E305 if there is none."""
    return _shown(places, quarter, "model_card", "model card")


def _shown(places: Places, quarter: str, name: str, title: str) -> str:
    path = _page(places, quarter, name)
    if quarter not in {row["quarter"] for row in _publications(places)} or not path.is_file():
        raise ExamsError("E305", f"This quarter has no {title}.", "Build it again.")
    return path.read_text(encoding="utf-8")


def stamps(places: Places) -> dict[str, str]:
    """Return, for each published quarter, a text that changes with what `of_quarter` returns."""
    found = {}
    for row in _publications(places):
        quarter = row["quarter"]
        files = sorted((places.reports / quarter / "charts").glob("*.vl.json"))
        files += [_page(places, quarter, name) for name in ("visualize", "model_card")]
        found[quarter] = f"{row['version']} {row['published_at']} {states(files)}"
    return found


def stamp(places: Places) -> str:
    """Return a text that changes with the publications, a chart or a report."""
    files = [places.published]
    files += sorted(places.reports.glob("*/charts/*.vl.json"))
    files += sorted(places.reports.glob("*/visualize.html"))
    files += sorted(places.reports.glob("*/model_card.html"))
    return states(files)


def _publications(places: Places) -> list[dict[str, Any]]:
    if not places.published.is_file():
        return []
    return published.read(places.published, "publication")


def _history(places: Places) -> list[dict[str, Any]]:
    """Return, per quarter, the rows of all students of the tables behind the key figures."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("mean_by_group", "at_risk_by_group"):
        for row in published.read(places.published, name):
            if row["dimension"] == "all":
                entry = found.setdefault(row["quarter"], {"quarter": row["quarter"]})
                entry.setdefault(name, []).append(row)
    return [found[quarter] for quarter in sorted(found)]


def _page(places: Places, quarter: str, name: str) -> Path:
    return places.reports / quarter / f"{name}.html"


def _charts(places: Places, quarter: str) -> list[dict[str, Any]]:
    """Return the quarter's charts in the order in which their pages draw them."""
    charts = []
    for path in sorted((places.reports / quarter / "charts").glob("*.vl.json")):
        spec = web.finite_json(path.read_text(encoding="utf-8"))
        place = spec.get("usermeta") or {}
        charts.append(
            {
                "name": path.name.removesuffix(".vl.json"),
                "page": place.get("page", "home"),
                "order": place.get("order", 0),
                "spec": spec,
            }
        )
    return sorted(charts, key=lambda chart: (chart["order"], chart["name"]))
