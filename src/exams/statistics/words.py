"""Figures in plain words. A difference is said as one, never as a cause or an effect."""

from typing import Any

import pandas as pd

from exams.contract import ALL, Contract

_SIZES = ((0.2, "negligible"), (0.5, "small"), (0.8, "medium"))  # Cohen (1988)
_SURE = 0.05


def gap_sentences(gaps: pd.DataFrame, contract: Contract) -> list[str]:
    """Return a sentence for each gap between groups; `gaps` as from statistics.gaps.gaps."""
    return [_gap(row, contract) for row in gaps.itertuples()]


def score_gap_sentences(gaps: pd.DataFrame, contract: Contract) -> list[str]:
    """Return a sentence for each gap between scores; `gaps` as from score_gaps."""
    return [_score_gap(row, contract) for row in gaps.itertuples()]


def standing(means: pd.DataFrame, levels: pd.DataFrame, contract: Contract) -> list[str]:
    """Return a sentence for each score of the whole quarter, of what may be shown.

    means, levels: as from mean_by_group and levels, without hidden rows.
    """
    whole = means[means["dimension"] == ALL].set_index("score")
    said = []
    for row in whole.itertuples():
        title, unit = _title(str(row.Index), contract), _unit(str(row.Index), contract)
        if not row.n:
            said.append(f"{title}: nobody has a score.")
            continue
        mean = f"{title}: {' '.join(filter(None, [f'{row.mean:.1f}', unit]))} on average"
        sentence = f"{mean} (95 % interval {row.ci_low:.1f} to {row.ci_high:.1f})"
        of = levels[levels["score"] == row.Index]
        if of["n"].sum() == row.n:  # none is hidden
            top = of.loc[of["share"].astype(float).idxmax()]
            sentence += f"; the most students, {top['share']:.0%}, are at {top['level']}"
        said.append(f"{sentence}.")
    return said


def tier_findings(choice: pd.DataFrame, k: int) -> list[str]:
    """Say whether the students form clusters; `choice` as from tier_choice, k as chosen."""
    if not len(choice):
        return []
    bic = choice.set_index("k")["bic"]
    best = bic.drop(1, errors="ignore")
    if choice.set_index("k")["clusters"].get(k, 0):
        gain = bic.get(1, float("nan")) - bic[k]
        apart = f"Students form {k} clusters that lie apart: their BIC is lower than of one"
        return [f"{apart} by {gain:,.0f}."]
    said = ["Students form no clusters of their own: their scores are a continuum."]
    if len(best):
        more = best.min() - bic[1]
        said.append(
            f"Of 2 to {best.index.max()}, {best.idxmin()} tiers have the lowest BIC,"
            f" {'higher' if more > 0 else 'lower'} than that of one by {abs(more):,.0f}; clusters"
            " would need a clearly lower one, and to be found again in resampled students."
        )
    return [*said, f"The {k} tiers cut this continuum at lines that we have drawn."]


def _gap(row: Any, contract: Contract) -> str:
    who = f"{_title(row.score, contract)}, {_title(row.dimension, contract)}: {row.level}"
    if pd.isna(row.gap):
        return f"{who} and {row.reference} cannot be compared: too few students."
    said = f"{who} is {_far(row, contract)} {row.reference} {_how_surely(row)}"
    if not row.p < _SURE:
        return f"{said}: chance alone may explain it."
    size = next((word for limit, word in _SIZES if abs(row.effect) < limit), "large")
    return f"{said}, a {size} difference (g = {row.effect:.2f})."


def _score_gap(row: Any, contract: Contract) -> str:
    named = f"{_title(row.dimension, contract)}, {row.level}"
    who = "All students" if row.dimension == ALL else named
    score, other = _title(row.score, contract), _title(row.other, contract)
    if pd.isna(row.p):
        return f"{who}: {score} and {other} cannot be compared."
    said = f"{who}: {score} is {_far(row, contract)} {other} {_how_surely(row)}"
    return f"{said}." if row.p < _SURE else f"{said}: chance alone may explain it."


def _far(row: Any, contract: Contract) -> str:
    """Return how far above or below, in the unit of the score."""
    unit = _unit(row.score, contract)
    way = "above" if row.gap > 0 else "below"
    return " ".join(filter(None, [f"{abs(row.gap):.1f}", unit, way]))


def _how_surely(row: Any) -> str:
    """Return the interval, counted in the direction that is said, and p."""
    p = "p < .001" if row.p < 0.001 else f"p = {row.p:.3f}".replace("= 0.", "= .")
    low, high = (row.ci_low, row.ci_high) if row.gap > 0 else (-row.ci_high, -row.ci_low)
    return f"(95 % interval {low:.1f} to {high:.1f}, {p})"


def _title(name: str, contract: Contract) -> str:
    fields = (*contract.dimensions, *contract.reported)
    return next((f.title for f in fields if f.name == name), name)


def _unit(score: str, contract: Contract) -> str:
    return next((s.unit for s in contract.reported if s.name == score), "")
