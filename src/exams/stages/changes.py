"""What has changed in form since the quarter before: fields, columns, levels, scales."""

from pathlib import Path
from typing import Any

from exams.intake.drift import Form, changes
from exams.warehouse.form import read_form
from exams.warehouse.store import loaded


def schema_changes(warehouse: Path, quarter: str) -> list[dict[str, Any]]:
    """Return the changes since the loaded quarter before `quarter`, none if it is the first.

    Each has place, former (that quarter), subject (a field or a column), change (its code) and
    detail, in words that hold no value of a record.
    """
    former = max((q for q in loaded(warehouse) if q < quarter), default=None)
    if former is None:
        return []
    before, now = (Form(*read_form(warehouse, q)) for q in (former, quarter))
    return [
        {"place": at, "former": former, "subject": c.subject, "change": c.code, "detail": c.detail}
        for at, c in enumerate(changes(before, now))
    ]
