"""Columns of values on their way into the warehouse."""

from typing import NamedTuple

import numpy as np


class Optional(NamedTuple):
    """A column of whole numbers (int64), and where a row has none (bool)."""

    numbers: np.ndarray
    missing: np.ndarray


Values = np.ndarray | Optional | str  # numbers or objects; with gaps; one text for every row
