"""Protects the figures of a quarter: hides small groups and counts, and what would tell them.

Each table is a set of lists of counts that add up to a shown total: the groups of a dimension,
the levels of a score, the tiers. In each list, cells below a threshold are hidden (primary
suppression), and others with them until no hidden count can be worked out (complementary
suppression). A reader cannot tell the two kinds apart. Where that is not enough, the total is
hidden too.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from exams.contract import Contract, Disclosure
from exams.disclosure.suppression import small, suppress

ALL = "all"
Frames = Mapping[str, pd.DataFrame]
_KEYS = {"quarter", "dimension", "level", "reference", "score", "code", "tier"}


def protect(figures: Frames, contract: Contract) -> dict[str, pd.DataFrame]:
    """Return the figures with `suppressed` and with the hidden cells' values emptied.

    `figures` has the tables mean_by_group, at_risk_by_group, levels, tiers and gaps of one
    quarter, unprotected.
    """
    rules = contract.disclosure
    means, levels, tiers = (figures[name] for name in ("mean_by_group", "levels", "tiers"))
    if means["n"].max() < rules.minimum_group:  # nothing of so few students may be seen
        return {name: _emptied(frame, np.ones(len(frame), bool)) for name, frame in figures.items()}
    hidden_means = _means(means, contract)
    whole = means.loc[hidden_means & (means["dimension"] == ALL).to_numpy(), "score"]
    hidden_levels = _levels(levels, rules) | levels["score"].isin(whole).to_numpy()
    hidden_tiers = _tiers(tiers, rules)
    if _incomplete(means, tiers, rules) or (len(contract.scores) == 1 and hidden_levels.any()):
        hidden_tiers[:] = True
    return {
        "mean_by_group": _emptied(means, hidden_means),
        "at_risk_by_group": _at_risk(figures, contract, hidden_levels),
        "levels": _emptied(levels, hidden_levels),
        "tiers": _emptied(tiers, hidden_tiers),
        "gaps": _gaps(figures["gaps"], means[hidden_means]),
    }


def _means(means: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return which cells to hide: groups with too few students that have the score.

    With the sums of the shown groups, the total tells mean and spread of the hidden ones
    together: they must be as many as a group that may be shown.
    """
    rules = contract.disclosure
    n = means["n"].to_numpy()
    hidden = small(n, rules.minimum_group) | _few_incomplete(means, contract)
    whole = (means["dimension"] == ALL).to_numpy()
    for of_score in _lists(means, "score"):
        part = means.iloc[of_score]
        safe = [
            _hide(hidden, of_score[rows], n, rules, rules.minimum_group)
            for rows in _lists(part, "dimension")
        ]
        if not all(safe) or hidden[of_score[whole[of_score]]].any():
            hidden[of_score] = True
    return hidden


def _few_incomplete(means: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return where the overall score would tell the scores of a few students.

    It counts students that have every score; the difference from a single score's sums is
    theirs that have not.
    """
    if contract.overall is None:
        return np.zeros(len(means), bool)
    overall = means["score"] == contract.overall.name
    group = [means["dimension"], means["level"]]
    complete = means["n"].where(overall).groupby(group).transform("max")
    lacking = small((means["n"] - complete).to_numpy(), contract.disclosure.minimum_group)
    told = pd.Series(lacking, means.index).groupby(group).transform("any")
    return (overall & told).to_numpy()


def _incomplete(means: pd.DataFrame, tiers: pd.DataFrame, rules: Disclosure) -> bool:
    """Say whether the tiers, of complete records, would tell the scores of a few students."""
    complete = tiers.groupby("score")["n"].sum().max() if len(tiers) else 0
    of_all = means.loc[means["dimension"] == ALL, "n"].to_numpy()
    return bool(small(of_all - complete, rules.minimum_group).any())


def _hide(
    hidden: np.ndarray, rows: np.ndarray, n: np.ndarray, rules: Disclosure, least: int
) -> bool:
    """Hide in the list at `rows` what its hidden cells need; say whether that is enough."""
    found = suppress(n[rows], hidden[rows], width=rules.minimum_count - 1, least=least)
    hidden[rows] = found.hidden
    return found.safe


def _levels(levels: pd.DataFrame, rules: Disclosure) -> np.ndarray:
    n = levels["n"].to_numpy()
    hidden = np.zeros(len(n), bool)
    for rows in _lists(levels, "score"):
        hidden[rows] = _of_whole(n[rows], np.full(len(rows), n[rows].sum()), rules)
        # enough in any case: the last resort hides zeros, too
        _hide(hidden, rows, n, rules, rules.minimum_count)
    return hidden


def _tiers(tiers: pd.DataFrame, rules: Disclosure) -> np.ndarray:
    n = tiers["n"].to_numpy()
    hidden = small(n, rules.minimum_group)
    for rows in _lists(tiers, "score"):
        if not _hide(hidden, rows, n, rules, rules.minimum_group):
            hidden[:] = True
    return hidden


def _at_risk(figures: Frames, contract: Contract, hidden_levels: np.ndarray) -> pd.DataFrame:
    risk, rules = figures["at_risk_by_group"], contract.disclosure
    n, k = risk["n"].to_numpy(), risk["at_risk"].to_numpy()
    groups = small(n, rules.minimum_group)
    hidden = groups | _of_whole(k, n, rules)
    safe = True
    for rows in _lists(risk, "dimension"):
        safe &= _hide(groups, rows, n, rules, rules.minimum_group)
        hidden[rows] |= groups[rows]
        upper = np.where(groups[rows], n[rows].sum(), n[rows])  # a shown group bounds its count
        found = suppress(
            k[rows],
            hidden[rows],
            width=rules.minimum_count - 1,
            least=rules.minimum_count,
            upper=upper,
        )
        hidden[rows], safe = found.hidden, safe and found.safe
    told = _told_by_levels(figures["levels"], hidden_levels, contract)
    return _emptied(risk, np.ones(len(risk), bool) if told or not safe else hidden)


def _told_by_levels(levels: pd.DataFrame, hidden: np.ndarray, contract: Contract) -> bool:
    """Say whether the students at risk would tell a hidden level.

    They are those below the threshold of any score: of one score alone, if hardly anybody is
    below that of another.
    """
    below = {}
    for score in contract.scores:
        if score.at_risk_below is not None:
            low = [b.code for b in score.bands if b.low < score.at_risk_below]
            rows = levels[(levels["score"] == score.name) & levels["code"].isin(low)]
            below[score.name] = int(rows["n"].sum())
    others = {name: sum(below.values()) - n for name, n in below.items()}
    told = {name for name, n in others.items() if n < contract.disclosure.minimum_count}
    return bool(levels.loc[hidden, "score"].isin(told).any())


def _gaps(gaps: pd.DataFrame, hidden_means: pd.DataFrame) -> pd.DataFrame:
    cells = ["dimension", "level", "score"]
    hidden = pd.MultiIndex.from_frame(hidden_means[cells])
    told = np.zeros(len(gaps), bool)
    for side in ("level", "reference"):
        told |= pd.MultiIndex.from_frame(gaps[["dimension", side, "score"]]).isin(hidden)
    return _emptied(gaps, told)


def _of_whole(k: np.ndarray, n: np.ndarray, rules: Disclosure) -> np.ndarray:
    """Return where a part of a whole is small, or as near to the whole."""
    return small(k, rules.minimum_count) | small(n - k, rules.minimum_count)


def _lists(frame: pd.DataFrame, by: str) -> Iterator[np.ndarray]:
    """Yield the row numbers of each list of counts, except that of the whole quarter."""
    for key, rows in frame.groupby(by, sort=False).indices.items():
        if key != ALL:
            yield rows


def _emptied(frame: pd.DataFrame, hidden: np.ndarray) -> pd.DataFrame:
    """Return the frame with `suppressed`, and no value but its keys where `hidden`."""
    emptied = frame.reset_index(drop=True)
    for column in emptied.columns.difference(list(_KEYS)):
        kind = "Int64" if pd.api.types.is_integer_dtype(emptied[column]) else "Float64"
        emptied[column] = emptied[column].astype(kind).mask(hidden)
    return emptied.assign(suppressed=hidden.astype(int))
