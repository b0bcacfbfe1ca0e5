"""model: what the notebook needs besides pandas and scikit-learn."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from exams.contract import Contract
from exams.disclosure import protect
from exams.stages.receipt import private_fingerprint
from exams.statistics.groups import at_risk_by_group, gaps, mean_by_group
from exams.statistics.levels import levels
from exams.warehouse.figures import write_figures
from exams.warehouse.read import read_cube

__all__ = [
    "at_risk_by_group",
    "gaps",
    "levels",
    "mean_by_group",
    "read_cube",
    "save_figures",
    "scales",
    "shown",
]


def scales(contract: Contract) -> pd.DataFrame:
    """Return title, unit, minimum and maximum of each score, indexed by its name."""
    rows = [
        (s.name, s.title, s.unit, s.units(s.minimum), s.units(s.maximum)) for s in contract.scores
    ]
    columns = ["score", "title", "unit", "minimum", "maximum"]
    return pd.DataFrame(rows, columns=columns).set_index("score")


def shown(figures: Mapping[str, pd.DataFrame], contract: Contract) -> dict[str, pd.DataFrame]:
    """Return the figures as they may be shown in a notebook: small groups are hidden."""
    protected = protect(figures, contract)
    return {
        name: frame[frame["suppressed"] == 0].drop(columns="suppressed")
        for name, frame in protected.items()
    }


def save_figures(
    warehouse: Path, contract: Contract, quarter: str, figures: Mapping[str, pd.DataFrame]
) -> str:
    """Replace the figures of the quarter in the warehouse; return their fingerprint."""
    rows = {name: frame.astype(str).to_numpy().tolist() for name, frame in figures.items()}
    content = private_fingerprint(warehouse.parent, quarter, rows)
    write_figures(warehouse, contract, quarter, figures, content)
    return content
