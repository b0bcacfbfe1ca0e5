"""Writes what the model stage worked out."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from exams.contract import Contract
from exams.schema import quoted
from exams.warehouse.load import insert
from exams.warehouse.schema import MODEL
from exams.warehouse.transaction import writing


def write_figures(
    path: Path, contract: Contract, quarter: str, figures: Mapping[str, pd.DataFrame]
) -> None:
    """Replace the figures of `quarter`, one frame per table of MODEL, in one transaction.

    Raise KeyError if a frame lacks a column of its table.
    """
    with writing(path, contract) as database:
        for table in MODEL:
            database.conn.execute(f"DELETE FROM {quoted(table.name)} WHERE quarter = ?", [quarter])
            frame = figures[table.name].assign(quarter=quarter)
            rows = frame[[c.name for c in table.columns]].astype(object)
            rows = rows.where(rows.notna(), None)
            insert(database.conn, table.name, rows.itertuples(index=False, name=None))
