"""One mask for all that is shown of a quarter: in the model's report and in what is published."""

from collections.abc import Mapping

import pandas as pd

from exams.contract import Contract
from exams.disclosure import (
    Verdict,
    Version,
    changed,
    held,
    protect,
    secure,
    students_more,
)
from exams.places import Places
from exams.stages.notice import Notice
from exams.warehouse.ledger import read_ledger
from exams.warehouse.read import read_cube

__all__ = ["former_versions", "hold", "protect", "protected", "secure"]


def former_versions(places: Places, contract: Contract, quarter: str) -> list[Version]:
    """Return what was published of `quarter` before, and how the present records differ."""
    known = read_ledger(places.ledger, quarter)
    if not known:
        return []
    cube = read_cube(places.warehouse, contract, quarter)
    students = int(cube.cells["n"].sum())
    return [
        Version(
            tables,
            students_more(tables, students)
            if values is None
            else changed(values, cube.values, contract),
        )
        for tables, values in known
    ]


def protected(
    figures: Mapping[str, pd.DataFrame], places: Places, contract: Contract, quarter: str
) -> tuple[dict[str, pd.DataFrame], Verdict]:
    """Return the figures as they may be seen, and the verdict of the audit."""
    former = former_versions(places, contract, quarter)
    return secure(protect(figures, contract, former), contract, former)


def hold(former: list[Version], contract: Contract) -> Notice | None:
    """Say that corrections wait, as the figures of the last version stay; None if they do not."""
    if not held(former, contract):
        return None
    least = contract.disclosure.minimum_group
    what = (
        f"Fewer than {least} records have changed since the last publication: the difference"
        " would describe them. Its figures stay until more records change."
    )
    return Notice("Held back", what)
