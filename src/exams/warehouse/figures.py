"""Writes what the model stage worked out."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from sqlite_utils import Database

from exams.contract import Contract
from exams.warehouse.schema import MODEL
from exams.warehouse.transaction import writing


def write_figures(
    path: Path,
    contract: Contract,
    quarter: str,
    figures: Mapping[str, pd.DataFrame],
    content: str,
) -> None:
    """Replace the figures of `quarter`, one frame per table of MODEL, in one transaction.

    `content` is their fingerprint, kept as the receipt. Raise KeyError if a frame lacks a column
    of its table.
    """
    with writing(path, contract) as connection:
        database = Database(connection)
        for table in MODEL:
            rows = figures[table.name].assign(quarter=quarter)[[c.name for c in table.columns]]
            stored = database.table(table.name)
            stored.delete_where("quarter = ?", [quarter])
            stored.insert_all(rows.astype(object).where(rows.notna(), None).to_dict("records"))
        connection.execute("INSERT OR REPLACE INTO modelled VALUES (?, ?)", [quarter, content])
