"""Score tiers: clusters of students by their scores, and whether there are any.

Everything works on distinct combinations of scores, each weighted with its students, so that
the cost does not grow with them.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

CLEAR = 10.0  # in BIC: "very strong" evidence (Kass and Raftery 1995)
STABLE = 0.8  # adjusted Rand index: partitions that agree well (Steinley 2004)
_ROUNDS = 20
Steps: TypeAlias = pd.Series | list[float]


def tier_start(features: pd.DataFrame, n: pd.Series, k: int) -> np.ndarray:
    """Return k centres (k, scores): the means of k equal parts of the students by their total.

    The same students always give the same start. Fewer centres where there are fewer totals.
    """
    total = features.sum(axis="columns").round(9)
    students = n.groupby(total).sum()
    below = total.map(students.cumsum() - students)
    part = (k * below / max(n.sum(), 1)).astype(int)
    weighted = features.mul(n, axis="rows").groupby(part).sum()
    return weighted.div(n.groupby(part).sum(), axis="rows").to_numpy()


def ranked(features: pd.DataFrame, n: pd.Series, labels: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the labels numbered by the mean total of their students, 1 the lowest."""
    labels = np.asarray(labels, int)
    total = features.sum(axis="columns")
    mean = (total * n).groupby(labels).sum() / n.groupby(labels).sum()
    return mean.rank(method="first").astype(int).reindex(labels).to_numpy()


def tier_choice(
    estimators: Mapping[int, BaseEstimator], features: pd.DataFrame, n: pd.Series, step: Steps
) -> pd.DataFrame:
    """Fit every estimator, by its number of tiers k; return k, bic, stability, clusters.

    Lower is better for bic (see tier_bic), 1 is best for stability (see tier_stability).
    clusters is 1 where the tiers lie apart: bic is at least CLEAR below that of one tier, and
    stability at least STABLE. One row per k.
    """
    rows = []
    with threadpool_limits(1):  # the same sums on every machine; more threads only wait here
        for k, estimator in estimators.items():
            labels = estimator.fit(features.to_numpy(), sample_weight=n).labels_
            stability = tier_stability(estimator, features, n, labels) if k > 1 else 1.0
            rows.append((k, tier_bic(features, n, labels, step), stability))
    found = pd.DataFrame(rows, columns=["k", "bic", "stability"])
    one = found.loc[found["k"] == 1, "bic"].max()
    apart = (found["bic"] <= one - CLEAR) & (found["stability"] >= STABLE)
    return found.assign(clusters=apart.astype(int))


def choose_tiers(choice: pd.DataFrame, usual: int) -> int:
    """Return k: the clusters of the lowest bic, or `usual` where there are no clusters.

    `choice` as from tier_choice. Fewer where there are too few students for `usual`, 0 for none.
    """
    clusters = choice[choice["clusters"] == 1]
    if len(clusters):
        return int(clusters.loc[clusters["bic"].idxmin(), "k"])
    return int(choice.loc[choice["k"] <= usual, "k"].max()) if len(choice) else 0


def tier_drift(tiers: pd.DataFrame, former: pd.DataFrame, width: pd.Series) -> pd.DataFrame:
    """Return how tiers have moved since those of a former quarter that are most like them.

    tiers, former: tier, score, share, mean. width: of each score's scale. Tiers are matched by
    the distance of their means in shares of the scales, one to one, at the least total (Kuhn
    1955). Rows: tier, former_tier, score, mean, former_mean, share, former_share.
    """
    now, before = (_centres(frame, width) for frame in (tiers, former))
    columns = ["tier", "former_tier", "score", "mean", "former_mean", "share", "former_share"]
    if not len(now) or not len(before):
        return pd.DataFrame(columns=columns)
    apart = ((now.to_numpy()[:, None] - before.to_numpy()[None]) ** 2).sum(axis=2)
    at, of = linear_sum_assignment(apart)
    pairs = pd.DataFrame({"tier": now.index[at], "former_tier": before.index[of]})
    renamed = former.rename(columns={name: f"former_{name}" for name in ("tier", "mean", "share")})
    merged = pairs.merge(tiers, on="tier").merge(renamed, on=["former_tier", "score"])
    return merged[columns]


def _centres(tiers: pd.DataFrame, width: pd.Series) -> pd.DataFrame:
    """Return the means of tiers in shares of the scales: a row per tier, a column per score."""
    table = tiers.pivot(index="tier", columns="score", values="mean").astype(float)
    return (table.reindex(columns=width.index) / width).fillna(0)


def tier_bic(features: pd.DataFrame, n: pd.Series, labels: np.ndarray, step: Steps) -> float:
    """Return the BIC of the tiers `labels` as normal distributions, each student in one of them.

    Of the classification likelihood (Celeux and Govaert 1992): to cut a continuum into parts
    does not lower it, clusters that lie apart do (as ICL: Biernacki, Celeux and Govaert 2000).
    step: by score, the distance of neighbouring values, for the variance within one (Sheppard
    1898).
    """
    weights, points = n.to_numpy(float), features.to_numpy(float)
    students, width = weights.sum(), points.shape[1]
    within = np.diag(np.asarray(step, float) ** 2 / 12)
    found, doubled = np.unique(labels), 0.0
    for label in found:
        w, x = weights[labels == label], points[labels == label]
        size = w.sum()
        centred = x - w @ x / size
        covariance = (centred * w[:, None]).T @ centred / size + within
        spread = float(np.linalg.slogdet(covariance)[1]) + width * log(2 * np.pi) + width
        doubled += size * (2 * log(size / students) - spread)
    parameters = len(found) * (1 + width + width * (width + 1) / 2) - 1
    return parameters * log(students) - doubled


def tier_stability(
    estimator: BaseEstimator, features: pd.DataFrame, n: pd.Series, labels: np.ndarray
) -> float:
    """Return how far tiers of resampled students agree with `labels`, 1: always.

    The mean adjusted Rand index (Hubert and Arabie 1985) over bootstrap samples of the counts
    (Hennig 2007), each fitted anew with `estimator`; from one seed.
    """
    random = np.random.default_rng(len(n))
    counts, points = n.to_numpy(np.int64), features.to_numpy(float)
    share = counts / counts.sum()
    agreed = []
    for _ in range(_ROUNDS):
        drawn = random.multinomial(counts.sum(), share)
        some = drawn > 0
        if some.sum() < len(np.unique(labels)):  # no tiers can be made of so few
            agreed.append(0.0)
            continue
        fitted = clone(estimator).fit(points[some], sample_weight=drawn[some])
        agreed.append(rand_index(labels, fitted.predict(points), counts))
    return float(np.mean(agreed))


def rand_index(one: np.ndarray, other: np.ndarray, n: np.ndarray) -> float:
    """Return the adjusted Rand index of two labellings of weighted rows, in whole numbers."""
    table = pd.Series(n).groupby([one, other]).sum()
    pairs = [sum(_pairs(table)), *(sum(_pairs(table.groupby(level=at).sum())) for at in (0, 1))]
    every = sum(_pairs([n.sum()]))
    both, rows, columns = pairs
    expected = rows * columns / every if every else 0
    most = (rows + columns) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0


def _pairs(counts: Iterable[int]) -> list[int]:
    """Return how many pairs each number of students makes."""
    return [int(c) * (int(c) - 1) // 2 for c in counts]
