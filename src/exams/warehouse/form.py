"""Reads the form of a loaded quarter: its contract's fields, its headers, what was noted."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from exams.contract import Field
from exams.warehouse.store import reading

_OF_QUARTER = "JOIN delivery d ON d.id = {}.delivery WHERE d.quarter = ? AND d.removed IS NULL"


class Formed(NamedTuple):
    """The form of a quarter.

    columns: per file, its header words and the field of each (None: none). ranges: lowest and
    highest steps by score. unknown: by dimension, values that are no level, and records with one.
    """

    fields: tuple[Field, ...]
    columns: Mapping[str, Mapping[str, str | None]]
    ranges: Mapping[str, tuple[int, int]]
    unknown: Mapping[str, tuple[int, int]]


def read_form(path: Path, quarter: str) -> Formed:
    """Return the form of a loaded quarter."""
    with reading(path) as connection:
        fields = connection.execute(
            "SELECT name, title, role, levels, minimum, maximum, decimals FROM contract_field"
            " WHERE quarter = ? ORDER BY position",
            [quarter],
        ).fetchall()
        query = f"SELECT file, word, field FROM header h {_OF_QUARTER.format('h')}"
        header = connection.execute(f"{query} ORDER BY position", [quarter]).fetchall()
        noted = connection.execute(
            "SELECT field, min(lowest), max(highest), max(unknown), sum(records)"
            f" FROM observed o {_OF_QUARTER.format('o')} GROUP BY field",
            [quarter],
        ).fetchall()
    columns: dict[str, dict[str, str | None]] = defaultdict(dict)
    for file, word, field in header:
        columns[file][word] = field
    return Formed(
        tuple(_field(*row) for row in fields),
        columns,
        {field: (low, high) for field, low, high, _, _ in noted if low is not None},
        {field: (values, records) for field, _, _, values, records in noted if values},
    )


def _field(
    name: str, title: str, role: str, levels: str | None, low: int, high: int, decimals: int
) -> Field:
    if levels:
        return Field(name, title, "", role, levels=tuple(json.loads(levels)))
    return Field(name, title, "", role, minimum=low, maximum=high, decimals=decimals)
