"""Composition against score effect: has a mean changed, or who sat the exam?"""

import numpy as np
import pandas as pd
from scipy import linalg, sparse
from sklearn.preprocessing import OneHotEncoder

from exams.contract import ALL
from exams.statistics.cells import cells
from exams.statistics.groups import groups
from exams.warehouse.read import CubeFrames

KEYS = ["dimension", "level", "score"]
_LEAST = 1e-9  # share of the students: with less, quarter and groups cannot be told apart


def score_effects(now: CubeFrames, former: CubeFrames) -> pd.DataFrame:
    """Return KEYS and score_effect: the change of each group's mean at equal composition.

    It is the coefficient of the quarter in a regression of the score on the quarter and the
    levels of all dimensions, over the students of both quarters: the unexplained part of a
    twofold Oaxaca-Blinder decomposition with pooled coefficients (Jann 2008). In units of the
    score; NaN where the two quarters have no levels in common to be compared by.
    """
    both = pd.concat([cells(now).assign(now=1.0), cells(former).assign(now=0.0)])
    both = both.astype({"n": float, "total": float})
    dimensions = [d.name for d in now.contract.dimensions]
    rows = []
    for field in now.contract.reported:
        part = both[both["score"] == field.name]
        if part.empty:
            continue
        design = OneHotEncoder().fit_transform(part[dimensions])
        for dimension, level in groups(now.contract):
            of = np.arange(len(part))
            if dimension != ALL:
                of = np.flatnonzero(part[dimension] == level)
            effect = _effect(design[of], part.iloc[of]) / now.contract.per_unit(field)
            rows.append((dimension, level, field.name, effect))
    return pd.DataFrame(rows, columns=[*KEYS, "score_effect"])


def _effect(design: sparse.csr_matrix, part: pd.DataFrame) -> float:
    """Return the coefficient of the quarter, which the other columns are taken out of first.

    By the theorem of Frisch, Waugh and Lovell; with a pseudoinverse, as the levels of all
    dimensions say more than once how many students there are.
    """
    n, now = part["n"].to_numpy(), part["now"].to_numpy()
    if not 0 < now.sum() < len(now):
        return float("nan")
    gram = (design.T @ design.multiply(n[:, None])).toarray()
    rest = now - design @ (linalg.pinvh(gram) @ (design.T @ (n * now)))
    spread = float(rest @ (n * now))
    if spread <= _LEAST * n.sum():
        return float("nan")
    return float(rest @ part["total"].to_numpy()) / spread
