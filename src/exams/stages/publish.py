"""publish: the one door between the private warehouse and what may be seen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from exams import published
from exams.contract import ALL, Contract
from exams.disclosure import Verdict, audit, check, held
from exams.disclosure.protect import emptied
from exams.errors import ExamsError
from exams.intake.judging.judge import REASONS, REPAIRS
from exams.places import Places
from exams.stages.changes import schema_changes
from exams.stages.protection import former_versions, hold, protect, read_known, secure
from exams.stages.to_date import parts_of, to_date
from exams.tables import MASKED
from exams.warehouse.ledger import record
from exams.warehouse.read import (
    count_refused,
    read_breaks,
    read_figures,
    read_reconciliation,
)

_GROUP = ("dimension", "level", "score")

__all__ = [
    "audited",
    "beside_former",
    "former_versions",
    "hidden_cells",
    "hold",
    "protect",
    "publish",
    "read_figures",
    "secure",
    "to_date",
]


def hidden_cells(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return, per protected table, its rows and how many of them are hidden (and in percent)."""
    rows = [(name, len(frame), int(frame["suppressed"].sum())) for name, frame in tables.items()]
    cells = pd.DataFrame(rows, columns=["table", "rows", "hidden"])
    return cells.assign(percent=(100 * cells["hidden"] / cells["rows"].clip(lower=1)).round())


def audited(verdict: Verdict) -> pd.Series:
    """Return what the audit found: hidden counts, and the width of the narrowest range."""
    found = {"hidden counts attacked": verdict.hidden, "narrowest range": verdict.narrowest}
    return pd.Series(found, name="audit", dtype=object)


def publish(
    tables: Mapping[str, pd.DataFrame], places: Places, contract: Contract, quarter: str
) -> str:
    """Publish the protected `tables`, the contract's words and the reconciliation of `quarter`.

    Return the fingerprint of what is published. Raise E302 for a table that is not protected,
    E313 for a change that `beside_former` would hide, E324 if the audit finds that a hidden
    count can be worked out.
    """
    _check_masks(tables, places.published)
    known = read_known(places, contract, quarter)
    masked = {table.name: tables[table.name] for table in MASKED}
    earlier = [version.earlier for version in known.former]
    check(audit(masked, contract, earlier, parts_of(tables, places.published, quarter)))
    warehouse = places.warehouse
    reconciled = read_reconciliation(warehouse, quarter)
    deliveries = reconciled["delivery"]
    # A file of a few records could be found by trying: its hash stays private.
    few = deliveries["received"] < contract.disclosure.minimum_group
    deliveries["sha256"] = deliveries["sha256"].mask(few)
    for name, code, meanings in (
        ("quarantine_count", "reason", REASONS),
        ("repair_count", "repair", REPAIRS),
    ):
        reconciled[name]["meaning"] = reconciled[name][code].map(meanings)
    content = {name: _rows(frame) for name, frame in (*tables.items(), *reconciled.items())}
    content["comparability_break"] = _rows(read_breaks(warehouse, quarter))
    content["field"] = _fields(contract, quarter)
    content["schema_change"] = [
        {"quarter": quarter, **change} for change in schema_changes(warehouse, quarter)
    ]
    refused = count_refused(warehouse, quarter)
    titled = (contract.title, contract.version)
    if known.adopted is not None:
        record(places.ledger, quarter, known.adopted, None)
    record(places.ledger, quarter, masked, known.values)  # before anybody can see them
    waits = int(held(known.former, contract))
    return published.publish(places.published, quarter, content, titled, refused, waits)


def _check_masks(tables: Mapping[str, pd.DataFrame], database: Path) -> None:
    for table in MASKED:
        if "suppressed" not in tables[table.name].columns:
            what = f"Table {table.name} did not pass disclosure control."
            raise ExamsError("E302", what, "Publish what `protect` returns.")
    found = tables["change"].reset_index(drop=True)
    if (beside_former(found, database).isna() & found.notna()).any(axis=None):
        what = "A change would tell what is hidden in the quarter before."
        raise ExamsError("E313", what, "Publish of `change` what `beside_former` returns.")


def beside_former(found: pd.DataFrame, database: Path) -> pd.DataFrame:
    """Return the protected changes, hidden as well where the former mean is not published.

    What is more than a difference of published means stays empty for groups.
    """
    seen: set[tuple[str, ...]] = set()
    for former in found["former"].unique() if database.is_file() else ():
        rows = published.read(database, "mean_by_group", former)
        seen |= {tuple(row[key] for key in _GROUP) for row in rows if not row["suppressed"]}
    known = pd.Series(list(zip(*(found[key] for key in _GROUP), strict=True)), found.index, object)
    hidden = (found["suppressed"] == 1) | ~known.isin(seen)
    safe = emptied("change", found.drop(columns="suppressed"), hidden.to_numpy())
    inner = ["ks", "psi", "composition", "score_effect"]
    safe[inner] = safe[inner].mask(safe["dimension"] != ALL)
    return safe


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object)
    return plain.where(plain.notna(), None).to_dict("records")


def _fields(contract: Contract, quarter: str) -> list[dict[str, Any]]:
    return [
        {
            "quarter": quarter,
            "position": position,
            "name": field.name,
            "title": field.title,
            "role": field.role,
            "unit": field.unit,
            "minimum": None if field.levels else field.units(field.minimum),
            "maximum": None if field.levels else field.units(field.maximum),
            "description": field.description,
        }
        for position, field in enumerate([*contract.dimensions, *contract.reported])
    ]
