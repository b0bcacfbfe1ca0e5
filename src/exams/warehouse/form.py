"""Reads the form of a loaded quarter: its contract's fields, its headers, what was noted."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from exams.contract import Field
from exams.contract.words import plain
from exams.places import Warehouse
from exams.warehouse.store import reading

_OF_QUARTER = "JOIN delivery d ON d.id = {}.delivery WHERE d.quarter = ? AND d.removed IS NULL"


@dataclass(frozen=True)
class Form:
    """The form of a quarter: what its contract says, and what was delivered.

    `columns`: per file, its header words and the name of the field that each stands for, None
    for a word that the contract does not claim. `ranges`: per score with any value, the lowest
    and the highest in steps. `unknown`: per dimension, how many different values are no level
    of it, and how many records have one. `version`: that of its contract.
    """

    fields: tuple[Field, ...]
    columns: Mapping[str, Mapping[str, str | None]]
    ranges: Mapping[str, tuple[int, int]]
    unknown: Mapping[str, tuple[int, int]]
    version: str = ""

    def words(self, name: str | None) -> dict[str, str]:
        """Return the header words for a field, by what counts in them; None: for no field."""
        headers = [header for _, header in sorted(self.columns.items())]
        return {plain(w): w for header in headers for w, field in header.items() if field == name}


def read_form(warehouse: Warehouse, quarter: str) -> Form:
    """Return the form of a loaded quarter."""
    with reading(warehouse) as connection:
        fields = connection.execute(
            "SELECT name, title, role, levels, minimum, maximum, decimals FROM contract_field"
            " WHERE quarter = ? ORDER BY position",
            [quarter],
        ).fetchall()
        query = f"SELECT file, word, field FROM header h {_OF_QUARTER.format('h')}"
        header = connection.execute(f"{query} ORDER BY position", [quarter]).fetchall()
        noted = connection.execute(
            "SELECT field, min(lowest), max(highest), max(unknown), CAST(sum(records) AS BIGINT)"
            f" FROM observed o {_OF_QUARTER.format('o')} GROUP BY field",
            [quarter],
        ).fetchall()
        version = connection.execute(
            "SELECT contract_version FROM loaded WHERE quarter = ?", [quarter]
        ).fetchone()
    columns: dict[str, dict[str, str | None]] = defaultdict(dict)
    for file, word, field in header:
        columns[file][word] = field
    return Form(
        tuple(_field(*row) for row in fields),
        columns,
        {field: (low, high) for field, low, high, _, _ in noted if low is not None},
        {field: (values, records) for field, _, _, values, records in noted if values},
        version[0] if version else "",
    )


def _field(
    name: str, title: str, role: str, levels: str | None, low: int, high: int, decimals: int
) -> Field:
    if levels:
        return Field(name, title, "", role, levels=tuple(json.loads(levels)))
    return Field(name, title, "", role, minimum=low, maximum=high, decimals=decimals)
