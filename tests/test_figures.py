"""Figures from the cube equal those of the single records, and the figures of record."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from office import QUARTER, Office
from scipy import stats

from exams.stages.model import (
    at_risk_by_group,
    gaps,
    level_by_group,
    levels,
    mean_by_group,
    read_cube,
)
from exams.statistics.intervals import mean_interval, share_interval, welch

pytestmark = pytest.mark.usefixtures("store")


def cube_of(folder, file, contract):
    """Build one quarter of the one file, and return its cube."""
    office = Office(folder, contract)
    (office.folder() / file.name).write_bytes(file.read_bytes())
    office.build()
    return read_cube(office.warehouse, contract, QUARTER)


@pytest.fixture(scope="module")
def cube(reference, shipped, tmp_path_factory):
    return cube_of(tmp_path_factory.mktemp("work"), reference / "StudentsPerformance.csv", shipped)


@pytest.fixture(scope="module")
def record(reference):
    return json.loads((reference / "figures.json").read_text())


DIMENSIONS = {
    "gender": "gender",
    "ethnicity": "race_ethnicity",
    "parental": "parental_level_of_education",
    "lunch": "lunch",
    "prep": "test_preparation_course",
}
SCORES = {
    "math": "math_score",
    "reading": "reading_score",
    "writing": "writing_score",
    "average": "average_score",
}


def as_given(value, digits):
    return pytest.approx(value, abs=0.5 * 10**-digits + 1e-9)


def test_the_whole_quarter_has_the_figures_of_record(cube, record):
    means = mean_by_group(cube).query("dimension == 'all'").set_index("score")
    for short, name in SCORES.items():
        row, known = means.loc[name], record[short]
        assert row["n"] == record["n"]
        assert row["mean"] == as_given(known["mean"], 6)
        assert row["sd"] == as_given(known["sd"], 6)
        assert [row["ci_low"], row["ci_high"]] == [as_given(v, 4) for v in known["ci"]]


def test_every_group_has_the_figures_of_record(cube, record):
    means = mean_by_group(cube).set_index(["dimension", "level", "score"])
    risk = at_risk_by_group(cube).set_index(["dimension", "level"])
    assert len(record["by"]) == 17
    for key, known in record["by"].items():
        short, level = key.split("=")
        group = DIMENSIONS[short], level
        row = risk.loc[group]
        assert (row["n"], row["at_risk"]) == (known["n"], known["at_risk50"])
        assert [row["ci_low"], row["ci_high"]] == [as_given(v, 4) for v in known["at_risk_ci"]]
        share = share_interval(known["n"], record["n"])
        assert list(share) == [as_given(v, 4) for v in known["share_ci"]]
        for name in SCORES:
            row, figures = means.loc[(*group, SCORES[name])], known[name]
            assert row["n"] == known["n"]
            assert row["mean"] == as_given(figures["mean"], 4)
            assert row["sd"] == as_given(figures["sd"], 4)
            assert [row["ci_low"], row["ci_high"]] == [as_given(v, 4) for v in figures["ci"]]


def test_figures_equal_those_of_the_single_records_with_missing_scores(small, tmp_path):
    rng = np.random.default_rng(7)
    size = 500
    rows = pd.DataFrame(
        {
            "track": rng.choice(["north", "south"], size),
            "points": rng.integers(0, 11, size),
            "mark": rng.integers(10, 61, size) / 10,
        }
    )
    rows.loc[rng.random(size) < 0.2, "mark"] = None
    rows.to_csv(tmp_path / "a.csv", index=False)
    cube = cube_of(tmp_path, tmp_path / "a.csv", small)
    means = mean_by_group(cube).set_index(["level", "score"])
    for level, part in [("all", rows), *rows.groupby("track")]:
        for score in ("points", "mark"):
            values, row = part[score].dropna(), means.loc[level, score]
            assert row["n"] == len(values)
            assert row["mean"] == pytest.approx(values.mean(), rel=1e-12)
            assert row["sd"] == pytest.approx(values.std(), rel=1e-12)
    known = stats.ttest_ind(
        *(rows.loc[rows["track"] == t, "points"] for t in ("south", "north")), equal_var=False
    )
    row = gaps(mean_by_group(cube)).query("score == 'points'").iloc[0]
    sign = 1 if row["level"] == "south" else -1
    interval = sorted(sign * bound for bound in known.confidence_interval())
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(interval, rel=1e-9)
    counted = levels(level_by_group(cube)).query("score == 'mark'")["n"].tolist()
    assert counted == [(rows["mark"] < 4).sum(), (rows["mark"] >= 4).sum()]
    assert at_risk_by_group(cube)["at_risk"].iloc[0] == (rows["points"] < 5).sum()


def test_the_overall_score_is_at_a_level_by_its_exact_mean(cube, reference):
    rows = pd.read_csv(reference / "StudentsPerformance.csv").iloc[:, -3:].sum(axis="columns")
    known = np.histogram(rows, bins=[3 * low for low in (0, 50, 60, 70, 80)] + [301])[0]
    counted = levels(level_by_group(cube)).query("score == 'average_score'")["n"]
    assert counted.tolist() == known.tolist()


def test_intervals_of_one_student_and_of_none_are_undefined():
    assert all(math.isnan(v) for v in mean_interval(1, 5.0, 0.0))
    assert all(math.isnan(v) for v in share_interval(0, 0))
    assert all(math.isnan(v) for v in welch((1, 5.0, 0.0), (9, 4.0, 1.0)))


def test_wilson_never_leaves_0_to_1():
    low, high = share_interval(0, 10)
    assert low == 0
    assert high == pytest.approx(0.2775, abs=1e-4)
