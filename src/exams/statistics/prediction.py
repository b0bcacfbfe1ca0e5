"""How well models predict, exact, from sums by profile and fold.

A model is fitted to cells, each weighted with its students. What it predicts for a cell it
predicts for every student in it, so that its errors follow exactly as from the records.
"""

from collections.abc import Callable, Iterator, Mapping
from math import nan, sqrt

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from exams.errors import ExamsError
from exams.statistics.folded import AT_RISK, Folded

BASELINE = "baseline"
COLUMNS = ["target", "model", "metric", "n", "value", "ci_low", "ci_high", "beats"]
Predicted = Mapping[tuple[str, str], np.ndarray]  # by target and model: one value per cell


def scored(folded: Folded, predicted: Predicted) -> pd.DataFrame:
    """Return COLUMNS: how well each model predicts students whom it has not seen.

    predicted: for each target, what each model, and one called BASELINE, predicts per cell when
    fitted without the cell's fold. Metrics: gain, the share of the baseline's squared error
    that the model removes (out-of-sample R²; of AT_RISK the Brier skill score); rmse, or for
    AT_RISK brier, auc (the mean over folds, as ranks of different folds do not compare) and
    log_loss. Intervals: Student's t over the folds, with the variance of
    Nadeau and Bengio (2003). beats: 1 if the gain is at least the contract's minimum_gain, else
    0. Raise E312 for a target without a baseline.
    """
    rows = [
        (*key, metric, *found)
        for key, values in predicted.items()
        for metric, found in _metrics(folded, key[0], values, _baseline(predicted, key[0]))
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS[:-1])
    gains = frame[frame["metric"] == "gain"].set_index(["target", "model"])["value"]
    beats = gains >= folded.contract.prediction.minimum_gain
    keys = pd.MultiIndex.from_frame(frame[["target", "model"]])
    return frame.assign(beats=beats.reindex(keys).to_numpy(int))


def _baseline(predicted: Predicted, target: str) -> np.ndarray:
    if (target, BASELINE) not in predicted:
        what = f"Nothing is predicted for {target} by a model called {BASELINE}."
        raise ExamsError("E312", what, "Keep a trivial model of that name beside the others.")
    return predicted[target, BASELINE]


def _metrics(
    folded: Folded, target: str, predicted: np.ndarray, baseline: np.ndarray
) -> Iterator[tuple[str, tuple[int, float, float, float]]]:
    """Yield metric, (n, value, ci_low, ci_high)."""
    errors, trivial = (folded.errors(target, values) for values in (predicted, baseline))
    n = int(errors["n"].sum())
    gains = 1 - errors["error"] / trivial["error"]
    whole = 1 - errors["error"].sum() / trivial["error"].sum()
    yield "gain", (n, whole, *fold_interval(whole, gains))
    mean = errors["error"] / errors["n"]
    pooled = float(errors["error"].sum() / n)
    if target != AT_RISK:
        yield "rmse", (n, sqrt(pooled), *fold_interval(sqrt(pooled), np.sqrt(mean)))
        return
    yield "brier", (n, pooled, *fold_interval(pooled, mean))
    outcome = _outcomes(folded, predicted)
    parts = [part for _, part in outcome.groupby("fold")]
    ranks = pd.Series([_weighted(roc_auc_score, part) for part in parts])
    yield "auc", (n, float(ranks.mean()), *fold_interval(float(ranks.mean()), ranks))
    losses = pd.Series([_weighted(log_loss, part) for part in parts])
    loss = _weighted(log_loss, outcome)
    yield "log_loss", (n, loss, *fold_interval(loss, losses))


def _outcomes(folded: Folded, predicted: np.ndarray) -> pd.DataFrame:
    """Return fold, predicted, outcome (1, 0) and n: two rows per cell, those with students."""
    cells = folded.cells.assign(predicted=predicted)
    sides = [
        cells.assign(outcome=1, n=cells["at_risk"]),
        cells.assign(outcome=0, n=cells["n"] - cells["at_risk"]),
    ]
    both = pd.concat(sides)[["fold", "predicted", "outcome", "n"]]
    return both[both["n"] > 0]


def _weighted(metric: Callable[..., float], part: pd.DataFrame) -> float:
    if part["outcome"].nunique() < 2:
        return nan
    return float(metric(part["outcome"], part["predicted"], sample_weight=part["n"]))


def fold_interval(value: float, folds: pd.Series) -> tuple[float, float]:
    """Return the 95 % interval of a cross-validated `value` from those of single folds.

    Folds share their training records: the variance is that of Nadeau and Bengio (2003), with
    1 / (k - 1) as the ratio of test and training records.
    """
    k = len(folds)
    if k < 2 or folds.isna().any():
        return nan, nan
    spread = sqrt(float(folds.var()) * (1 / k + 1 / (k - 1)))
    half = float(stats.t.ppf(0.975, k - 1)) * spread
    return value - half, value + half
