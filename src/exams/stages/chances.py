"""visualize: sentences about predicted chances of being at risk, and whom they would reach."""

import pandas as pd

from exams.stages.visualize import ALL, TOO_FEW


def lowest_level(levels: pd.DataFrame, score: str) -> str:
    """Return a sentence about the groups with the smallest and the largest share at code 1.

    levels: of one `score`, its title.
    """
    low = levels[(levels["code"] == 1) & (levels["dimension"] != ALL)].dropna(subset=["share"])
    if low.empty:
        return TOO_FEW
    ends = [low.loc[low["share"].idxmin()], low.loc[low["share"].idxmax()]]
    few, many = (f"{end['share']:.0%} ({end['level']})" for end in ends)
    return f"{score}: at {low['band'].iloc[0]}, the lowest level, are {few} to {many} of a group"


def calibrated(bins: pd.DataFrame) -> str:
    """Return a sentence about how far predicted chances are from what was observed."""
    if bins["observed"].isna().all():
        return TOO_FEW
    off = (bins["predicted"] - bins["observed"]).abs().max()
    return f"Predicted chances of being at risk are off by {100 * off:.0f} points at most"


def missed(fairness: pd.DataFrame) -> str:
    """Return a sentence about the dimension in whose groups flagging would miss most unlike."""
    known = fairness.dropna(subset=["missed"])
    if known.empty:
        return TOO_FEW
    spread = known.groupby("dimension", sort=False)["missed"].agg(lambda of: of.max() - of.min())
    part = known[known["dimension"] == spread.idxmax()]
    ends = [part.loc[part["missed"].idxmin()], part.loc[part["missed"].idxmax()]]
    few, many = (f"{end['missed']:.0%} ({end['level']})" for end in ends)
    return f"Flagging would miss from {few} to {many} of those at risk"
