"""Hides small groups and small counts of one-way tables, and the cells that would tell them.

A cell below its threshold is hidden (primary suppression). If it is the only hidden cell that
adds up to a shown total, the smallest other one is hidden too (complementary suppression). A
reader cannot tell the two kinds apart.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from exams.contract import Contract, Disclosure

ALL = "all"
Frames = Mapping[str, pd.DataFrame]
_KEYS = {
    "quarter", "dimension", "level", "reference", "score", "code", "tier",
}  # fmt: skip


def protect(figures: Frames, contract: Contract) -> dict[str, pd.DataFrame]:
    """Return the figures with `suppressed` and with the hidden cells' values emptied.

    `figures` has the tables mean_by_group, at_risk_by_group, levels, tiers and gaps of one
    quarter, unprotected.
    """
    rules = contract.disclosure
    means = figures["mean_by_group"]
    hidden = _hidden_groups(means, rules)
    if (ALL, ALL) in hidden:  # so few students that nothing of the quarter may be seen
        return {name: _emptied(frame, np.ones(len(frame), bool)) for name, frame in figures.items()}
    levels = figures["levels"]
    hidden_levels = _hidden_levels(levels, rules)
    return {
        "mean_by_group": _emptied(means, _within(means, "level", hidden)),
        "at_risk_by_group": _at_risk(figures, contract, hidden, hidden_levels),
        "levels": _emptied(levels, hidden_levels),
        "tiers": _emptied(figures["tiers"], _hidden_tiers(figures["tiers"], rules)),
        "gaps": _gaps(figures["gaps"], hidden),
    }


def completed(n: np.ndarray, primary: np.ndarray) -> np.ndarray:
    """Return `primary` and, where a single cell is hidden, the smallest other one that is not 0.

    `n`: counts that add up to a shown total; `primary`: which of them are below a threshold.
    """
    hidden = primary.copy()
    others = np.flatnonzero(~hidden & (n > 0))
    if hidden.sum() == 1 and len(others):
        hidden[others[np.argmin(n[others])]] = True
    return hidden


def _small(n: np.ndarray, threshold: int) -> np.ndarray:
    return (n > 0) & (n < threshold)


def _small_share(k: np.ndarray, n: np.ndarray, threshold: int) -> np.ndarray:
    return _small(k, threshold) | _small(n - k, threshold)


def _completed_by(frame: pd.DataFrame, by: str, primary: np.ndarray, n: str) -> np.ndarray:
    """Complete `primary` within each group of rows that have the same `by`."""
    hidden = primary.copy()
    for rows in frame.groupby(by, sort=False).indices.values():
        hidden[rows] = completed(frame[n].to_numpy()[rows], primary[rows])
    return hidden


def _hidden_groups(means: pd.DataFrame, rules: Disclosure) -> set[tuple[str, str]]:
    """Return the groups to hide in every table: too few students with any of the scores."""
    small = means.assign(small=_small(means["n"].to_numpy(), rules.minimum_group))
    by = small.groupby(["dimension", "level"], sort=False, as_index=False)
    found = by.agg(n=("n", "max"), small=("small", "any"))
    found["hidden"] = _completed_by(found, "dimension", found["small"].to_numpy(), "n")
    return set(
        found.loc[found["hidden"], ["dimension", "level"]].itertuples(index=False, name=None)
    )


def _hidden_levels(levels: pd.DataFrame, rules: Disclosure) -> np.ndarray:
    total = levels.groupby("score", sort=False)["n"].transform("sum").to_numpy()
    primary = _small_share(levels["n"].to_numpy(), total, rules.minimum_count)
    return _completed_by(levels, "score", primary, "n")


def _hidden_tiers(tiers: pd.DataFrame, rules: Disclosure) -> np.ndarray:
    primary = _small(tiers["n"].to_numpy(), rules.minimum_group)
    return _completed_by(tiers, "score", primary, "n")


def _at_risk(
    figures: Frames, contract: Contract, hidden: set[tuple[str, str]], hidden_levels: np.ndarray
) -> pd.DataFrame:
    risk, levels = figures["at_risk_by_group"], figures["levels"]
    n, k = risk["n"].to_numpy(), risk["at_risk"].to_numpy()
    primary = _small_share(k, n, contract.disclosure.minimum_count)
    primary |= _within(risk, "level", hidden)
    suppressed = _completed_by(risk, "dimension", primary, "at_risk")
    # With one such score its lowest levels add up to the students at risk: one would tell
    # the other.
    counted = [s.name for s in contract.scores if s.at_risk_below is not None]
    if len(counted) == 1 and hidden_levels[(levels["score"] == counted[0]).to_numpy()].any():
        suppressed[:] = True
    return _emptied(risk, suppressed)


def _gaps(gaps: pd.DataFrame, hidden: set[tuple[str, str]]) -> pd.DataFrame:
    return _emptied(gaps, _within(gaps, "level", hidden) | _within(gaps, "reference", hidden))


def _within(frame: pd.DataFrame, level: str, groups: set[tuple[str, str]]) -> np.ndarray:
    pairs = zip(frame["dimension"], frame[level], strict=True)
    return np.array([pair in groups for pair in pairs], bool)


def _emptied(frame: pd.DataFrame, hidden: np.ndarray) -> pd.DataFrame:
    """Return the frame with `suppressed`, and no value but its keys where `hidden`."""
    emptied = frame.reset_index(drop=True)
    for column in emptied.columns.difference(list(_KEYS)):
        kind = "Int64" if pd.api.types.is_integer_dtype(emptied[column]) else "Float64"
        emptied[column] = emptied[column].astype(kind).mask(hidden)
    return emptied.assign(suppressed=hidden.astype(int))
