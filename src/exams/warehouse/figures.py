"""Writes what the model stage worked out."""

from collections.abc import Mapping

import pandas as pd

from exams.contract import Contract
from exams.places import Warehouse
from exams.warehouse.rows import insert
from exams.warehouse.schema import MODEL
from exams.warehouse.transaction import writing


def write_figures(
    warehouse: Warehouse,
    contract: Contract,
    quarter: str,
    figures: Mapping[str, pd.DataFrame],
    content: str,
) -> None:
    """Replace the figures of `quarter`, one frame per table of MODEL, in one transaction.

    `content` is their fingerprint, kept as the receipt. Raise KeyError if a frame lacks a column
    of its table.
    """
    with writing(warehouse, contract) as connection:
        for table in MODEL:
            rows = figures[table.name].assign(quarter=quarter)[[c.name for c in table.columns]]
            connection.execute(f"DELETE FROM {table.name} WHERE quarter = ?", [quarter])
            filled = rows.astype(object).where(rows.notna(), None)
            insert(connection, table.name, filled.itertuples(index=False, name=None))
        connection.execute("DELETE FROM modelled WHERE quarter = ?", [quarter])
        insert(connection, "modelled", [(quarter, content)])
