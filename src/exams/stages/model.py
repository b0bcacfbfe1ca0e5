"""model: what the notebook needs besides pandas and scikit-learn."""

from collections.abc import Mapping
from math import nan
from pathlib import Path

import pandas as pd

from exams import published
from exams.contract import ALL, Contract
from exams.places import Places, Warehouse, home
from exams.stages.notice import Findings
from exams.stages.protection import protected
from exams.stages.receipt import private_fingerprint
from exams.statistics.adjusted import adjusted_gaps
from exams.statistics.crossings import mean_by_crossing
from exams.statistics.gaps import gaps, score_gaps
from exams.statistics.groups import at_risk_by_group, mean_by_group
from exams.statistics.levels import histogram, level_by_group, levels, modal_level
from exams.statistics.tiers import choose_tiers, ranked, tier_choice, tier_drift, tier_start
from exams.statistics.words import gap_sentences, score_gap_sentences, standing, tier_findings
from exams.tables import FIGURES
from exams.warehouse.figures import write_figures
from exams.warehouse.read import read_cube, read_history, read_lineage

__all__ = [
    "Findings",
    "adjusted_gaps",
    "at_risk_by_group",
    "choose_tiers",
    "former_tiers",
    "gap_sentences",
    "gaps",
    "histogram",
    "level_by_group",
    "levels",
    "mean_by_crossing",
    "mean_by_group",
    "measured",
    "modal_level",
    "past",
    "ranked",
    "read_cube",
    "save_figures",
    "scales",
    "score_gap_sentences",
    "score_gaps",
    "shown",
    "standing",
    "tier_choice",
    "tier_drift",
    "tier_findings",
    "tier_start",
]


def scales(contract: Contract) -> pd.DataFrame:
    """Return title, unit, minimum, maximum and step of each score, indexed by its name."""
    rows = [
        (s.name, s.title, s.unit, s.units(s.minimum), s.units(s.maximum), s.step)
        for s in contract.scores
    ]
    columns = ["score", "title", "unit", "minimum", "maximum", "step"]
    return pd.DataFrame(rows, columns=columns).set_index("score")


def measured(model: str, metrics: Mapping[str, float], subject: str = ALL) -> pd.DataFrame:
    """Return model, subject, metric, value: rows of the history of models."""
    known = {metric: nan if pd.isna(value) else float(value) for metric, value in metrics.items()}
    rows = [(model, subject, metric, value) for metric, value in known.items()]
    return pd.DataFrame(rows, columns=["model", "subject", "metric", "value"])


def past(warehouse: Warehouse, contract: Contract, quarter: str) -> pd.DataFrame:
    """Return model_history of the quarters up to `quarter` with enough students to be shown.

    Not the means, of which a quarter may have hidden some.
    """
    kept = read_history(warehouse, quarter)
    means = kept["model"] == "means"
    few = means & (kept["metric"] == "n") & (kept["value"] < contract.disclosure.minimum_group)
    return kept[~means & ~kept["quarter"].isin(kept.loc[few, "quarter"])]


def former_tiers(database: Path, quarter: str) -> pd.DataFrame:
    """Return the tiers of the nearest earlier quarter with any, as they were published.

    quarter, tier, score, share, mean; without hidden ones, and empty if there is none.
    """
    rows = published.read(database, "tiers") if database.is_file() else []
    columns = ["quarter", "tier", "score", "share", "mean", "suppressed"]
    frame = pd.DataFrame(rows, columns=columns)
    shown = frame[(frame["quarter"] < quarter) & (frame["suppressed"] == 0)]
    return shown[shown["quarter"] == shown["quarter"].max()]


def shown(
    figures: Mapping[str, pd.DataFrame], places: Places, contract: Contract, quarter: str
) -> dict[str, pd.DataFrame]:
    """Return the figures as they may be shown in a notebook: as publish will publish them.

    Of the tables that are never published there are tier_choice and tier_drift of shown tiers.
    """
    made = {t.name: figures[t.name] for t in FIGURES if t.name in figures}
    masked, _ = protected(made, places, contract, quarter)
    safe = {
        name: frame[frame["suppressed"] == 0].drop(columns="suppressed")
        for name, frame in masked.items()
    }
    tiers = safe["tiers"]["tier"].unique()
    drift, choice = figures["tier_drift"], figures["tier_choice"]
    return safe | {
        "tier_choice": choice if len(tiers) else choice[:0],
        "tier_drift": drift[drift["tier"].isin(tiers)],
    }


def save_figures(
    warehouse: Warehouse,
    contract: Contract,
    quarter: str,
    figures: Mapping[str, pd.DataFrame],
    code: str | None,
) -> str:
    """Replace the figures of the quarter in the warehouse; return their fingerprint.

    model_history gets its lineage: what was loaded, and `code`, the fingerprint of the modules.
    """
    rows = {name: frame.astype(str).to_numpy().tolist() for name, frame in figures.items()}
    content = private_fingerprint(home(warehouse), quarter, rows)
    lineage = read_lineage(warehouse, quarter)
    history = figures["model_history"].assign(**lineage, code=code)
    write_figures(warehouse, contract, quarter, {**figures, "model_history": history}, content)
    return content
