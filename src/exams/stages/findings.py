"""visualize: what the published figures say, as sentences: the titles of the charts.

A sentence whose figures are hidden says that too few students can be shown, and nothing else.
"""

from collections.abc import Callable

import pandas as pd

ALL = "all"  # in published tables: every student, or every score
AT_RISK = "Being at risk"
HIDDEN = "hidden"
TOO_FEW = "Too few students to show"


def said(value: float, form: str = ",.0f") -> str:
    """Return a figure as words have it, or "hidden"."""
    return HIDDEN if pd.isna(value) else format(value, form)


def shown(finding: str, value: float) -> str:
    """Return the finding, unless the value that it rests on is hidden."""
    return TOO_FEW if pd.isna(value) else finding


def ends(groups: pd.DataFrame, measure: str, form: str) -> tuple[str, str]:
    """Return the lowest and the highest `measure` in words, each with its group.

    groups: level and the measure, not hidden everywhere.
    """
    low, high = groups.loc[groups[measure].idxmin()], groups.loc[groups[measure].idxmax()]
    return f"{low[measure]:{form}} ({low['level']})", f"{high[measure]:{form}} ({high['level']})"


def of_each(figures: pd.DataFrame, sentence: Callable[[pd.DataFrame, str], str]) -> dict[str, str]:
    """Return the sentence about each score, by its title; `sentence` is given its figures, too."""
    parts = figures.groupby("score", sort=False)
    return {score: sentence(part, score) for score, part in parts}


def most_frequent(bins: pd.DataFrame, score: str) -> str:
    """Return a sentence about the bin of a score with the most students per unit (density)."""
    if bins["density"].isna().all():
        return TOO_FEW
    most = bins.loc[bins["density"].idxmax()]
    return f"{score}: {most['low']:g} to {most['high']:g} is the most frequent range"


def span(means: pd.DataFrame, score: str) -> str:
    """Return a sentence about the groups with the lowest and the highest mean of a score."""
    groups = means[(means["score"] == score) & (means["dimension"] != ALL)]
    if groups["mean"].isna().all():
        return TOO_FEW
    low, high = ends(groups, "mean", ".1f")
    return f"{score}: from {low} to {high}"


def lowest_level(levels: pd.DataFrame, score: str) -> str:
    """Return a sentence about the groups with the smallest and the largest share at code 1.

    levels: of one `score`, its title.
    """
    low = levels[(levels["code"] == 1) & (levels["dimension"] != ALL)]
    if low["share"].isna().all():
        return TOO_FEW
    few, many = ends(low, "share", ".0%")
    return f"{score}: at {low['band'].iloc[0]}, the lowest level, are {few} to {many} of a group"


def missed(fairness: pd.DataFrame) -> str:
    """Return a sentence about the dimension in whose groups flagging would miss most unlike."""
    groups = fairness[fairness["dimension"] != ALL].groupby("dimension", sort=False)["missed"]
    spread = (groups.max() - groups.min()).dropna()
    if spread.empty:
        return TOO_FEW
    few, many = ends(fairness[fairness["dimension"] == spread.idxmax()], "missed", ".0%")
    return f"Flagging would miss from {few} to {many} of those at risk"


def widest(gaps: pd.DataFrame, scale: pd.DataFrame) -> str:
    """Return a sentence about the gap of one score that is the widest in standard deviations."""
    gaps = gaps.dropna(subset=["gap", "effect"])
    if gaps.empty:
        return TOO_FEW
    gap = gaps.loc[gaps["effect"].abs().idxmax()]
    unit = scale.set_index("score")["unit"][gap["score"]]
    way = "above" if gap["gap"] > 0 else "below"
    size = " ".join([format(abs(gap["gap"]), ".1f"), *([unit] if unit else [])])
    return f"{gap['dimension']}: {gap['level']} is {size} {way} {gap['reference']}"


def largest_tier(tiers: pd.DataFrame) -> str:
    """Return a sentence about the tier with the most students."""
    seen = tiers.dropna(subset=["share"])
    if seen.empty:
        return TOO_FEW
    most, of = seen.loc[seen["share"].idxmax()], tiers["tier"].max()
    return f"{said(most['share'], '.0%')} of students are in tier {most['tier']} of {of}"


def accounted(gains: pd.DataFrame) -> str:
    """Return a sentence about the best gains of the models of scores."""
    best = gains[gains["target"] != AT_RISK].groupby("target")["value"].max()
    if best.empty:
        return "Background tells little of any score"
    low, high = f"{best.min():.0%}", f"{best.max():.0%}"
    share = low if low == high else f"{low} to {high}"
    return f"Background accounts for {share} of how scores differ, and not for the rest"


def calibrated(bins: pd.DataFrame) -> str:
    """Return a sentence about how far predicted chances are from what was observed."""
    if bins["observed"].isna().all():
        return TOO_FEW
    off = (bins["predicted"] - bins["observed"]).abs().max()
    return f"Predicted chances of being at risk are off by {100 * off:.0f} points at most"


def alarmed(changes: pd.DataFrame) -> str:
    """Return a sentence about the alarms among changes of all students' means."""
    names = changes.loc[changes["alarm"] == 1, "score"].tolist()
    if names:
        return f"Alarm: the mean has changed in {', '.join(names)}"
    return "No alarm: no mean has changed both much and surely"
