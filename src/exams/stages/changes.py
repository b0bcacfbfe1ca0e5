"""What has changed in form since the quarter before: fields, columns, levels, scales."""

from typing import Any

from exams.intake.judging.drift import CHANGES, Change, changes
from exams.places import Warehouse
from exams.warehouse.form import read_form
from exams.warehouse.store import loaded


def schema_changes(warehouse: Warehouse, quarter: str) -> list[dict[str, Any]]:
    """Return the changes since the loaded quarter before `quarter`, none if it is the first.

    Each has place, former (that quarter), subject (a field or a column), change (its code),
    detail and meaning, in words that hold no value of a record.
    """
    former = max((q for q in loaded(warehouse) if q < quarter), default=None)
    if former is None:
        return []
    before, now = (read_form(warehouse, q) for q in (former, quarter))
    return [
        {"place": place, "former": former, **_row(change)}
        for place, change in enumerate(changes(before, now))
    ]


def _row(change: Change) -> dict[str, str]:
    subject, code, detail = change
    return {"subject": subject, "change": code, "detail": detail, "meaning": CHANGES[code]}
