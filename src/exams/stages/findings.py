"""visualize: what the published figures say, as sentences: the titles of the charts.

A sentence whose figures are hidden says that too few students can be shown, and nothing else.
"""

from collections.abc import Callable

import pandas as pd

ALL = "all"  # in published tables: every student, or every score
AT_RISK = "Being at risk"
EVERYONE = "All students"
HIDDEN = "hidden"
TOO_FEW = "Too few students to show"
AND = " · "  # between a score and a dimension that are both chosen
Sentence = Callable[..., str]  # of figures, and of the title of their score, if they are of one


def said(value: float, form: str = ",.0f") -> str:
    """Return a figure as words have it, or "hidden"."""
    return HIDDEN if pd.isna(value) else format(value, form)


def shown(finding: str, value: float) -> str:
    """Return the finding, unless the value that it rests on is hidden."""
    return TOO_FEW if pd.isna(value) else finding


def in_words(history: pd.DataFrame, risk: pd.DataFrame, score: str, quarter: str) -> list[str]:
    """Return what a reader should know first: who, the mean of `score`, its change, who is at risk.

    history: mean_by_group of all students and every quarter up to this one, with unit; risk:
    at_risk_by_group of the quarter. What is hidden is said to be, or left out.
    """
    of_score = history[history["score"] == score]
    now, before = of_score.tail(1).to_dict("records"), of_score.iloc[:-1].tail(1).to_dict("records")
    if not now or pd.isna(now[0]["mean"]):
        return [f"{TOO_FEW} of {quarter}."]
    row, unit = now[0], f" {now[0]['unit']}" if now[0]["unit"] else ""
    mean = f"The mean of {score} is {row['mean']:.1f}{unit}"
    if pd.notna(row["ci_low"]):
        mean += f" (95\u00a0% interval {row['ci_low']:.1f} to {row['ci_high']:.1f})"
    if before and pd.notna(before[0]["mean"]):
        mean += f", after {before[0]['mean']:.1f} in {before[0]['quarter']}"
    sentences = [f"{said(row['n'])} students have results in {quarter}.", f"{mean}."]
    share = risk.loc[risk["dimension"] == ALL, "share"].max()
    return sentences + ([] if pd.isna(share) else [f"{share:.1%} are at risk."])


def ends(groups: pd.DataFrame, measure: str, form: str) -> tuple[str, str]:
    """Return the lowest and the highest `measure` in words, each with its group.

    groups: level and the measure, not hidden everywhere.
    """
    low, high = groups.loc[groups[measure].idxmin()], groups.loc[groups[measure].idxmax()]
    return f"{low[measure]:{form}} ({low['level']})", f"{high[measure]:{form}} ({high['level']})"


def of_each(
    figures: pd.DataFrame, sentence: Sentence, main: str = "", of: str = "score"
) -> dict[str, str]:
    """Return the sentence about each score, and where there are dimensions about each in it.

    figures: with `of`, the column with the scores' titles; `sentence` is given those of one
    score, and its title. The keys are what a reader may choose: "Score", "Score · Dimension". With
    `main`, for a chart of several scores at once, its sentences are also those of ALL and of
    "Dimension".
    """
    parts = {str(score): part for score, part in figures.groupby(of, sort=False)}
    told = {score: by_dimension(part, sentence, score) for score, part in parts.items()}
    found = {
        score if key == ALL else f"{score}{AND}{key}": text
        for score, texts in told.items()
        for key, text in texts.items()
    }
    return {**told.get(main, {ALL: TOO_FEW}), **found} if main else found


def by_dimension(figures: pd.DataFrame, sentence: Sentence, *score: str) -> dict[str, str]:
    """Return the sentence about ALL figures, and about those of each dimension, if there are any.

    All students are among the figures of a dimension, as they are in a chart of it. `sentence`
    is given the figures, and the title of their `score`, if they are of one.
    """
    found = {ALL: sentence(figures, *score)}
    if "dimension" not in figures:
        return found
    for dimension in figures["dimension"].unique():
        if dimension != ALL:
            part = figures[figures["dimension"].isin([dimension, ALL])]
            found[dimension] = sentence(part, *score)
    return found


def most_frequent(bins: pd.DataFrame, score: str) -> str:
    """Return a sentence about the bin of a score with the most students per unit (density)."""
    if bins["density"].isna().all():
        return TOO_FEW
    most = bins.loc[bins["density"].idxmax()]
    return f"{score}: {most['low']:g} to {most['high']:g} is the most frequent range"


def span(means: pd.DataFrame, score: str) -> str:
    """Return a sentence about the groups with the lowest and the highest mean of a score.

    means: of groups of one dimension, or of two at once (level_2).
    """
    groups = means[(means["score"] == score) & (means["dimension"] != ALL)]
    if groups["mean"].isna().all():
        return TOO_FEW
    if "level_2" in groups:
        groups = groups.assign(level=groups["level"] + ", " + groups["level_2"])
    low, high = ends(groups, "mean", ".1f")
    return f"{score}: from {low} to {high}"


def commonest(levels: pd.DataFrame, score: str) -> str:
    """Return a sentence about the level with the largest share of students."""
    if levels["share"].isna().all():
        return TOO_FEW
    top = levels.loc[levels["share"].idxmax()]
    return f"{score}: {top['share']:.0%} are at {top['level']}, more than at any other level"


def latest(history: pd.DataFrame, score: str) -> str:
    """Return a sentence about the newest mean of a score, and the one before."""
    past = history.tail(2)[["quarter", "mean"]]
    parts = [f"{said(mean, '.1f')} in {quarter}" for quarter, mean in past.itertuples(index=False)]
    return f"{score}: " + ", after ".join(parts[::-1])


def at_risk(risk: pd.DataFrame) -> str:
    """Return a sentence about the share of students at risk: of all, or of a dimension's groups."""
    groups = risk[risk["dimension"] != ALL]
    if groups["dimension"].nunique() != 1:
        share = risk.loc[risk["dimension"] == ALL, "share"].max()
        of_all = f"{said(share, '.1%')} of students are at risk: a low score in any subject"
        return shown(of_all, share)
    if groups["share"].isna().all():
        return TOO_FEW
    low, high = ends(groups, "share", ".1%")
    return f"{groups['dimension'].iloc[0]}: from {low} to {high} are at risk"


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


def apart(means: pd.DataFrame, score: str) -> str:
    """Return a sentence about how many groups' intervals leave out the mean of all students."""
    of_score = means[means["score"] == score]
    everyone = of_score.loc[of_score["dimension"] == ALL, "mean"].max()
    groups = of_score[of_score["dimension"] != ALL].dropna(subset=["ci_low", "ci_high"])
    if groups.empty or pd.isna(everyone):
        return TOO_FEW
    beside = ((groups["ci_low"] > everyone) | (groups["ci_high"] < everyone)).sum()
    all_of_them = f"the mean of all students, {everyone:.1f}"
    return f"{score}: the intervals of {beside} of {len(groups)} groups leave out {all_of_them}"


def moved(shares: pd.DataFrame) -> str:
    """Return a sentence about the group whose share has changed most since the quarter before.

    shares: quarter, dimension, level and share, of one quarter or several.
    """
    table = shares.pivot_table("share", ["dimension", "level"], "quarter", sort=False, dropna=False)
    table = table[sorted(table.columns)]
    if table.shape[1] < 2:
        return "No quarter before: who takes part can be compared from the next one on"
    change = (table.iloc[:, -1] - table.iloc[:, -2]).dropna()
    if change.empty:
        return TOO_FEW
    dimension, level = change.abs().idxmax()
    before, now = table.loc[(dimension, level)].iloc[-2:]
    return f"{dimension}: {level} is {now:.0%} of students, after {before:.0%}"


def alarms(changes: pd.DataFrame) -> str:
    """Return a sentence about the alarms of all quarters: which scores, and when."""
    quarters = changes["quarter"].nunique()
    span = "1 quarter" if quarters == 1 else f"{quarters} quarters"
    rung = changes[changes["alarm"] == 1].sort_values("quarter")
    if rung.empty:
        return f"No alarm in {span}: no mean has changed both much and surely"
    last = rung[rung["quarter"] == rung["quarter"].iloc[-1]]
    newest = f"{', '.join(last['score'])} in {last['quarter'].iloc[0]}"
    if len(rung) == 1:
        return f"1 alarm in {span}: {newest}"
    return f"{len(rung)} alarms in {span}, the last in {newest}"


def farthest(changes: pd.DataFrame) -> str:
    """Return a sentence about the group whose mean has changed most in the newest quarter.

    changes: of groups in one score; the quarter's name, and effect in standard deviations.
    """
    seen = changes[changes["quarter"] == changes["quarter"].max()].dropna(subset=["effect"])
    if seen.empty:
        return TOO_FEW
    most = seen.loc[seen["effect"].abs().idxmax()]
    size = format(most["effect"], "+.2f").replace("-", "−")
    return f"{most['dimension']}: {most['level']} has changed most in {most['quarter']}, {size} SD"


def widest(gaps: pd.DataFrame, score: str, scale: pd.DataFrame) -> str:
    """Return a sentence about the gap of one score that is the widest in standard deviations."""
    gaps = gaps.dropna(subset=["gap", "effect"])
    if gaps.empty:
        return TOO_FEW
    gap = gaps.loc[gaps["effect"].abs().idxmax()]
    unit = scale.set_index("score")["unit"][score]
    way = "above" if gap["gap"] > 0 else "below"
    size = " ".join([format(abs(gap["gap"]), ".1f"), *([unit] if unit else [])])
    return f"{score}, {gap['dimension']}: {gap['level']} is {size} {way} {gap['reference']}"


def largest_tier(tiers: pd.DataFrame) -> str:
    """Return a sentence about the tier with the most students."""
    seen = tiers.dropna(subset=["share"])
    if seen.empty:
        return TOO_FEW
    most, of = seen.loc[seen["share"].idxmax()], tiers["tier"].max()
    return f"{said(most['share'], '.0%')} of students are in tier {most['tier']} of {of}"


def tier_means(tiers: pd.DataFrame, score: str) -> str:
    """Return a sentence about the lowest and the highest mean of a score's tiers."""
    if tiers["mean"].isna().all():
        return TOO_FEW
    low, high = tiers["mean"].min(), tiers["mean"].max()
    return f"{score}: the means of the tiers run from {low:.1f} to {high:.1f}"


def accounted(gains: pd.DataFrame) -> str:
    """Return a sentence about the best gains of the models of scores."""
    best = gains[gains["target"] != AT_RISK].groupby("target")["value"].max()
    if best.empty:
        return "Background tells little of any score"
    low, high = f"{best.min():.0%}", f"{best.max():.0%}"
    share = low if low == high else f"{low} to {high}"
    return f"Background accounts for {share} of how scores differ, and not for the rest"


def gained(gains: pd.DataFrame, target: str) -> str:
    """Return a sentence about the best gain of the models of one target, a score or the risk."""
    best = gains["value"].max()
    return shown(f"{target}: background accounts for {said(best, '.0%')} of how it differs", best)


def calibrated(bins: pd.DataFrame) -> str:
    """Return a sentence about how far predicted chances are from what was observed."""
    if bins["observed"].isna().all():
        return TOO_FEW
    off = (bins["predicted"] - bins["observed"]).abs().max()
    return f"Predicted chances of being at risk are off by {100 * off:.0f} points at most"


def changed(changes: pd.DataFrame, score: str) -> str:
    """Return a sentence about the change of all students' mean of one score.

    changes: with delta in parts of the scale, former and alarm.
    """
    row = changes.iloc[-1]
    if pd.isna(row["delta"]):
        return TOO_FEW
    alarm = "an alarm" if row["alarm"] == 1 else "no alarm"
    delta = said(row["delta"], "+.1%").replace("-", "−")
    return f"{score}: {delta} of the scale since {row['former']}, {alarm}"


def alarmed(changes: pd.DataFrame) -> str:
    """Return a sentence about the alarms among changes of all students' means."""
    names = changes.loc[changes["alarm"] == 1, "score"].tolist()
    if names:
        return f"Alarm: the mean has changed in {', '.join(names)}"
    return "No alarm: no mean has changed both much and surely"
