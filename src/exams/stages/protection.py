"""One mask for all that is shown of a quarter: in the model's report and in what is published."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from exams import published
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
from exams.tables import FIGURES
from exams.warehouse.ledger import has_version, read_ledger
from exams.warehouse.read import read_cube

__all__ = ["former_versions", "hold", "protect", "protected", "read_known", "secure"]


class Known(NamedTuple):
    """What was published of a quarter, oldest version first, and its present score values.

    adopted: the tables of a version that is published and that the ledger does not know.
    """

    former: list[Version]
    values: pd.DataFrame
    adopted: dict[str, pd.DataFrame] | None


def read_known(places: Places, contract: Contract, quarter: str) -> Known:
    """Read what was published of `quarter` before, and how the present records differ.

    Where the ledger is lost or older than the publication, this takes its place: what everybody
    has can be compared with.
    """
    cube = read_cube(places.warehouse, contract, quarter)
    students = int(cube.cells["n"].sum())
    adopted = _unknown(places, quarter)
    known = [*read_ledger(places.ledger, quarter), *([(adopted, None)] if adopted else [])]
    former = [
        Version(
            tables,
            students_more(tables, students)
            if values is None
            else changed(values, cube.values, contract),
        )
        for tables, values in known
    ]
    return Known(former, cube.values, adopted)


def _unknown(places: Places, quarter: str) -> dict[str, pd.DataFrame] | None:
    """Return the published tables of `quarter`, if there are any that the ledger does not have."""
    if quarter not in published.published_quarters(places.published):
        return None
    tables = {
        table.name: pd.DataFrame(
            published.read(places.published, table.name, quarter),
            columns=[column.name for column in table.columns],
        )
        for table in FIGURES
    }
    return None if has_version(places.ledger, quarter, tables) else tables


def former_versions(places: Places, contract: Contract, quarter: str) -> list[Version]:
    """Return what was published of `quarter` before, and how the present records differ."""
    return read_known(places, contract, quarter).former


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
