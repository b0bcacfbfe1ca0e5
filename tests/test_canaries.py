"""Values that must not leave are planted in a delivery and looked for in what a build leaves."""

import json
import struct
import zipfile

import pytest
import yaml
from given import OTHER, other_results

from building import QUARTER, build, charts, rows, scratch
from exams import published
from exams.stages.lean import short
from exams.tables import FIGURES

pytestmark = pytest.mark.slow

CANDIDATE = {"name": "candidate", "type": "string", "role": "identifier"}
SMALL = "region 01"  # three students
REJECTED = "canary-in-quarantine"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Build a quarter with a small region, candidates' names and a value that is no level."""
    contract = {**OTHER, "fields": [*OTHER["fields"], CANDIDATE]}
    places = scratch(tmp_path_factory.mktemp("canaries"), yaml.safe_dump(contract))
    results = other_results()
    results["candidate"] = [f"canary-candidate-{number:04}" for number in range(len(results))]
    results.loc[results.index[-1], "Region"] = REJECTED
    results.to_csv(places.delivery(QUARTER) / "all.csv", index=False)
    code, lines = build(places)
    assert code == 0, lines
    return places, "\n".join(lines)


def left(places):
    """Yield the bytes of every file outside the private side, and in it those of the models."""
    shown = [places.reports, places.published.parent, places.status.parent, places.models(QUARTER)]
    for file in sorted(f for folder in shown for f in folder.rglob("*") if f.is_file()):
        yield file.name, file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                for name in packed.namelist():
                    yield f"{file.name}/{name}", packed.read(name)


def forms(value):
    """Return how a number is written: in text, to nine digits; in a database; in a chart."""
    ways = [(space, end) for space in ("", " ") for end in ",}"]
    drawn = [f":{space}{json.dumps(short(value))}{end}" for space, end in ways]
    written = [f"{value:.12f}"[:10], *drawn]
    packed = [struct.pack(">d", value), struct.pack("<d", value)]
    return [*(text.encode() for text in written), *packed]


def hidden_figures(places):
    """Return the true values of the hidden figures, but for whole numbers.

    Two groups may have the same mean, or share: what is shown of another one is left out.
    """
    keys = ("dimension", "level", "score")
    every = [published.read(places.published, table.name, QUARTER) for table in FIGURES]
    shown = {value for read in every for row in read for value in row.values()}
    found = []
    for table, columns in {
        "mean_by_group": ("mean", "sd", "ci_low", "ci_high"),
        "at_risk_by_group": ("share", "ci_low", "ci_high"),
        "gaps": ("gap", "effect", "ci_low", "ci_high"),
    }.items():
        names = [k for k in keys if not (table == "at_risk_by_group" and k == "score")]
        every = published.read(places.published, table, QUARTER)
        away = [row for row in every if row["suppressed"]]
        where = {tuple(row[k] for k in names) for row in away}
        query = f"SELECT {', '.join((*names, *columns))} FROM {table}"
        for row in rows(places.warehouse, query):
            if row[: len(names)] in where:
                found += [v for v in row[len(names) :] if v is not None and len(repr(v)) > 10]
    drawn = {short(value) for value in shown if isinstance(value, float)}
    return [value for value in found if value not in shown and short(value) not in drawn]


def test_the_search_finds_what_is_there(planted):
    places, _ = planted
    seen = dict(left(places))
    named = {"model.html", "published.db", "status.db", "data.zip", "common.js"}
    assert named <= set(seen)
    shown = next(
        row["mean"]
        for row in published.read(places.published, "mean_by_group", QUARTER)
        if row["level"] == "region 30"
    )
    homes = {name for name, content in seen.items() if any(f in content for f in forms(shown))}
    assert {"published.db", "means.vl.json", "visualize.html", f"{QUARTER}.js"} <= homes


def test_no_student_and_no_rejected_value_is_left_anywhere(planted):
    places, said = planted
    assert "canary" not in said
    assert rows(places.warehouse, "SELECT count(*) FROM quarantine") == [(1,)]
    assert [name for name, content in left(places) if b"canary" in content.lower()] == []


def test_no_hidden_figure_is_left_anywhere(planted):
    places, said = planted
    hidden = hidden_figures(places)
    assert len(hidden) > 20
    written = [form for value in hidden for form in forms(value)]
    found = [name for name, content in left(places) if any(form in content for form in written)]
    assert found == []
    assert not any(form in said.encode() for form in written)


def data_rows(spec):
    """Yield every row of data in a chart."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "values" and isinstance(value, list):
                yield from (row for row in value if isinstance(row, dict))
            elif key == "datasets":
                yield from (row for listed in value.values() for row in listed)
            else:
                yield from data_rows(value)
    elif isinstance(spec, list):
        for item in spec:
            yield from data_rows(item)


def test_charts_hold_published_cells_only(planted):
    """What a chart says of the small region has no count and no mean."""
    places, _ = planted
    of_small = [
        (name, row)
        for name, spec in charts(places).items()
        for row in data_rows(spec)
        if SMALL in row.values()
    ]
    assert {"means", "at_risk"} <= {name for name, _ in of_small}
    for name, row in of_small:
        if row.get("name") == "hidden":  # stands for all that is hidden of a group
            continue
        told = {key: value for key, value in row.items() if key in ("n", "mean", "sd", "share")}
        assert set(told.values()) <= {None}, (name, json.dumps(row))
