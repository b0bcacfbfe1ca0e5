"""A quarter's cells by profile and fold: what models are fitted to and tried on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from exams.contract import NOT_STATED, Contract, Field
from exams.places import Warehouse
from exams.statistics.folds import FOLDS
from exams.warehouse.folds import read_folds

AT_RISK = "at_risk"


@dataclass(frozen=True)
class Folded:
    """Cells of a quarter, each the students of a profile that are in one fold.

    cells: profile, dimensions, fold, n, at_risk. targets: for each reported score, and for
    AT_RISK, a frame with the rows of `cells`: n (students who have it), mean and squares (the
    sum of squared deviations from the cell's mean), in units of the score; of AT_RISK 1 for a
    student at risk, else 0. A target is left out that too few students of a fold
    have, or of which too few are at risk or are not.
    """

    contract: Contract
    cells: pd.DataFrame
    targets: Mapping[str, pd.DataFrame]

    def without_targets(self) -> "Folded":
        """Return the same with nothing to model: while corrections of a few records wait, say."""
        return replace(self, targets={})

    @property
    def scores(self) -> dict[str, pd.DataFrame]:
        """The targets that are scores."""
        return {name: frame for name, frame in self.targets.items() if name != AT_RISK}

    def errors(self, target: str, predicted: np.ndarray) -> pd.DataFrame:
        """Return, per fold, n and the sum of squared errors over its students."""
        of = self.targets[target]
        squared = of["squares"] + of["n"] * (of["mean"] - predicted) ** 2
        found = pd.DataFrame({"fold": self.cells["fold"], "n": of["n"], "error": squared})
        return found.groupby("fold").sum()


def read_folded(warehouse: Warehouse, contract: Contract, quarter: str) -> Folded:
    """Return the cells of `quarter` from the warehouse."""
    cells, sums = read_folds(warehouse, contract, quarter)
    names = [d.name for d in contract.dimensions]
    cells[names] = cells[names].fillna(NOT_STATED)
    places = pd.MultiIndex.from_frame(cells[["profile", "fold"]])
    targets = {}
    for field in contract.reported:
        part = sums[sums["score"] == field.name].set_index(["profile", "fold"])
        part = part[["n", "total", "squares"]].reindex(places, fill_value=0)
        targets[field.name] = _of_score(part.reset_index(drop=True), field, contract)
    least = contract.disclosure.minimum_group
    if least <= cells["at_risk"].sum() <= cells["n"].sum() - least:
        targets[AT_RISK] = _of_risk(cells["n"], cells["at_risk"])
    kept = {name: of for name, of in targets.items() if _enough(of, cells["fold"], least)}
    return Folded(contract, cells, kept)


def _of_score(sums: pd.DataFrame, field: Field, contract: Contract) -> pd.DataFrame:
    n, total, squares = (sums[name].astype(object) for name in ("n", "total", "squares"))
    some, per_unit = n.where(n > 0, 1), contract.per_unit(field)
    within = (some * squares - total * total) / some  # whole numbers: nothing is lost
    lowest = contract.parts(field) * field.minimum
    mean = (total / some + lowest).where(n > 0, 0) / per_unit
    return pd.DataFrame({"n": n, "mean": mean, "squares": within / per_unit**2}, dtype=float)


def _of_risk(n: pd.Series, k: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"n": n, "mean": k / n, "squares": k * (n - k) / n}, dtype=float)


def _enough(of: pd.DataFrame, fold: pd.Series, least: int) -> bool:
    """Say whether each fold has `least` students with the target, and they differ at all."""
    students = of["n"].groupby(fold).sum()
    spread = (of["squares"] + of["n"] * (of["mean"] - _mean(of)) ** 2).sum()
    return len(students) == FOLDS and bool((students >= least).all()) and bool(spread > 1e-9)


def _mean(of: pd.DataFrame) -> float:
    return float((of["n"] * of["mean"]).sum() / max(of["n"].sum(), 1))
