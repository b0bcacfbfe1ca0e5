"""Calibration and fairness of a predicted chance of being at risk."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from exams.contract import ALL
from exams.protection import OUTCOMES
from exams.statistics.folded import AT_RISK, Folded
from exams.statistics.intervals import share_interval

BINS = 10
RATES = ["flagged", "missed", "false_alarms"]


def calibration(folded: Folded, chance: np.ndarray | None) -> pd.DataFrame:
    """Return bin, n, at_risk, predicted, observed, ci_low, ci_high (Wilson), lowest chance first.

    chance: what is predicted per cell; None: nothing, and no rows. predicted has three decimals.
    Bins hold about a tenth of the students each; those with fewer students than may be shown,
    or with too few at risk or not at risk, are merged with the next.
    """
    columns = ["bin", "n", "at_risk", "predicted", "observed", "ci_low", "ci_high"]
    if chance is None or AT_RISK not in folded.targets:
        return pd.DataFrame(columns=columns)
    cells = folded.cells.assign(predicted=chance * folded.cells["n"], chance=chance)
    sums = cells.groupby("chance")[["n", "at_risk", "predicted"]].sum()
    place = BINS * (sums["n"].cumsum() - sums["n"]) // sums["n"].sum()
    bins = _merged(sums.groupby(place).sum().to_numpy(float).tolist(), folded)
    rows = []
    for number, (n, k, total) in enumerate(bins, 1):
        interval = share_interval(int(k), int(n))
        rows.append((number, int(n), int(k), round(total / n, 3), k / n, *interval))
    return pd.DataFrame(rows, columns=columns)


def _merged(bins: list[list[float]], folded: Folded) -> list[list[float]]:
    """Return bins of n, at_risk and predicted, each large enough; the last takes what is left."""
    rules = folded.contract.disclosure
    merged: list[list[float]] = []
    open_ = [0.0, 0.0, 0.0]
    for found in bins:
        open_ = [a + b for a, b in zip(open_, found, strict=True)]
        n, k, _ = open_
        if n >= rules.minimum_group and rules.minimum_count <= k <= n - rules.minimum_count:
            merged.append(open_)
            open_ = [0.0, 0.0, 0.0]
    if open_[0] and merged:
        merged[-1] = [a + b for a, b in zip(merged[-1], open_, strict=True)]
    return merged


def fairness(folded: Folded, rates: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return dimension, level, n, at_risk and RATES, one row per group.

    rates: per dimension the RATES by level, as fairlearn's MetricFrame has them. flagged is the
    share of students that a rule would flag, missed that of the ones at risk whom it would not,
    false_alarms that of the others whom it would; the last two are null where there are none.
    """
    parts = []
    for dimension, by_level in rates.items():
        counts = folded.cells.groupby(dimension)[["n", "at_risk"]].sum()
        part = counts.join(by_level[RATES])
        part["missed"] = part["missed"].where(part["at_risk"] > 0)
        part["false_alarms"] = part["false_alarms"].where(part["at_risk"] < part["n"])
        parts.append(part.rename_axis("level").reset_index().assign(dimension=dimension))
    columns = ["dimension", "level", "n", "at_risk", *RATES]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def outcomes(fairness: pd.DataFrame) -> pd.DataFrame:
    """Return dimension, level, outcome, n, share: the counts that the rates stand on.

    fairness: as from `fairness`. Four outcomes per group, and of all students: of those at risk
    who are flagged (caught) and are not (missed), of the others likewise (false alarm, cleared).
    share: of the group.
    """
    k, others = fairness["at_risk"], fairness["n"] - fairness["at_risk"]
    missed, false = fairness["missed"].fillna(0) * k, fairness["false_alarms"].fillna(0) * others
    counts = pd.concat([k - missed, missed, false, others - false], axis="columns")
    counts = counts.astype(float).round().astype(int).set_axis(list(OUTCOMES), axis="columns")
    named = pd.concat([fairness[["dimension", "level"]], counts], axis="columns")
    whole = named[named["dimension"] == named["dimension"].head(1).squeeze()][list(OUTCOMES)].sum()
    every = pd.DataFrame([{"dimension": ALL, "level": ALL, **whole}]) if len(named) else named
    long = pd.concat([every, named]).set_index(["dimension", "level"])
    n = long.sum(axis="columns")
    found = long.rename_axis(columns="outcome").stack().rename("n").reset_index()
    of = n.reindex(pd.MultiIndex.from_frame(found[["dimension", "level"]])).to_numpy()
    return found.assign(share=found["n"] / of)


def fairness_gaps(fairness: pd.DataFrame) -> pd.DataFrame:
    """Return dimension, metric, difference: the highest rate of the groups less the lowest.

    fairness: as from `fairness`. Of flagged it is the demographic parity difference, of missed
    and false_alarms the differences of error rates.
    """
    rates = fairness.groupby("dimension", sort=False)[RATES]
    gaps = (rates.max() - rates.min()).rename_axis(columns="metric").stack()
    return gaps.rename("difference").reset_index()
