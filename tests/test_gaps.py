"""Gaps: effect sizes and corrections as statsmodels has them, and words in the right direction."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from given import OTHER, other_results
from office import QUARTER, Office
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.multitest import multipletests

from exams.statistics.adjusted import adjusted_gaps
from exams.statistics.gaps import gaps, score_gaps
from exams.statistics.groups import mean_by_group
from exams.statistics.intervals import holm, paired, welch
from exams.statistics.words import gap_sentences, score_gap_sentences
from exams.warehouse.read import read_cube

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def cube(reference, shipped, tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("work"), shipped)
    file = reference / "StudentsPerformance.csv"
    (office.folder() / file.name).write_bytes(file.read_bytes())
    office.build()
    return read_cube(office.warehouse, shipped, QUARTER)


@pytest.mark.parametrize("sizes", [(12, 9), (500, 400), (10**8, 10)])
def test_hedges_g_and_its_interval_are_those_of_statsmodels(sizes):
    n, m = sizes
    found = welch((n, 66.0, 15.0), (m, 69.5, 14.0))
    g, variance = effectsize_smd(66.0, 15.0, n, 69.5, 14.0, m)
    half = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (found.effect, found.effect_low, found.effect_high) == pytest.approx(
        (g, g - half, g + half), rel=1e-9
    )


def test_p_is_that_of_welchs_test():
    random = np.random.default_rng(1)
    a, b = random.normal(60, 15, 40), random.normal(64, 9, 30)
    found = welch(*((len(x), x.mean(), x.std(ddof=1)) for x in (a, b)))
    assert found.p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-9)


@pytest.mark.parametrize("p", [[0.01, 0.04, 0.03, 0.005], [0.5, 0.9], [0.2], []])
def test_holms_correction_is_that_of_statsmodels(p):
    known = multipletests(p, method="holm")[1] if p else []
    assert holm(p) == pytest.approx(known, rel=1e-12)


def test_holms_correction_counts_tests_only():
    assert holm([0.01, math.nan, 0.02]).tolist()[::2] == [0.02, 0.02]
    assert math.isnan(holm([0.01, math.nan])[1])


def test_a_pair_without_spread_is_no_test():
    assert all(math.isnan(v) for v in paired(5, 1.0, 0.0))
    assert all(math.isnan(v) for v in paired(1, 1.0, 2.0))


def test_mathematics_lags_reading_and_writing_but_not_among_males(cube):
    found = score_gaps(cube)
    said = dict(zip(found.index, score_gap_sentences(found, cube.contract), strict=True))
    whole = [said[at] for at in found.query("dimension == 'all'").index]
    assert whole[0].startswith("All students: Mathematics is 3.1 points below Reading (95 %")
    assert whole[1].startswith("All students: Mathematics is 2.0 points below Writing (95 %")
    male = [said[at] for at in found.query("level == 'male'").index]
    assert male[0].startswith("Gender, male: Mathematics is 3.3 points above Reading (95 %")
    assert male[1].startswith("Gender, male: Mathematics is 5.4 points above Writing (95 %")
    assert all("p < .001" in sentence for sentence in [*whole[:2], *male[:2]])


def test_every_gap_is_said_in_its_direction_and_none_as_a_cause(cube):
    found = gaps(mean_by_group(cube))
    said = gap_sentences(found, cube.contract)
    assert len(said) == len(found) == 12 * 4  # 17 levels of 5 dimensions, each with a base
    for row, sentence in zip(found.itertuples(), said, strict=True):
        way = "above" if row.mean > row.reference_mean else "below"
        assert f"{row.level} is {abs(row.mean - row.reference_mean):.1f} points {way}" in sentence
        assert ("chance" in sentence) == (row.p >= 0.05)
    words = " ".join(said).lower()
    assert not re.search(r"\b(because|cause|due to|leads? to|effect of|improves?)\b", words)
    male = next(s for s in said if s.startswith("Mathematics, Gender: male"))
    assert male == (
        "Mathematics, Gender: male is 5.1 points above female (95 % interval 3.2 to 6.9,"
        " p < .001), a small difference (g = 0.34)."
    )


def test_the_smaller_groups_students_are_told(cube):
    found = gaps(mean_by_group(cube)).set_index(["level", "score"])
    assert found.loc[("group A", "math_score"), "n"] == 89


def test_a_gap_of_too_few_students_says_so(small):
    means = pd.DataFrame(
        {
            "dimension": "track",
            "level": ["north", "south"],
            "score": "points",
            "n": [9, 1],
            "mean": [5.0, 6.0],
            "sd": [1.0, math.nan],
        }
    )
    assert gap_sentences(gaps(means), small) == [
        "Points, Track: south and north cannot be compared: too few students."
    ]


def test_scores_of_different_scales_are_not_compared(contract_of, tmp_path):
    rules = contract_of(OTHER)
    office = Office(tmp_path, rules)
    other_results().to_csv(office.folder() / "all.csv", index=False)
    office.build()
    cube = read_cube(office.warehouse, rules, QUARTER)
    assert score_gaps(cube).empty
    assert set(adjusted_gaps(cube)["score"]) == {"theory", "practice"}


# Adjusted gaps

PLACE = {"type": "string", "role": "dimension"}
SCORE = {"type": "integer", "role": "score", "constraints": {"minimum": 0, "maximum": 100}}


def adjusted(folder, contract_of, rows):
    """Return the adjusted gaps of records with two dimensions and a score, by level."""
    dimensions = [
        {"name": name, **PLACE, "constraints": {"required": True, "enum": sorted(set(rows[name]))}}
        for name in ("town", "school")
    ]
    rules = contract_of({"fields": [*dimensions, {"name": "points", **SCORE}]})
    office = Office(folder, rules)
    rows.to_csv(office.folder() / "all.csv", index=False)
    office.build()
    return adjusted_gaps(read_cube(office.warehouse, rules, QUARTER)).set_index("level")


def crossed(**counts):
    """Return records: per town and school (as town_school) so many, with scores of 50 and 60."""
    rows = [
        (*key.split("_"), 50 + 10 * (i % 2)) for key, count in counts.items() for i in range(count)
    ]
    return pd.DataFrame(rows, columns=["town", "school", "points"])


def test_a_gap_that_goes_with_another_dimension_is_gone(contract_of, tmp_path):
    rows = crossed(a_x=40, a_y=10, b_x=10, b_y=40)
    rows.loc[rows["school"] == "y", "points"] += 20  # towns differ by their schools alone
    found = adjusted(tmp_path, contract_of, rows)
    assert found.loc["b", "gap"] == pytest.approx(0, abs=1e-9)
    assert found.loc["y", "gap"] == pytest.approx(20)
    assert found["note"].tolist() == ["", ""]


def test_dimensions_that_say_the_same_are_not_told_apart(contract_of, tmp_path):
    found = adjusted(tmp_path, contract_of, crossed(a_x=30, b_y=20))
    assert found["gap"].isna().all() and found["p"].isna().all()
    assert set(found["note"]) == {"cannot be told apart from another dimension"}


def test_dimensions_that_nearly_say_the_same_are_noted(contract_of, tmp_path):
    found = adjusted(tmp_path, contract_of, crossed(a_x=300, a_y=5, b_x=5, b_y=300))
    assert (found["collinearity"] > 2.24).all()
    assert found["note"].str.contains("goes together with other dimensions").all()


def test_a_group_with_few_counterparts_is_noted(contract_of, tmp_path):
    found = adjusted(tmp_path, contract_of, crossed(a_x=50, a_y=50, b_y=6, b_z=14))
    assert found.loc["b", "overlap"] == pytest.approx(6 / 20)
    assert "few students alike in the reference" in found.loc["b", "note"]
