"""Rows as tables that a report shows in full."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def frame(rows: Sequence[Mapping[str, Any]], *index: str) -> pd.DataFrame:
    """Return `rows` as a table with the columns `index` before it; empty if there are none.

    From then on, tables of the notebook show long texts, and in each row its whole index.
    """
    pd.options.display.max_colwidth = 160
    pd.options.display.multi_sparse = False
    table = pd.DataFrame(rows)
    return table.set_index(list(index)) if rows else table
