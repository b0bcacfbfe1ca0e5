"""Sample deliveries: the same bytes each time, the right statistics, a few spoilt records."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from exams.places import Places
from exams.samples import draw, drift, read_sample, write_quarter, write_samples

ROOT = Path(__file__).parents[1]
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def sample():
    return read_sample(Places(ROOT / "data", ROOT / "reports"))


@pytest.fixture
def places(tmp_path):
    (tmp_path / "data/deliveries").mkdir(parents=True)
    (tmp_path / "data/sample.json").symlink_to(ROOT / "data/sample.json")
    return Places(tmp_path / "data", tmp_path / "reports")


def records(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def test_two_files_are_written_for_each_of_the_last_four_complete_quarters(places):
    written = write_samples(places, TODAY)
    assert [str(path.relative_to(places.deliveries)) for path in written] == [
        f"{quarter}/{name}"
        for quarter in ("2025Q4", "2026Q1", "2026Q2", "2026Q3")
        for name in ("region-north.csv", "region-south.csv")
    ]
    for quarter in places.delivered_quarters():
        files = [records(path)[1] for path in places.delivery(quarter).iterdir()]
        assert 950 <= sum(map(len, files)) <= 1050


def test_no_sample_is_written_beside_a_real_delivery(places):
    places.delivery("2019Q1").mkdir()
    (places.delivery("2019Q1") / "a.csv").write_text("x\n1\n")
    assert write_samples(places, TODAY) == []
    assert places.delivered_quarters() == ["2019Q1"]


def test_a_quarter_is_the_same_bytes_each_time_and_another_quarter_is_not(sample, tmp_path):
    once, twice, other = (
        [path.read_bytes() for path in write_quarter(sample, quarter, tmp_path / folder)]
        for quarter, folder in (("2026Q3", "a"), ("2026Q3", "b"), ("2026Q2", "c"))
    )
    assert once == twice
    assert once != other


def test_the_header_is_that_of_the_reference_file(sample, tmp_path):
    header = '"gender","race/ethnicity","parental level of education","lunch",'
    header += '"test preparation course","math score","reading score","writing score"\n'
    for path in write_quarter(sample, "2026Q3", tmp_path):
        assert path.read_text("utf-8").startswith(header)


def test_each_file_holds_one_record_of_each_kind_of_dirt(sample, tmp_path):
    for path in write_quarter(sample, "2026Q3", tmp_path):
        header, rows = records(path)
        assert sorted(len(row) for row in rows)[:2] == [7, 8]
        full = [dict(zip(header, row, strict=True)) for row in rows if len(row) == 8]
        spoilt = {"math score": "104", "reading score": "absent", "race/ethnicity": "group X"}
        spoilt |= {"writing score": "", "gender": " Female ", "lunch": "STANDARD"}
        for name, text in spoilt.items():
            assert sum(record[name] == text for record in full) == 1, name


def test_without_drift_the_statistics_are_those_of_the_reference_file(sample):
    columns = draw(sample, 200_000, np.random.default_rng(3), {})
    scores = np.array([columns[name] for name in sample["scores"]])
    assert scores.mean(axis=1) == pytest.approx([66.089, 69.169, 68.054], abs=0.05)
    assert scores.std(axis=1) == pytest.approx([15.163, 14.600, 15.196], abs=0.05)
    correlations = np.corrcoef(scores)[[0, 0, 1], [1, 2, 2]]
    assert correlations == pytest.approx([0.8176, 0.8026, 0.9546], abs=0.005)
    for field, dimension in sample["dimensions"].items():
        for name, level in dimension["levels"].items():
            assert (columns[field] == name).mean() == pytest.approx(level["share"], abs=0.005)


def test_the_gap_between_two_levels_is_the_difference_of_their_effects(sample):
    columns = draw(sample, 200_000, np.random.default_rng(0), {})
    for dimension in ("gender", "lunch", "test_preparation_course"):
        (one, first), (two, second) = sample["dimensions"][dimension]["levels"].items()
        for score, gap in ((s, first["effect"][s] - second["effect"][s]) for s in sample["scores"]):
            means = [columns[score][columns[dimension] == level].mean() for level in (one, two)]
            assert means[0] - means[1] == pytest.approx(gap, abs=0.3), (dimension, score)


def test_drift_moves_the_means_by_what_it_says_and_returns_after_three_years(sample):
    assert drift(sample, "2026Q3") == pytest.approx(
        {"math_score": -1.2, "reading_score": -0.75, "writing_score": -0.9}
    )
    assert drift(sample, "2029Q3") == pytest.approx(drift(sample, "2026Q3"))
    still = draw(sample, 50_000, np.random.default_rng(0), {})
    moved = draw(sample, 50_000, np.random.default_rng(0), {"math_score": -2.0})
    assert (moved["math_score"] - still["math_score"]).mean() == pytest.approx(-2, abs=0.05)
    assert (moved["reading_score"] == still["reading_score"]).all()
