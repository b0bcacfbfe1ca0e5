"""visualize: published tables of several quarters, as charts over time show them."""

import pandas as pd

from exams.stages.findings import ALL, EVERYONE


def segments(trend: pd.DataFrame, breaks: pd.DataFrame) -> pd.DataFrame:
    """Return the trend, oldest first, with `segment`: it rises where a score's line breaks.

    That is where `breaks` has the quarter with the score, or with all of them.
    """
    at = set(zip(breaks["quarter"], breaks["score"], strict=True))
    cells = zip(trend["quarter"], trend["score"], strict=True)
    cut = pd.Series([(q, s) in at or (q, ALL) in at for q, s in cells], trend.index, dtype=int)
    return trend.assign(segment=cut.groupby(trend["score"]).cumsum())


def recent(frame: pd.DataFrame, most: int) -> tuple[pd.DataFrame, str]:
    """Return the rows of the newest quarters, `most` at most; the text says if there are more."""
    quarters = sorted(frame["quarter"].unique())
    cut = f"; the last {most} of {len(quarters)} quarters" if len(quarters) > most else ""
    return frame[frame["quarter"].isin(quarters[-most:])], cut


def shares(means: pd.DataFrame) -> pd.DataFrame:
    """Return quarter, dimension, level, n, share, usual, suppressed of every group.

    means: mean_by_group of one score, of any number of quarters. `share` is of all students of
    the quarter, 0 to 1; `usual` is the group's mean share of these quarters. Hidden: NaN.
    """
    whole = means[means["dimension"] == ALL].set_index("quarter")["n"]
    groups = means.loc[
        means["dimension"] != ALL, ["quarter", "dimension", "level", "n", "suppressed"]
    ]
    share = groups["n"].astype(float) / groups["quarter"].map(whole).astype(float)
    usual = share.groupby([groups["dimension"], groups["level"]]).transform("mean")
    return groups.assign(share=share, usual=usual).reset_index(drop=True)


def calendar(changes: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return the changes of all students in every score and of each group in `score`.

    changes: the published table, of any number of quarters. All students come first, their
    scores as levels of one dimension. There is no column `score`: no choice of one would hold of
    both.
    """
    everyone = changes[changes["dimension"] == ALL]
    everyone = everyone.assign(dimension=EVERYONE, level=everyone["score"])
    groups = changes[(changes["dimension"] != ALL) & (changes["score"] == score)]
    return pd.concat([everyone, groups], ignore_index=True).drop(columns="score")
