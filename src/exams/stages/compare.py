"""model: a quarter beside the one before it, and what stands in the way of comparing them."""

from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from exams import published
from exams.contract import ALL, Contract, Field
from exams.errors import ExamsError
from exams.intake.judging.drift import CHANGES, Change, field_changes
from exams.places import Places, Warehouse
from exams.stages.notice import Notice
from exams.stages.protection import former_versions, hold
from exams.statistics import change as statistics
from exams.statistics.common import common, narrowed
from exams.statistics.composition import KEYS
from exams.warehouse.form import Form, read_form
from exams.warehouse.read import CubeFrames, read_cube
from exams.warehouse.store import loaded

BREAKS = CHANGES | {"version_changed": "The quarters were read under two versions of the contract."}
_EVERY = ("level_added", "level_removed", "role_changed")  # who counts, or as what, is another


def former_quarter(warehouse: Warehouse, quarter: str) -> str | None:
    """Return the newest loaded quarter before `quarter`, None if it is the first."""
    return max((q for q in loaded(warehouse) if q < quarter), default=None)


def waiting(places: Places, contract: Contract, quarter: str) -> Notice | None:
    """Return the notice that corrections of a few records wait: nothing new may be told then."""
    return hold(former_versions(places, contract, quarter), contract)


def change(warehouse: Warehouse, contract: Contract, quarter: str) -> pd.DataFrame:
    """Return former and the columns of `statistics.change`, since the loaded quarter before.

    Only dimensions and scores that both quarters have, on one scale, are compared. No rows if
    there are none, or no quarter before.
    """
    columns = ["former", *statistics.COLUMNS]
    nothing = pd.DataFrame(columns=columns).astype({"effect": float})
    former = former_quarter(warehouse, quarter)
    if former is None:
        return nothing
    rules = common(contract, read_form(warehouse, former))
    if not rules.dimensions or not rules.scores:
        return nothing
    before = _read(warehouse, rules, former)
    if before is None:
        return nothing
    now = narrowed(read_cube(warehouse, contract, quarter), rules)
    return statistics.change(now, before).assign(former=former)[columns]


def _read(warehouse: Warehouse, rules: Contract, quarter: str) -> CubeFrames | None:
    try:
        return narrowed(read_cube(warehouse, rules, quarter), rules)
    except ExamsError as error:
        if error.code != "E206":  # all its records are in quarantine
            raise
        return None


def breaks(warehouse: Warehouse, contract: Contract, quarter: str) -> pd.DataFrame:
    """Return what makes `quarter` hard to compare with the loaded one before it.

    One row per break and score whose line it breaks (all: every score): place, former, score,
    subject, change (its code), detail and meaning; none of them holds a value of a record.
    """
    former = former_quarter(warehouse, quarter)
    rows: list[tuple[str, Change]] = []
    if former is not None:
        before, now = (read_form(warehouse, q) for q in (former, quarter))
        rows = list(_breaks(before, now, contract))
    return pd.DataFrame(
        [
            (place, former, score, *found, BREAKS[found.code])
            for place, (score, found) in enumerate(rows)
        ],
        columns=["place", "former", "score", "subject", "change", "detail", "meaning"],
    )


def _breaks(before: Form, now: Form, contract: Contract) -> Iterator[tuple[str, Change]]:
    if before.version != now.version:
        detail = f"It is version {now.version}; it was {before.version}."
        yield ALL, Change("*", "version_changed", detail)
    scores = {f.name for form in (before, now) for f in form.fields if f.role == "score"}
    for found in field_changes(before, now):
        if found.code in _EVERY:
            yield ALL, found
        elif found.code in ("scale_changed", "field_added", "field_removed"):
            if found.subject not in scores:
                continue  # other groups can be told apart, but of the same students
            yield found.subject, found
            if contract.overall is not None:
                yield contract.overall.name, found


def shown(found: pd.DataFrame, means: pd.DataFrame, database: Path) -> pd.DataFrame:
    """Return the changes of groups whose means may be seen in both quarters.

    `means` are those that may be seen of the quarter itself; those of the former one are what
    is published of it in `database`.
    """
    if found.empty or not database.is_file():
        return found.head(0)
    rows = published.read(database, "mean_by_group", found["former"].iloc[0])
    seen = pd.DataFrame([r for r in rows if not r["suppressed"]], columns=[*KEYS, "n"])
    for visible in (means, seen):
        found = found.merge(visible[KEYS], on=KEYS)
    return found


def sentences(found: pd.DataFrame, contract: Contract) -> list[str]:
    """Return in words what the changes that may be `shown` say of all students."""
    everyone = found[found["dimension"] == ALL]
    if everyone.empty:
        return ["There is no quarter before to compare with, or nothing of it may be shown."]
    fields = {f.name: f for f in contract.reported}
    rule = contract.alarm
    said = [
        f"{'Alarm: ' if row.alarm else ''}{_sentence(fields[row.score], row)}"
        for row in everyone.itertuples()
    ]
    if not everyone["alarm"].any():
        limit = f"{rule.effect:g} standard deviations or more with p under {rule.p:g}"
        said.insert(0, f"No mean of all students has changed by {limit}: there is no alarm.")
    return said


def _sentence(field: Field, row: Any) -> str:
    form = f".{field.decimals + 1}f"
    unit = f" {field.unit}" if field.unit else ""
    size = f"{abs(row.delta):{form}}{unit} {'higher' if row.delta > 0 else 'lower'}"
    said = f"{field.title}: the mean is {size} than in {row.former}"
    if isnan(row.p):
        return f"{said}; it cannot be told how surely."
    return f"{said} (95 % interval {row.ci_low:+{form}} to {row.ci_high:+{form}}, p = {row.p:.2g})."
