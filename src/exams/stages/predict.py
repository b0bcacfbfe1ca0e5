"""model: what the notebook needs, besides scikit-learn and fairlearn, to predict and to say so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from skops import io as skops

from exams.contract import Contract
from exams.errors import ExamsError
from exams.files import closed
from exams.intake.parts import emptied
from exams.places import Places
from exams.stages.card import write_card
from exams.statistics.calibration import calibration, fairness, fairness_gaps, outcomes
from exams.statistics.folded import AT_RISK, Folded, read_folded
from exams.statistics.prediction import BASELINE, Predicted, scored

Apart = Mapping[tuple[str, str, str], np.ndarray]  # by target, "only" or "without", dimension

__all__ = [
    "AT_RISK",
    "calibration",
    "explained",
    "fairness",
    "fairness_gaps",
    "of_students",
    "outcomes",
    "read_folded",
    "save_models",
    "scored",
    "sentences",
    "worthy",
    "write_card",
]


def explained(folded: Folded, whole: Predicted, apart: Apart, model: str) -> pd.DataFrame:
    """Return target, dimension, gain and lost: what `model` gains by each dimension.

    whole: what models predict per cell by all dimensions, as for `scored`. apart: what `model`
    predicts by a target's ("only", dimension) and ("without", dimension). gain is that of the
    dimension alone, lost what all dimensions gain less what the others gain without it.
    """
    rows = []
    for target, dimension in [key[::2] for key in apart if key[1] == "only"]:
        predictions = (
            whole[target, BASELINE],
            whole[target, model],
            apart[target, "only", dimension],
            apart[target, "without", dimension],
        )
        base, every, only, without = (folded.errors(target, p)["error"].sum() for p in predictions)
        rows.append((target, dimension, 1 - only / base, (without - every) / base))
    return pd.DataFrame(rows, columns=["target", "dimension", "gain", "lost"])


def of_students(folded: Folded, model: Any) -> pd.DataFrame:
    """Return profile, target, predicted: for students, if the contract wants it; else no rows.

    `model` is fitted, per score, to the dimensions that are not sensitive. Raise E310 if there
    are none.
    """
    columns = ["profile", "target", "predicted"]
    if not folded.contract.prediction.per_student:
        return pd.DataFrame(columns=columns)
    free = [d.name for d in folded.contract.dimensions if not d.sensitive]
    if not free:
        what = "Every dimension is sensitive: nothing is left to predict a student's scores by."
        raise ExamsError("E310", what, "Write per_student: false into the contract's prediction.")
    features = pd.get_dummies(folded.cells[free])
    parts = []
    for target, of in folded.scores.items():
        fitted = clone(model).fit(features, of["mean"], sample_weight=of["n"])
        found = folded.cells[["profile"]].assign(target=target, predicted=fitted.predict(features))
        parts.append(found.drop_duplicates("profile"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def save_models(
    places: Places, quarter: str, fitted: Mapping[tuple[str, str], Any], metrics: pd.DataFrame
) -> list[Path]:
    """Save, with skops, the fitted models that beat their baseline; return the files.

    fitted: by target and model; metrics: as from `scored`. They lie in the private folder of
    the quarter, whose former models are removed. Raise E311 for a model that is not of
    scikit-learn alone: whoever opens its file would have to trust it.
    """
    folder = emptied(places.models(quarter))
    gains = metrics[metrics["metric"] == "gain"].set_index(["target", "model"])["beats"]
    files = []
    for target, name in (key for key in fitted if gains.get(key, 0)):
        path = folder / f"{target}-{name}.skops"
        skops.dump(fitted[target, name], closed(path))
        foreign = [t for t in skops.get_untrusted_types(file=path) if not t.startswith("sklearn.")]
        if foreign:
            path.unlink()
            what = f"The model {name} holds {foreign[0]}, which is not of scikit-learn."
            raise ExamsError("E311", what, "Use scikit-learn's own estimators, or do not save it.")
        files.append(path)
    return files


def worthy(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics of models that beat their baseline, and of those baselines."""
    targets = metrics.loc[metrics["beats"] == 1, "target"]
    baseline = (metrics["model"] == BASELINE) & metrics["target"].isin(targets)
    return metrics[(metrics["beats"] == 1) | baseline].drop(columns="beats")


def sentences(metrics: pd.DataFrame, contract: Contract) -> list[str]:
    """Return in words, for each target, how much the best model removes of the error."""
    titles = {s.name: s.title for s in contract.reported} | {AT_RISK: "Being at risk"}
    least = contract.prediction.minimum_gain
    gains = metrics[(metrics["metric"] == "gain") & (metrics["model"] != BASELINE)]
    said = []
    for target, part in gains.groupby("target", sort=False):
        best = part.loc[part["value"].idxmax()]
        words = f"{titles[target]}: {best['model']} removes {best['value']:.1%} of the error"
        words += f" (95 % interval {best['ci_low']:.1%} to {best['ci_high']:.1%})"
        rest = "; that it removes any is not sure" if best["ci_low"] <= 0 else ""
        rest += "" if best["beats"] else f"; that is under {least:.1%}, so no model is published"
        said.append(f"{words}{rest}.")
    return said or ["There are too few students to try a model on."]
