"""What a report says of its version: provisional, or revised with the figures that changed."""

import json
from typing import Any

import pandas as pd

from exams import published
from exams.editions import REVISED, corrections, edition
from exams.places import Places
from exams.stages.findings import ALL, EVERYONE
from exams.stages.notice import Notice
from exams.stages.tips import title
from exams.stages.visualize import Published

_WAITS = " A correction of a few records waits until more change: its figures would describe them."
_MOST = 10  # corrections that a report lists; the published table has all
_NAMES = {"former": "was", "revised": "is"}


def version(places: Places, quarter: str) -> Notice:
    """Return whether the figures are provisional or revised, for the top of the report."""
    (publication,) = published.read(places.published, "publication", quarter)
    waits = _WAITS if publication["held"] else ""
    if edition(places.published, quarter) != REVISED:
        what = f"Nothing has been corrected since the first publication.{waits}"
        return Notice("Provisional", what, "")
    rows = _newest(places, quarter)
    figures = "1 figure was" if len(rows) == 1 else f"{len(rows):,} figures were"
    why = rows[0]["meaning"] + waits
    return Notice("Revised", f"In version {rows[0]['version']}, {figures} corrected. {why}", "")


def corrected(places: Places, quarter: str) -> pd.DataFrame:
    """Return what the newest revision has changed: ten rows at most, of all students first.

    Indexed by table, group and figure: was, is, reason, all as people read them.
    """
    rows = _newest(places, quarter)
    rows.sort(key=lambda row: not _of_everyone(row))  # stable
    titles = Published(places.published, quarter).fields().set_index("name")["title"].to_dict()
    table = pd.DataFrame(rows[:_MOST], columns=["table", "cell", "measure", *_NAMES, "reason"])
    table["cell"] = [_words(row["cell"], titles) for row in rows[:_MOST]]
    table["measure"] = table["measure"].map(title)
    for column in _NAMES:
        table[column] = table[column].map(_number)
    table = table.rename(columns={"cell": "group", "measure": "figure", **_NAMES})
    return table.set_index(["table", "group", "figure"])


def _newest(places: Places, quarter: str) -> list[dict[str, Any]]:
    rows = corrections(places.published, quarter)
    return [row for row in rows if row["version"] == rows[-1]["version"]]


def _of_everyone(row: dict[str, Any]) -> bool:
    return json.loads(row["cell"]).get("dimension", ALL) == ALL


def _number(value: float) -> str:
    """Return a figure with three decimals, a count with none."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"


def _words(cell: str, titles: dict[str, str]) -> str:
    """Return the key of a row as people read it."""
    key = json.loads(cell)
    if key.get("dimension") == ALL:
        del key["dimension"]
        key["level"] = EVERYONE
    return ", ".join(str(titles.get(value, value)) for value in key.values())
