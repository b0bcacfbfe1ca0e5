"""A small office for tests of what people look at: four quarters, published, with charts.

Everything is drawn from one seed; a category is named like a script, to see that it stays text.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

from exams.places import STAGES, Places
from exams.published import publish
from exams.quarters import shift

NEWEST = "2026Q3"
QUARTERS = [shift(NEWEST, by) for by in range(-3, 1)]
SCRIPT = "<script>document.title='broken'</script>"
DIMENSIONS = {
    "school_type": ("School type", ["public", "private"]),
    "region": ("Region", ["north", "south", "east", "west", SCRIPT]),
    "first_language": ("First language", ["same", "other", "not stated"]),
    "guardian_schooling": (
        "Guardian's schooling",
        ["none", "primary", "lower secondary", "upper secondary", "vocational", "university"],
    ),
    "course": ("Preparation course", ["none", "completed"]),
}
SCORES = {"algebra": "Algebra", "grammar": "Grammar", "essay": "Essay"}
OVERALL = "overall"
RISK = 40
LEVELS = [("Below basic", 0, 40), ("Basic", 40, 60), ("Proficient", 60, 80), ("Advanced", 80, 101)]
STATUS_SQL = """
CREATE TABLE stage_run (id INTEGER PRIMARY KEY, quarter TEXT, stage TEXT, state TEXT,
  started TEXT, ended TEXT, heartbeat TEXT, host TEXT, pid INTEGER, rows_in INTEGER,
  rows_out INTEGER, fingerprint TEXT, reason_code TEXT, reason TEXT);
CREATE VIEW stage_status AS SELECT quarter, stage, state, started, ended, heartbeat, host, pid,
  rows_in, rows_out, reason_code, reason FROM stage_run
  WHERE id IN (SELECT max(id) FROM stage_run GROUP BY quarter, stage);
"""


def make(folder: Path) -> Places:
    """Fill `folder` with a published.db, a status.db and the chart files of every quarter."""
    places = Places.of(folder / "data", folder / "reports")
    tables = [tables_of(quarter, students(quarter)) for quarter in QUARTERS]
    for quarter, content in zip(QUARTERS, tables, strict=True):
        publish(places.published, quarter, content, ("State exams", "1.0"))
        trend = tables[: QUARTERS.index(quarter) + 1]
        for name, chart in charts(quarter, content, trend).items():
            save(places, quarter, name, chart)
    write_status(places)
    return places


def students(quarter: str, number: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(int(quarter[:4]) * 10 + int(quarter[5]))
    frame = pd.DataFrame(
        {
            name: rng.choice(levels, number, p=weights(len(levels)))
            for name, (_, levels) in DIMENSIONS.items()
        }
    )
    ability = rng.normal(64, 12, number) + 6 * (frame["course"] == "completed")
    ability += 2.2 * frame["guardian_schooling"].map(DIMENSIONS["guardian_schooling"][1].index)
    ability += QUARTERS.index(quarter) * 0.6
    for i, name in enumerate(SCORES):
        raw = ability + rng.normal(2 * i - 3, 7, number)
        frame[name] = raw.round().clip(0, 100).astype(int)
    frame[OVERALL] = frame[list(SCORES)].mean(axis=1)
    return frame


def weights(count: int) -> np.ndarray:
    """Unequal shares, the last level rare when there are many."""
    raw = np.linspace(1.4, 0.6, count)
    if count == 5:
        raw[-1] = 0.04
    return raw / raw.sum()


def tables_of(quarter: str, frame: pd.DataFrame) -> dict[str, list[dict]]:
    number = len(frame)
    fields = [(n, t, "dimension") for n, (t, _) in DIMENSIONS.items()]
    fields += [(n, t, "score") for n, t in SCORES.items()] + [(OVERALL, "Overall", "overall")]
    groups = [("all", "all", frame)] + [
        (name, level, part)
        for name in DIMENSIONS
        for level, part in frame.groupby(name, observed=True)
    ]
    halves = [number * 6 // 10, number - number * 6 // 10]
    return {
        "field": [
            {
                "quarter": quarter,
                "position": i,
                "name": name,
                "title": title,
                "role": role,
                "unit": "" if role == "dimension" else "points",
                "minimum": None if role == "dimension" else 0,
                "maximum": None if role == "dimension" else 100,
                "description": "",
            }
            for i, (name, title, role) in enumerate(fields)
        ],
        "delivery": [
            {
                "quarter": quarter,
                "file": f"region-{side}.csv",
                "sha256": f"{i}c4f7a90b2e8" * 6,
                "received": half + 7 - 3 * i,
                "loaded": half,
                "quarantined": 7 - 3 * i,
            }
            for i, (side, half) in enumerate(zip(["north", "south"], halves, strict=True))
        ],
        "quarantine_count": [
            {
                "quarter": quarter,
                "file": f"region-{side}.csv",
                "column": column,
                "reason": reason,
                "records": records,
            }
            for side, column, reason, records in [
                ("north", "algebra", "above_maximum", 4),
                ("north", "region", "unknown_level", 2),
                ("north", "*", "wrong_number_of_fields", 1),
                ("south", "algebra", "above_maximum", 2),
                ("south", "essay", "not_a_number", 3),
            ]
        ],
        "mean_by_group": [
            mean_row(quarter, dimension, level, score, part[score])
            for dimension, level, part in groups
            for score in [*SCORES, OVERALL]
        ],
        "at_risk_by_group": [risk_row(quarter, *group) for group in groups],
        "levels": [
            level_row(quarter, score, code, label, frame[score].between(low, high - 1e-9))
            for score in [*SCORES, OVERALL]
            for code, (label, low, high) in enumerate(LEVELS, 1)
        ],
        "tiers": tier_rows(quarter, frame),
        "gaps": gap_rows(quarter, frame),
    }


def mean_row(quarter, dimension, level, score, values) -> dict:
    hidden = len(values) < 10
    half = 1.96 * values.std() / max(len(values), 1) ** 0.5
    shown = {
        "n": len(values),
        "mean": float(values.mean()),
        "sd": float(values.std()),
        "ci_low": float(values.mean() - half),
        "ci_high": float(values.mean() + half),
    }
    key = {"quarter": quarter, "dimension": dimension, "level": level, "score": score}
    return key | (dict.fromkeys(shown) if hidden else shown) | {"suppressed": int(hidden)}


def share_of(k: int, n: int) -> dict:
    share, half = k / n, 1.96 * (k / n * (1 - k / n) / n) ** 0.5
    return {"share": share, "ci_low": max(share - half, 0), "ci_high": min(share + half, 1)}


def risk_row(quarter, dimension, level, part) -> dict:
    k, n = int((part[list(SCORES)] < RISK).any(axis=1).sum()), len(part)
    hidden = n < 10 or k < 5
    shown = {"n": n, "at_risk": k} | share_of(k, n)
    key = {"quarter": quarter, "dimension": dimension, "level": level}
    return key | (dict.fromkeys(shown) if hidden else shown) | {"suppressed": int(hidden)}


def level_row(quarter, score, code, label, inside) -> dict:
    shown = {"n": int(inside.sum())} | share_of(int(inside.sum()), len(inside))
    return (
        {"quarter": quarter, "score": score, "code": code, "level": label}
        | shown
        | {"suppressed": 0}
    )


def tier_rows(quarter, frame) -> list[dict]:
    tiers = pd.qcut(frame[OVERALL], 3, labels=[1, 2, 3])
    return [
        {
            "quarter": quarter,
            "tier": int(tier),
            "score": score,
            "n": len(part),
            "share": len(part) / len(frame),
            "mean": float(part[score].mean()),
            "suppressed": 0,
        }
        for tier, part in frame.groupby(tiers, observed=True)
        for score in SCORES
    ]


def gap_rows(quarter, frame) -> list[dict]:
    rows = []
    for dimension in DIMENSIONS:
        parts = dict(list(frame.groupby(dimension, observed=True)[OVERALL]))
        reference = max(parts, key=lambda level: len(parts[level]))
        for level, values in parts.items():
            if level == reference:
                continue
            hidden = len(values) < 10
            gap = values.mean() - parts[reference].mean()
            half = 1.96 * (values.var() / len(values) + 144 / len(parts[reference])) ** 0.5
            shown = {
                "n": len(values),
                "gap": float(gap),
                "ci_low": float(gap - half),
                "ci_high": float(gap + half),
                "effect": float(gap / frame[OVERALL].std()),
            }
            key = {"quarter": quarter, "dimension": dimension, "level": level}
            key |= {"reference": reference, "score": OVERALL}
            rows.append(key | (dict.fromkeys(shown) if hidden else shown))
            rows[-1]["suppressed"] = int(hidden)
    return rows


def charts(quarter: str, tables: dict, trend: list[dict]) -> dict[str, alt.TopLevelMixin]:
    mean, risk, levels, tiers, gaps, stopped = (
        pd.DataFrame(tables[name]).astype(object).where(lambda f: f.notna(), None)
        for name in (
            "mean_by_group", "at_risk_by_group", "levels", "tiers", "gaps", "quarantine_count",
        )
    )  # fmt: skip
    titles = {f["name"]: f["title"] for f in tables["field"]}
    for frame in (mean, risk, gaps):
        frame["group"] = frame["dimension"].map(titles) + ": " + frame["level"]
    mean = mean[(mean["score"] == OVERALL) & (mean["dimension"] != "all")]
    risk = risk[risk["dimension"] != "all"]
    for frame in (levels, tiers):
        frame["title"] = frame["score"].map(titles)
    every = pd.concat([pd.DataFrame(t["mean_by_group"]) for t in trend])
    every = every[every["dimension"] == "all"]
    every["title"] = every["score"].map(titles)
    groups = alt.Y("group:N", sort=None, title=None)
    score = alt.X("mean:Q", title="Mean score, 95 % interval", scale=alt.Scale(zero=False))
    span = alt.Chart(mean).mark_rule().encode(x=alt.X("ci_low:Q", title=""), x2="ci_high", y=groups)
    found = {
        "groups": span + alt.Chart(mean).mark_point().encode(x=score, y=groups),
        "risk": alt.Chart(risk).mark_bar().encode(
            x=alt.X("share:Q", title="Share at risk", axis=alt.Axis(format="%")), y=groups,
            tooltip=["group:N", "share:Q"],
        ),
        "quarantine": alt.Chart(stopped).mark_bar().encode(
            x=alt.X("sum(records):Q", title="Records"),
            y=alt.Y("reason:N", title=None, sort="-x"), color=alt.Color("file:N", title=None),
        ),
        "levels": alt.Chart(levels).mark_bar().encode(
            x=alt.X("share:Q", title=None, axis=alt.Axis(format="%")),
            y=alt.Y("title:N", title=None, sort=None), order="code:Q",
            color=alt.Color("level:O", title=None, sort=[name for name, *_ in LEVELS]),
        ),
        "tiers": alt.Chart(tiers).mark_line(point=True).encode(
            x=alt.X("title:N", title=None, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("mean:Q", title="Mean score"), color=alt.Color("tier:N", title="Tier"),
        ),
        "gaps": alt.Chart(gaps).mark_bar().encode(
            x=alt.X("gap:Q", title="Gap to the largest group"), y=groups,
        ),
        "trend": alt.Chart(every).mark_line(point=True).encode(
            x=alt.X("quarter:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("mean:Q", title="Mean score", scale=alt.Scale(zero=False)),
            color=alt.Color("title:N", title=None, sort=None),
        ),
    }  # fmt: skip
    words = {
        "groups": ("home", f"Those who took the course scored higher in {quarter}"),
        "risk": ("home", f"The share at risk differs by the guardian's schooling in {quarter}"),
        "quarantine": ("etl", "Half of the quarantine are scores above the maximum"),
        "levels": ("ml", f"Four in ten reach Proficient in {quarter}"),
        "tiers": ("ml", "Three tiers lie one above the other: they differ in level, not in kind"),
        "gaps": ("ml", "Most gaps between groups are small"),
        "trend": ("trends", "All means have risen a little since the first quarter"),
    }
    for order, (name, (page, text)) in enumerate(words.items()):
        title = {"text": text, "subtitle": f"{quarter}, n = 1,000 students"}
        found[name] = found[name].properties(
            width="container",
            height=190 if name in ("quarantine", "levels", "tiers", "trend") else 340,
            title=title,
            description=f"{text}.",
            usermeta={"page": page, "order": order},
        )
    return found


def save(places: Places, quarter: str, name: str, chart: alt.TopLevelMixin) -> None:
    spec = chart.to_dict()
    spec.pop("config", None)
    path = places.charts(quarter) / f"{name}.vl.json"
    path.write_text(json.dumps(spec))


def write_status(places: Places) -> None:
    runs = []
    for day, quarter in enumerate(QUARTERS, 1):
        for minute, stage in enumerate(STAGES):
            start = f"2026-10-{day:02}T09:{minute:02}:00+00:00"
            end = f"2026-10-{day:02}T09:{minute:02}:{4 + minute * 3:02}+00:00"
            runs.append((quarter, stage, "done", start, end, 1011, 1000, None, None))
    coming = shift(NEWEST, 1)
    reason = "region-east.csv: the column Essay is missing. Ask for the file again."
    at = "2026-11-02T10:00:00+00:00"
    for stage, state in zip(STAGES, ["done", "failed", *["pending"] * 4], strict=True):
        started, ended = (None, None) if state == "pending" else (at, "2026-11-02T10:00:03+00:00")
        why = ("E104", reason) if state == "failed" else (None, None)
        runs.append((coming, stage, state, started, ended, None, None, *why))
    with closing(sqlite3.connect(places.status)) as connection, connection:
        connection.executescript(STATUS_SQL)
        connection.executemany(
            "INSERT INTO stage_run (quarter, stage, state, started, ended, rows_in, rows_out,"
            " reason_code, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            runs,
        )
