"""Versions of a quarter that were published: what they hide, and giving one up."""

import json

from exams.errors import ExamsError
from exams.places import Places
from exams.quarters import check_quarter
from exams.warehouse.ledger import read_versions, retract


def version_lines(places: Places, quarter: str) -> list[str]:
    """Return a line for each version that was published of `quarter`, oldest first."""
    rows = read_versions(places.ledger, check_quarter(quarter))
    if not rows:
        return [f"No version of {quarter} was published."]
    lines = ["version  published                  rows  hidden"]
    for row in rows:
        tables = json.loads(row["tables"]).values()
        away = sum(1 for table in tables for of in table if of["suppressed"])
        count = sum(map(len, tables))
        end = f"  given up {row['retracted_at']}: {row['reason']}" if row["retracted_at"] else ""
        lines.append(f"{row['version']:7}  {row['recorded_at']}  {count:5,}  {away:6,}{end}")
    return lines


def give_up(places: Places, quarter: str, version: int, reason: str) -> list[str]:
    """Compare later versions of `quarter` no longer with `version`, and say what follows.

    Raise E326 if there is no such version, E327 without a reason.
    """
    if not reason.strip():
        what = "It is not said why this version may be given up."
        raise ExamsError("E327", what, 'Add --because "who has made sure that nobody has it".')
    retract(places.ledger, check_quarter(quarter), version, reason.strip())
    return [
        f"Version {version} of {quarter} is given up: whoever kept it may work out what is hidden.",
        f"Build the quarter again: exams build --quarter {quarter}",
    ]
