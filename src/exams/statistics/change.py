"""Change from one quarter to the next, exact, from the cubes of both."""

import numpy as np
import pandas as pd

from exams.contract import ALL, Alarm, Contract
from exams.statistics.cells import by_group
from exams.statistics.composition import KEYS, score_effects
from exams.statistics.groups import mean_by_group
from exams.statistics.intervals import Comparison, holm, welch
from exams.warehouse.read import CubeFrames

COLUMNS = [
    *(*KEYS, "n", "n_former", "delta", "ci_low", "ci_high", "effect", "p"),
    *("ks", "psi", "composition", "score_effect", "alarm"),
]


def change(now: CubeFrames, former: CubeFrames) -> pd.DataFrame:
    """Return how the scores of each group have changed: COLUMNS, one row per group and score.

    Both cubes have one contract (see `common`). To mean_changes it adds: ks, the largest
    difference between the shares of students up to a score; psi, the population stability index
    over the score levels; and delta = composition + score_effect: what other shares of groups
    explain, and the change at equal shares (see `score_effects`).
    """
    found = mean_changes(now, former).merge(_distances(now, former), on=KEYS, how="left")
    found = found.merge(score_effects(now, former), on=KEYS, how="left")
    return found.assign(composition=found["delta"] - found["score_effect"])[COLUMNS]


def mean_changes(now: CubeFrames, former: CubeFrames) -> pd.DataFrame:
    """Return KEYS, n, n_former, delta, ci_low, ci_high, effect, p and alarm by group and score.

    A group without students in either quarter is left out. delta is the difference of means,
    in units of the score, with Welch's interval; effect is Hedges' g; p is of Welch's test,
    with Holm's correction, for all students and for the groups apart. alarm is 1 where the mean
    of all students has changed as much, and as surely, as the contract says, else 0: groups
    only inform.
    """
    pairs = mean_by_group(now).merge(mean_by_group(former), on=KEYS, suffixes=("", "_former"))
    pairs = pairs[(pairs["n"] > 0) & (pairs["n_former"] > 0)].reset_index(drop=True)
    sides = [pairs[[f"{c}{end}" for c in ("n", "mean", "sd")]] for end in ("", "_former")]
    rows = zip(*(side.itertuples(index=False, name=None) for side in sides), strict=True)
    tests = pd.DataFrame([welch(a, b) for a, b in rows], columns=Comparison._fields)
    found = pairs[[*KEYS, "n", "n_former"]].join(tests[["ci_low", "ci_high", "effect"]])
    found["delta"] = pairs["mean"] - pairs["mean_former"]  # also where nothing has any spread
    whole = found["dimension"] == ALL
    families = [holm(tests["p"].where(rows).to_numpy(float)) for rows in (whole, ~whole)]
    found["p"] = np.where(whole, *families)
    return found.assign(alarm=alarms(found, now.contract.alarm).astype(int))


def alarms(found: pd.DataFrame, rule: Alarm) -> pd.Series:
    """Return where the mean of all students has changed by `rule`."""
    large = (found["effect"].abs() >= rule.effect) & (found["p"] < rule.p)
    return large & (found["dimension"] == ALL)


def _distances(now: CubeFrames, former: CubeFrames) -> pd.DataFrame:
    """Return KEYS, ks and psi of the groups with students in both quarters."""
    both = _counts(now).merge(
        _counts(former), on=[*KEYS, "steps"], how="outer", suffixes=("", "_former")
    )
    both = both.fillna({"n": 0, "n_former": 0}).sort_values([*KEYS, "steps"], ignore_index=True)
    sums = both.groupby(KEYS)[["n", "n_former"]].transform("sum")
    in_both = (sums > 0).all(axis="columns")
    both, sums = both[in_both], sums[in_both]
    share = both["n"] / sums["n"] - both["n_former"] / sums["n_former"]
    apart = share.groupby([both[key] for key in KEYS]).cumsum().abs()
    ks = apart.groupby([both[key] for key in KEYS]).max().rename("ks")
    psi = _stability(both.assign(code=_levels(both, now.contract)))
    return pd.concat([ks, psi], axis="columns").reset_index()


def _counts(cube: CubeFrames) -> pd.DataFrame:
    return by_group(cube.values, cube.contract, ["score", "steps"], ["n"])


def _levels(counts: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return the code of the score level of each value."""
    codes = np.zeros(len(counts), np.int64)
    for field in contract.reported:
        lows = np.array([band.low for band in field.bands]) * contract.parts(field)
        rows = (counts["score"] == field.name).to_numpy()
        codes[rows] = np.searchsorted(lows, counts.loc[rows, "steps"], side="right")
    return codes


def _stability(counts: pd.DataFrame) -> pd.Series:
    """Return the population stability index by KEYS.

    Half a student is added to each level that occurs, so that an empty one stays finite.
    """
    levels = counts.groupby([*KEYS, "code"])[["n", "n_former"]].sum()
    levels = levels[levels.sum(axis="columns") > 0] + 0.5
    shares = levels / levels.groupby(KEYS).transform("sum")
    parts = (shares["n"] - shares["n_former"]) * np.log(shares["n"] / shares["n_former"])
    return parts.groupby(KEYS).sum().rename("psi")
