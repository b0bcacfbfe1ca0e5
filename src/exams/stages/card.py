"""model: the model card of a quarter, for whoever comes across its models or their figures.

After Mitchell et al. (2019), Model Cards for Model Reporting.
"""

import re
from collections.abc import Iterator, Mapping
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

import jinja2
import mistune
import pandas as pd

from exams import web
from exams.contract import Contract
from exams.files import write_atomic
from exams.places import Places
from exams.statistics.folded import AT_RISK, Folded
from exams.statistics.prediction import BASELINE
from exams.warehouse.read import read_lineage

NAME = "model_card"
_WARNING = "**Do not use for decisions on a person.**"
_USE = f"""To tell how much of the scores of a quarter goes with the background that the contract
knows, and how much does not; to see which groups a rule that flags students would reach, miss, or
flag in vain. {_WARNING} The models score no person: they predict the same for everybody of one
background, and most of what a student scores they do not know."""
_LIMITS = """- A gain of a quarter leaves three quarters of the error of the baseline.
- An explanation by groups is no cause.
- Error rates differ by group (see Fairness). Other thresholds would not mend that.
- The intervals tell how folds of one quarter differ, not how the next quarter will.
- Small groups, and rates that tell of few students, are left out here."""
_CALIBRATION = "Students in bins by predicted chance of being at risk, and how many of them were."
_RATES = """If all students with more than the average chance of being at risk were flagged:
*missed* is the share of those at risk who would not be, *false_alarms* of the others who would."""

_GAPS = "The highest rate of a dimension's groups less the lowest."
_GAIN = """*gain* is the share of the baseline's squared error that a model removes, for students
whom it has not seen; intervals are of 95 %. A model that gains under {least} is not published.
*rmse* is the error in units of the score. *brier* and *log\\_loss* are errors of a chance; *auc* is
how often a student at risk has the higher one of two, 0.5 by guessing."""

Tables = Mapping[str, pd.DataFrame]


def write_card(
    places: Places,
    quarter: str,
    folded: Folded,
    estimators: Mapping[str, Any],
    tables: Tables,
    *,
    keep: bool = False,
) -> list[Path]:
    """Write the model card of `quarter` as Markdown and HTML into its reports; return both.

    estimators: by the name of the model. tables: prediction as from `scored`; explanation,
    calibration and fairness_gap; and fairness with the groups alone that may be seen. Of a
    model that does not beat its baseline no figure is given. keep: a card that is there stays,
    as corrections of a few records wait.
    """
    files = [places.report(quarter) / f"{NAME}{end}" for end in (".md", ".html")]
    if keep and all(file.is_file() for file in files):
        return files
    text = _text(quarter, folded, estimators, tables, read_lineage(places.warehouse, quarter))
    for file, content in zip(files, (text, page(f"Model card, {quarter}", text)), strict=True):
        write_atomic(file, content)
    return files


def page(title: str, text: str) -> str:
    """Return a card in Markdown as a page of its own."""
    folder = web.FOLDER / "site"
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)
    return environment.get_template("card.html.j2").render(
        title=title,
        style=web.static("tokens.css") + (folder / "card.css").read_text(encoding="utf-8"),
        body=_scrolling(str(mistune.create_markdown(escape=False, plugins=["table"])(text))),
    )


def _scrolling(html: str) -> str:
    """Return HTML, its tables in boxes that scroll, with the arrow keys, too."""
    numbers = count(1)
    box = '<div class="scroll" tabindex="0" role="region" aria-label="Table {}"><table>'
    html = re.sub("<table>", lambda _: box.format(next(numbers)), html)
    return html.replace("</table>", "</table></div>")


def _text(
    quarter: str,
    folded: Folded,
    estimators: Mapping[str, Any],
    tables: Tables,
    lineage: Mapping[str, str],
) -> str:
    """Return the card in Markdown."""
    contract = folded.contract
    return "\n\n".join(
        [
            f"# Model card: {_plain(contract.title)}, {quarter}",
            _WARNING,
            f"## Intended use\n\n{_USE}",
            f"## Data\n\n{_data(folded, lineage)}",
            f"## Features\n\n{_features(contract)}",
            *_models(folded, estimators, tables["prediction"]),
            *_figures(contract, tables),
            f"## Limits\n\n{_LIMITS}\n",
        ]
    )


def _data(folded: Folded, lineage: Mapping[str, str]) -> str:
    students = f"{folded.cells['n'].sum():,.0f} students" if folded.targets else "Too few students"
    return "\n".join(
        [
            f"- {students}, each in one of five folds by a hash of the record.",
            f"- Contract: {_plain(folded.contract.title)}, version"
            f" {_plain(lineage['contract_version'])}.",
            f"- Fingerprint of what was loaded: `{lineage['content']}`.",
        ]
    )


def _features(contract: Contract) -> str:
    lines = [
        f"- {_plain(d.title)}{' (sensitive)' if d.sensitive else ''}: {len(d.levels)} levels"
        for d in contract.dimensions
    ]
    return "\n".join([*lines, "", "One column per level, of nothing but these."])


def _models(folded: Folded, estimators: Mapping[str, Any], metrics: pd.DataFrame) -> Iterator[str]:
    """Yield the sections on the models and their metrics."""
    made = [f"- {_plain(name)}: `{_said(model)}`" for name, model in estimators.items()]
    yield "## Models\n\n" + "\n".join(made)
    beaten = metrics[(metrics["beats"] == 0) & (metrics["model"] != BASELINE)]
    shown = metrics[(metrics["beats"] == 1) | (metrics["model"] == BASELINE)]
    least = folded.contract.prediction.minimum_gain
    said = _GAIN.format(least=f"{least:.1%}")
    shown = _titled(shown, folded.contract).drop(columns=["beats", "n"])
    yield f"## Metrics\n\n{said}\n\n{_table(shown)}"
    gains = shown[(shown["metric"] == "gain") & (shown["model"] != BASELINE)]
    for target, model in gains.loc[gains["ci_low"] <= 0, ["target", "model"]].to_numpy():
        yield f"{_plain(target)}: that {_plain(model)} removes any error is not sure."
    names = _titled(beaten, folded.contract)[["target", "model"]].drop_duplicates()
    for target, model in names.itertuples(index=False):
        yield f"{_plain(target)}: {_plain(model)} does not beat the baseline, and is not published."


def _said(model: Any) -> str:
    """Return an estimator in one line, as code."""
    return " ".join(repr(model).split()).replace("`", "'")


def _figures(contract: Contract, tables: Tables) -> Iterator[str]:
    """Yield the sections on explanation, calibration and fairness."""
    beats = tables["prediction"].query("beats == 1")["target"].unique()
    explained = tables["explanation"]
    explained = _titled(explained[explained["target"].isin(beats)], contract)
    yield (
        "## What each dimension explains\n\nThe linear model's gain by the dimension alone, and"
        f" what it has lost without it.\n\n{_table(explained)}"
    )
    flags = AT_RISK in beats
    for title, text, name in (
        ("Calibration", _CALIBRATION, "calibration"),
        ("Fairness", _RATES, "fairness"),
        (
            "Fairness gaps",
            "The highest rate of a dimension's groups less the lowest.",
            "fairness_gap",
        ),
    ):
        table = _titled(tables[name] if flags else tables[name].head(0), contract)
        yield f"## {title}\n\n{text}\n\n{_table(table)}"


def _titled(table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    titles = {f.name: f.title for f in (*contract.dimensions, *contract.reported)}
    titles[AT_RISK] = "Being at risk"
    names = table.columns.intersection(["target", "dimension"])
    return table.assign(**{name: table[name].map(titles) for name in names})


def _table(table: pd.DataFrame) -> str:
    """Return a table in Markdown, its texts escaped; a sentence if it has no rows."""
    if table.empty:
        return "Nothing can be shown."
    numbers = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    line = ["---:" if number else "---" for number in numbers]
    rows = [table.columns, line, *table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.3f}"
    return _plain(f"{value:,}" if isinstance(value, int) else str(value))


def _plain(text: str) -> str:
    """Return a text of the contract or of a delivery as Markdown that is nothing but text."""
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", escape(text, quote=False))
