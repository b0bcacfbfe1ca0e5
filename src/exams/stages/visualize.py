"""visualize: published tables as frames with people's words, and parts of charts.

It reads published.db and status.db only. The notebook holds the charts themselves.
"""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from exams import published
from exams.places import Places
from exams.stages.findings import ALL, AT_RISK, EVERYONE, HIDDEN, said
from exams.stages.gallery import Gallery
from exams.stages.notice import Notice, incomplete
from exams.status import known

MOST = 12  # bars of a chart of files or of reasons
_BLUES = ["#dbe9f6", "#bad6eb", "#89bedc", "#539ecd", "#2b7bba", "#0b559f", "#08306b"]
STATE_COLOURS = alt.Scale(  # told apart by colour-blind eyes
    domain=["done", "running", "pending", "skipped", "interrupted", "failed"],
    range=["#2a78b8", "#7fb2dd", "#c9d3de", "#8f9bab", "#e69f00", "#c4391d"],
)
SIGN_COLOUR = alt.condition(  # on these
    "datum.state == 'done' || datum.state == 'failed'", alt.value("#ffffff"), alt.value("#15202b")
)
STATE_SIGNS = {"done": "✓", "failed": "✕", "interrupted": "!", "running": "…", "skipped": "–"}
_NAMED = ["dimension", "dimension_2", "score", "column", "target"]  # fields of the contract
_NUMBERS = {"INTEGER": "Int64", "REAL": "float64"}  # hidden cells are NA, NaN


@dataclass(frozen=True)
class Published:
    """What is published, up to and including one quarter, in the words of its contract."""

    database: Path
    quarter: str

    def fields(self) -> pd.DataFrame:
        """Return name, title, role, unit, minimum, maximum of dimensions and scores."""
        return pd.DataFrame(self._rows("field"))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the quarter; dimensions and scores have their titles."""
        return self._titled(name, self._rows(name))

    def refused(self) -> int:
        """Return how many files of the quarter were refused: if any, it is incomplete."""
        return sum(row["refused"] or 0 for row in self._rows("publication"))

    def notice(self) -> Notice | None:
        """Return what the report says first if the quarter is incomplete."""
        return incomplete(self.refused())

    def history(self, name: str) -> pd.DataFrame:
        """Return a table of this quarter and all before it, oldest first, incomplete ones named."""
        frame = self._titled(name, published.read(self.database, name))
        frame = frame[frame["quarter"] <= self.quarter].reset_index(drop=True)
        publications = published.read(self.database, "publication")
        partial = [row["quarter"] for row in publications if row["refused"]]
        return frame.replace({"quarter": {name: f"{name} (incomplete)" for name in partial}})

    def _rows(self, name: str) -> list[dict[str, Any]]:
        return published.read(self.database, name, self.quarter)

    def _titled(self, name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
        columns = next(t.columns for t in published.TABLES if t.name == name)
        frame = pd.DataFrame(rows, columns=[c.name for c in columns])
        for column in columns:
            if column.type in _NUMBERS:  # also where a whole column is hidden
                frame[column.name] = frame[column.name].astype(_NUMBERS[column.type])
        titles = self.fields().set_index("name")["title"].to_dict()
        titles["at_risk"] = AT_RISK
        for key in frame.columns.intersection(_NAMED):
            frame[key] = frame[key].replace(titles)
        return frame


def stages(status: Path, until: str) -> pd.DataFrame:
    """Return quarter, stage, state and its sign of the latest runs of the quarters up to `until`.

    The visualize stage itself is left out: it is still running when it asks.
    """
    rows = [r for r in known(status) if r["quarter"] <= until and r["stage"] != "visualize"]
    runs = pd.DataFrame(rows, columns=["quarter", "stage", "state"])
    return runs.assign(sign=runs["state"].map(STATE_SIGNS).fillna(""))


def scales(scores: pd.DataFrame) -> pd.DataFrame:
    """Return score (title), unit, minimum, maximum of the fields `scores`; `points`: see below.

    `points` is true where all scores have one scale, so that an axis can show their units.
    """
    scale = scores[["title", "unit", "minimum", "maximum"]].rename(columns={"title": "score"})
    return scale.assign(points=len(scale[["minimum", "maximum", "unit"]].drop_duplicates()) == 1)


def summary(everyone: pd.DataFrame) -> pd.DataFrame:
    """Return figures of all students (mean_by_group, unit), and ±: half of the 95 % interval."""
    units = everyone["unit"].fillna("").unique()
    mean = f"Mean, {units[0]}" if len(units) == 1 and units[0] else "Mean"
    half = (everyone["ci_high"] - everyone["ci_low"]) / 2
    columns = {
        "Students": everyone["n"],
        mean: everyone["mean"].round(1),
        "±\u00a095\u00a0%": half.round(1),
        "SD": everyone["sd"].round(1),
    }
    columns |= {"Unit": everyone["unit"]} if len(units) > 1 else {}
    return pd.DataFrame(columns).set_index(everyone["score"].rename("Score"))


def on_axis(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return a frame merged with scales, with `columns` as score_axis shows them."""
    size = frame["maximum"] - frame["minimum"]
    part = frame[columns].sub(frame["minimum"], axis="rows").div(size, axis="rows")
    return frame.assign(**part.where(~frame["points"].astype(bool), frame[columns]))


def mean_title(scale: pd.DataFrame) -> str:
    """Return the title of an axis of the means of one score: with the unit that they share."""
    unit = scale["unit"].iloc[0] if scale["points"].all() else ""
    return f"Mean, {unit}" if unit else "Mean score"


def score_axis(shorthand: str, scale: pd.DataFrame) -> alt.Y:
    """Return the axis of mean scores: in their unit if they share one, else in % of the scale."""
    if scale["points"].all():
        return alt.Y(shorthand, title=mean_title(scale))
    return alt.Y(shorthand, title="Mean, % of the scale", axis=alt.Axis(format="%"))


def with_hidden(levels: pd.DataFrame, label: str = "level", *by: str) -> pd.DataFrame:
    """Return the levels, with one more per score where some are hidden: all of these together.

    label: the column with the level's label; by: the columns that name a bar, or the score.
    `name` is the label or, where scores have levels of their own, the level's place.
    """
    keys = [*by] or ["score"]
    left = 1 - levels.groupby(keys, sort=False)["share"].sum()
    away = levels.loc[levels["suppressed"] == 1, keys].drop_duplicates()
    rest = away.merge(left.rename("share").reset_index(), on=keys).assign(**{label: HIDDEN})
    rest["code"] = levels["code"].max() + 1
    joined = pd.concat([levels, rest.astype({"code": "Int64"})], ignore_index=True)
    if levels.groupby("code")[label].nunique().max() == 1:
        return joined.assign(name=joined[label])
    places = "level " + joined["code"].astype(str)
    return joined.assign(name=places.mask(joined[label] == HIDDEN, HIDDEN))


def level_colours(levels: pd.DataFrame) -> alt.Color:
    """Return the colours of score levels, light to dark, and grey for hidden ones."""
    names = levels.sort_values("code")["name"].drop_duplicates().tolist()
    step = (len(_BLUES) - 1) / max(len(names) - 1, 1)
    shades = [_BLUES[round(place * step)] for place in range(len(names))]
    if HIDDEN in names:
        shades[names.index(HIDDEN)] = "#b8bec6"
    domain = alt.Scale(domain=names, range=shades)
    return alt.Color("name:N", title=None, scale=domain, legend=alt.Legend(columns=3))


def whole_ticks(highest: float) -> list[int]:
    """Return up to seven whole numbers from 0 to `highest` (or NaN) for an axis of counts."""
    if pd.isna(highest):
        return [0]
    step = max(1, ceil(highest / 5))
    return list(range(0, int(highest) + step, step))


def foremost(frame: pd.DataFrame, name: str, columns: list[str]) -> tuple[pd.DataFrame, str]:
    """Return sums of `columns` by `name`, the highest of the first column above all.

    There are MOST at most, so that a chart stays readable; the text says so where more exist.
    """
    sums = frame.groupby(name, as_index=False, sort=False)[columns].sum()
    sums = sums.sort_values(columns[0], ascending=False, kind="stable", ignore_index=True)
    return sums.head(MOST), f"; the first {MOST} of {len(sums):,}" if len(sums) > MOST else ""


def fates(files: pd.DataFrame, repairs: pd.DataFrame) -> pd.DataFrame:
    """Return what became of the records received: name, fate, records, and first to last.

    files: delivery; repairs: repair_count. A fate begins (first) where the one before it ends,
    so that loaded, in quarantine and resolved lie below the records that were received. Repairs
    lie below those that were loaded; a record with two of them counts twice.
    """
    sums = files[["received", "loaded", "quarantined", "resolved"]].sum()
    ends = sums[["loaded", "quarantined", "resolved"]].cumsum()
    repaired = repairs["records"].sum()
    rows = [
        ("received", sums["received"], 0, sums["received"]),
        ("loaded", sums["loaded"], 0, ends["loaded"]),
        ("repairs in these", repaired, 0, min(repaired, ends["loaded"])),
        ("in quarantine", sums["quarantined"], ends["loaded"], ends["quarantined"]),
        ("resolved", sums["resolved"], ends["quarantined"], ends["resolved"]),
    ]
    flow = pd.DataFrame(rows, columns=["fate", "records", "first", "last"])
    return flow.assign(name=[f"{fate}: {records:,.0f}" for fate, records, *_ in rows])


def tier_names(tiers: pd.DataFrame) -> list[str]:
    """Return the name of each tier with its share of students."""
    pairs = zip(tiers["tier"], tiers["share"], strict=True)
    return [f"Tier {tier}: {said(share, '.0%')} of students" for tier, share in pairs]


def with_reference(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return gaps with a row for each score's and dimension's reference, at zero."""
    zero = gaps.drop_duplicates(["score", "dimension"])
    level = zero["reference"] + " (base)"
    zero = zero.assign(level=level, n=pd.NA, gap=0.0, ci_low=0.0, ci_high=0.0, suppressed=0.0)
    return pd.concat([zero, gaps], ignore_index=True)


def with_headings(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with a row for each dimension's heading, and `row` for group_axis.

    `frame` has dimension and level; the headings have no other value.
    """
    if frame.empty:
        return frame.assign(row="")
    parts = []
    for dimension, part in frame.groupby("dimension", sort=False):
        if dimension != ALL:
            parts.append(pd.DataFrame({"dimension": [dimension], "level": [""]}))
        parts.append(part.replace({"level": {ALL: EVERYONE}}))
    joined = pd.concat(parts, ignore_index=True)
    joined["row"] = joined["dimension"] + "|" + joined["level"]
    return joined


def group_axis(frame: pd.DataFrame) -> alt.Y:
    """Return the axis of the groups of `with_headings`, each under its dimension's heading."""
    heading = "split(datum.value, '|')[1] == ''"
    return alt.Y(
        "row:N",
        sort=None,
        scale=alt.Scale(domain=frame["row"].unique().tolist()),  # headings have no mark
        axis=alt.Axis(
            title=None,
            labelExpr=f"{heading} ? split(datum.value, '|')[0] : split(datum.value, '|')[1]",
            labelFontWeight=alt.condition(heading, alt.value("bold"), alt.value("normal")),
            labelLimit=180,
            ticks=False,
            domain=False,
        ),
    )


def diverging(shorthand: str, end: float, form: str) -> alt.Color:
    """Return colours from blue (-end or lower) by grey (0) to orange: dark text can be read on all.

    form: how the legend writes the numbers.
    """
    scale = alt.Scale(
        domain=[-end, 0, end],
        range=["#7db4e0", "#eef1f4", "#f2ab6d"],
        clamp=True,
        interpolate="rgb",  # others pass through pink
    )
    legend = alt.Legend(gradientLength=150, values=[-end, 0, end], format=form)
    return alt.Color(shorthand, scale=scale, legend=legend)


def veiled(cells: alt.Chart) -> alt.LayerChart:
    """Return the hidden ones of the cells of a grid: grey, with a dash."""
    hidden = cells.transform_filter("datum.suppressed == 1")
    return hidden.mark_rect(color="#b8bec6") + hidden.mark_text(text="–", color="#15202b")


def opened(places: Places, quarter: str) -> tuple[Published, Gallery]:
    """Return what is published up to `quarter`, and an empty gallery for its charts."""
    found = Published(places.published, quarter)
    refused = found.refused()
    files = "1 file was" if refused == 1 else f"{refused} files were"
    return found, Gallery(places.charts(quarter), f"Incomplete: {files} refused" if refused else "")
