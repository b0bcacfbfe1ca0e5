"""publish: which figures a new version of a quarter changes, from what to what, and why."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from exams import lineage, published
from exams.editions import REASONS, corrections
from exams.errors import ExamsError
from exams.places import Places
from exams.schema import Table
from exams.tables import MASKED, REVISION
from exams.warehouse.history import read_current

_COLUMNS = [column.name for column in REVISION.columns]
_PRECISION = 1e-9  # relative: what a sum in another order may differ by


def revisions(tables: Mapping[str, pd.DataFrame], places: Places, quarter: str) -> pd.DataFrame:
    """Return the rows of the published table `revision` when `tables` are published now.

    tables: the protected figures by name. A figure is corrected if it was shown and is shown, with
    another value. Those of earlier versions stay, but for cells that are not shown any more.
    """
    try:
        (publication,) = published.read(places.published, "publication", quarter)
    except (ExamsError, ValueError):  # the first version, or nothing that can be read
        return pd.DataFrame(columns=_COLUMNS)
    now = {t.name: _shown(t, tables[t.name].to_dict("records")) for t in MASKED}
    kept = [
        row
        for row in corrections(places.published, quarter)
        if row["cell"] in now.get(row["table"], {})
    ]
    found = [change for table in MASKED for change in _changes(places, quarter, table, now)]
    codes = reasons(places, quarter) if found else []
    more = {
        "quarter": quarter,
        "version": publication["version"] + 1,
        "reason": ", ".join(codes),
        "meaning": " ".join(REASONS[code] for code in codes),
    }
    new = [{**more, "place": place, **change} for place, change in enumerate(found)]
    return pd.DataFrame([*kept, *new], columns=_COLUMNS)


def reasons(places: Places, quarter: str) -> list[str]:
    """Return why figures of `quarter` change now: codes of editions.REASONS.

    What the published version was made by is compared with what the stages before have noted.
    """
    told = lineage.lineage(places, quarter)
    if not told.get("basis"):
        return ["unknown"]
    found = ["delivery"] if _files_changed(places, quarter) else []
    before, now = told["basis"], lineage.basis(told["stages"])
    for code, names in (("contract", lineage.RULES), ("code", lineage.CODE)):
        if any(before.get(s, {}).get(n) != now[s][n] for s in now for n in names):
            found.append(code)
    return found or ["earlier"]


def _files_changed(places: Places, quarter: str) -> bool:
    """Say whether other files are loaded than are published; some have no published hash."""
    before = published.read(places.published, "delivery", quarter)
    now = {d.file: d for d in read_current(places.warehouse, quarter)}
    return {row["file"] for row in before} != now.keys() or any(
        row["received"] != now[row["file"]].received
        or row["sha256"] not in (None, now[row["file"]].sha256)
        for row in before
    )


def _changes(
    places: Places, quarter: str, table: Table, now: Mapping[str, Mapping[str, dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """Yield table, cell, measure, former and revised of each figure shown with another value."""
    former = _shown(table, published.read(places.published, table.name, quarter))
    measures = [
        c.name
        for c in table.columns
        if c.type != "TEXT" and c.name not in (*table.key, "suppressed")
    ]
    for cell, row in now[table.name].items():
        for measure in measures if cell in former else []:
            old, new = former[cell][measure], row[measure]
            if old is None or pd.isna(new) or math.isclose(old, new, rel_tol=_PRECISION):
                continue
            words = {"table": table.name, "cell": cell, "measure": measure}
            yield words | {"former": float(old), "revised": float(new)}


def _shown(table: Table, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the rows that are not hidden, by what names them: the key without the quarter."""
    names = [name for name in table.key if name != "quarter"]
    return {
        json.dumps({name: row[name] for name in names}, ensure_ascii=False, default=int): row
        for row in rows
        if not row["suppressed"]
    }
