"""A small office, published by hand: for states that a build does not leave behind on demand.

Four quarters with charts, one of them incomplete, with corrections; a failure in the quarter to
come, hidden cells, and a region that is named like a script, to see that it stays text.
Everything is drawn from one seed.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from exams import status
from exams.intake.judging.drift import CHANGES
from exams.intake.judging.judge import REASONS, REPAIRS
from exams.places import STAGES, Places
from exams.published import CONTENT, publish
from exams.quarters import shift
from exams.stages.compare import BREAKS
from exams.statistics.intervals import mean_interval, share_interval

NEWEST = "2026Q3"
QUARTERS = [shift(NEWEST, by) for by in range(-3, 1)]
INCOMPLETE = "2026Q1"  # a file of it was refused
SCRIPT = "<script>document.title='broken'</script>"
DIMENSIONS = {
    "region": ("Region", {"north": 0.5, "south": 0.494, SCRIPT: 0.006}),
    "course": ("Preparation course", {"none": 0.6, "completed": 0.4}),
}
SCORES = {"algebra": "Algebra", "grammar": "Grammar", "essay": "Essay"}
OVERALL = "overall"
RISK = 40
LEVELS = [("Basic", 0, 60), ("Advanced", 60, 101)]
CHARTS = [  # name, page, height
    ("groups", "home", 300),
    ("risk", "home", 200),
    ("quarantine", "etl", 150),
    ("levels", "ml", {"step": 30}),
    ("tiers", "ml", 150),
    ("gaps", "ml", 300),
    ("trend", "trends", 200),
]


def make(folder: Path) -> Places:
    """Fill `folder` with a published.db, a status.db and the chart files of every quarter."""
    places = Places.of(folder / "data", folder / "reports")
    for quarter in QUARTERS:
        tables = tables_of(quarter, students(quarter))
        refused = int(quarter == INCOMPLETE)
        publish(places.published, quarter, tables, ("State exams", "1.0"), refused)
        for order, (name, page, height) in enumerate(CHARTS):
            text = json.dumps(chart(name, page, order, height))
            (places.charts(quarter) / f"{name}.vl.json").write_text(text)
    write_status(places)
    return places


def chart(name: str, page: str, order: int, height: int | dict) -> dict:
    """Return a bar chart, one bar of it missing as Python writes a hidden value."""
    bars = zip(SCORES.values(), [40, 70, float("nan")], strict=True)
    return {
        "data": {"values": [{"score": title, "share": share} for title, share in bars]},
        "mark": "bar",
        "encoding": {
            "x": {"field": "share", "type": "quantitative"},
            "y": {"field": "score", "type": "nominal"},
        },
        "height": height,
        "width": "container",
        "title": {"text": f"What {name} shows", "subtitle": "All students"},
        "description": f"What {name} shows.",
        "usermeta": {
            "page": [page],
            "order": order,
            "table": {
                "columns": [{"title": "Score"}, {"title": "Share", "number": True}],
                "rows": [["Algebra", "40"], ["Grammar", "70"], ["Essay", "hidden"]],
            },
        },
    }


def students(quarter: str, number: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(int(quarter[:4]) * 10 + int(quarter[5]))
    frame = pd.DataFrame(
        {
            name: rng.choice(list(levels), number, p=list(levels.values()))
            for name, (_, levels) in DIMENSIONS.items()
        }
    )
    ability = rng.normal(60, 12, number) + 6 * (frame["course"] == "completed")
    for name in SCORES:
        frame[name] = (ability + rng.normal(0, 7, number)).round().clip(0, 100).astype(int)
    frame[OVERALL] = frame[list(SCORES)].mean(axis=1)
    return frame


def tables_of(quarter: str, frame: pd.DataFrame) -> dict[str, list[dict]]:
    """Return what publish would: of every table some rows, or none."""
    groups = [("all", "all", frame)]
    groups += [(name, *group) for name in DIMENSIONS for group in frame.groupby(name)]
    scores = [*SCORES, OVERALL]
    tables = {
        "field": field_rows(),
        "delivery": delivery_rows(len(frame), resolved=3 if quarter == INCOMPLETE else 0),
        "quarantine_count": quarantine_rows(),
        "repair_count": [
            {"file": "region-north.csv", "column": "region", "repair": "case", "records": 12}
            | {"meaning": REPAIRS["case"]}
        ],
        "schema_change": [
            {"place": 0, "former": shift(quarter, -1), "subject": "Remarks"}
            | {"change": "column_added", "detail": "No field claims it."}
            | {"meaning": CHANGES["column_added"]}
        ],
        "comparability_break": [
            {"place": 0, "former": shift(quarter, -1), "score": "all", "subject": "*"}
            | {"change": "version_changed", "detail": "It is version 1.0; it was 0.9."}
            | {"meaning": BREAKS["version_changed"]}
        ][: quarter == INCOMPLETE],
        "mean_by_crossing": [],
        "mean_by_group": [
            {"dimension": dimension, "level": level, "score": score, **mean_of(part[score])}
            for dimension, level, part in groups
            for score in scores
        ],
        "at_risk_by_group": [
            {"dimension": dimension, "level": level, **risk_of(part)}
            for dimension, level, part in groups
        ],
        "levels": [
            {"score": score, "code": code, "level": label, "suppressed": 0}
            | share_of(int(frame[score].between(low, high - 1e-9).sum()), len(frame), "n")
            for score in scores
            for code, (label, low, high) in enumerate(LEVELS, 1)
        ],
        "tiers": [],
        "gaps": [],
        "change": [],
        "prediction": prediction_rows(),
        "explanation": [],
        "calibration": [
            {"bin": 1, "n": 500, "at_risk": 60, "predicted": 0.13, "observed": 0.12}
            | {"ci_low": 0.09, "ci_high": 0.15, "suppressed": 0}
        ],
    }
    tables = {table.name: [] for table in CONTENT} | tables
    return {name: [{"quarter": quarter, **row} for row in rows] for name, rows in tables.items()}


def field_rows() -> list[dict]:
    fields = [(name, title, "dimension") for name, (title, _) in DIMENSIONS.items()]
    fields += [(name, title, "score") for name, title in SCORES.items()]
    fields.append((OVERALL, "Overall", "overall"))
    scale = {"unit": "points", "minimum": 0, "maximum": 100}
    none = {"unit": "", "minimum": None, "maximum": None}
    return [
        {"position": i, "name": name, "title": title, "role": role, "description": ""}
        | (none if role == "dimension" else scale)
        for i, (name, title, role) in enumerate(fields)
    ]


def delivery_rows(number: int, resolved: int) -> list[dict]:
    """Return the files; the records `resolved` of the first are in a file of corrections again."""
    north = number * 6 // 10
    parts = {
        "region-north.csv": (north - resolved, 7, resolved),
        "region-south.csv": (number - north, 4, 0),
    }
    if resolved:
        parts["region-north.corrections.csv"] = (resolved, 0, 0)
    names = ("loaded", "quarantined", "resolved")
    return [
        {"file": file, "sha256": "1c4f7a90b2e85d63" * 4, "received": sum(fates)}
        | dict(zip(names, fates, strict=True))
        for file, fates in parts.items()
    ]


def quarantine_rows() -> list[dict]:
    found = [
        ("region-north.csv", "algebra", "above_maximum", 4),
        ("region-north.csv", "region", "unknown_level", 2),
        ("region-north.csv", "*", "wrong_number_of_columns", 1),
        ("region-south.csv", "algebra", "above_maximum", 1),
        ("region-south.csv", "essay", "not_a_number", 3),
    ]
    names = ("file", "column", "reason", "records")
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return [row | {"meaning": REASONS[row["reason"]]} for row in rows]


def prediction_rows() -> list[dict]:
    """Return what two models gain for a score, and one for the chance of being at risk."""
    found = [
        ("algebra", "baseline", 0.0, 0.0, 0.0),
        ("algebra", "linear", 0.24, 0.14, 0.33),
        ("algebra", "ridge", 0.25, 0.15, 0.35),
        ("at_risk", "logistic", 0.05, -0.07, 0.17),
    ]
    names = ("target", "model", "value", "ci_low", "ci_high")
    more = {"metric": "gain", "n": 1000, "suppressed": 0}
    return [dict(zip(names, row, strict=True)) | more for row in found]


def mean_of(values: pd.Series) -> dict:
    n, mean, sd = len(values), float(values.mean()), float(values.std())
    low, high = mean_interval(n, mean, sd)
    return hidden_if(n < 10, {"n": n, "mean": mean, "sd": sd, "ci_low": low, "ci_high": high})


def risk_of(part: pd.DataFrame) -> dict:
    k, n = int((part[list(SCORES)] < RISK).any(axis=1).sum()), len(part)
    return hidden_if(n < 10 or k < 5, {"n": n} | share_of(k, n, "at_risk"))


def share_of(k: int, n: int, name: str) -> dict:
    low, high = share_interval(k, n)
    return {name: k, "share": k / n, "ci_low": low, "ci_high": high}


def hidden_if(hidden: bool, figures: dict) -> dict:
    return (dict.fromkeys(figures) if hidden else figures) | {"suppressed": int(hidden)}


def write_status(places: Places) -> None:
    """Note every stage of the four quarters as done, and one failure in the quarter to come."""
    runs = []
    for day, quarter in enumerate(QUARTERS, 1):
        for minute, stage in enumerate(STAGES):
            start = f"2026-10-{day:02}T09:{minute:02}:00+00:00"
            end = f"2026-10-{day:02}T09:{minute:02}:{4 + minute * 3:02}+00:00"
            runs.append(("done", start, end, 1000, None, None, quarter, stage))
    coming = shift(NEWEST, 1)
    reason = "region-east.csv: the column Essay is missing. Ask for the file again."
    at = ("2026-11-02T10:00:00+00:00", "2026-11-02T10:00:03+00:00")
    runs.append(("done", *at, 400, None, None, coming, "extract"))
    runs.append(("failed", *at, None, "E104", reason, coming, "transform"))
    for quarter in [*QUARTERS, coming]:
        status.plan(places.status, quarter, STAGES)
    with closing(sqlite3.connect(places.status)) as connection, connection:
        connection.executemany(
            "UPDATE stage_run SET state = ?, started = ?, ended = ?, rows_out = ?,"
            " reason_code = ?, reason = ? WHERE quarter = ? AND stage = ?",
            runs,
        )
