"""Rows of the warehouse as frames."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from exams.warehouse.dialect import Connection


def frame(connection: Connection, query: str, values: Sequence[Any]) -> pd.DataFrame:
    """Return what `query` selects, with `values` for its `?`."""
    found = connection.execute(query, values)
    names = [column[0] for column in found.description]
    return pd.DataFrame.from_records(found.fetchall(), columns=names, coerce_float=True)
