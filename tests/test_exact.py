"""What the cube gives is what the single records give, to 1e-9, at any number of students."""

import dataclasses
import json
from fractions import Fraction
from math import sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from office import QUARTER, Office
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, Ridge

from building import ROOT
from exams.samples import draw
from exams.statistics.adjusted import adjusted_gaps
from exams.statistics.cells import cells
from exams.statistics.gaps import gaps, score_gaps
from exams.statistics.groups import at_risk_by_group, groups, mean_by_group
from exams.statistics.levels import level_by_group
from exams.statistics.tiers import tier_start
from exams.warehouse.read import CubeFrames, read_cube

pytestmark = pytest.mark.usefixtures("store")

EXACT = 1e-9


@pytest.fixture(scope="module", params=[1_000, 200_000])
def both(request, shipped, tmp_path_factory):
    """Return single records, and the cube that the warehouse holds of them."""
    sample = json.loads((ROOT / "data/sample.json").read_text())
    rows = pd.DataFrame(draw(sample, request.param, np.random.default_rng(3), {}))
    office = Office(tmp_path_factory.mktemp("exact"), shipped)
    rows.to_csv(office.folder() / "all.csv", index=False)
    office.stream()
    scores = [s.name for s in shipped.scores]
    overall = rows[scores].mean(axis="columns")
    return rows.assign(**{shipped.overall.name: overall}), read_cube(
        office.warehouse, shipped, QUARTER
    )


def near(value):
    return pytest.approx(value, rel=EXACT, abs=EXACT)


def parts(rows, contract):
    """Yield each group with its records."""
    for dimension, level in groups(contract):
        yield (dimension, level), rows if dimension == "all" else rows[rows[dimension] == level]


def values(cube, score):
    """Return the values of a score, in its unit, and how many students have them."""
    field = next(s for s in cube.contract.reported if s.name == score)
    counted = cube.values[cube.values["score"] == score].groupby("steps")["n"].sum()
    return counted.index.to_numpy() / cube.contract.per_unit(field), counted.to_numpy()


def indicators(frame, contract):
    """Return dummies of every dimension, the largest level left out."""
    made = []
    for dimension in contract.dimensions:
        largest = frame[dimension.name].value_counts().idxmax()
        levels = [level for level in dimension.levels if level != largest]
        made.append(pd.DataFrame({(dimension.name, x): frame[dimension.name] == x for x in levels}))
    return pd.concat(made, axis="columns").astype(float)


def test_means_and_deviations(both):
    rows, cube = both
    found = mean_by_group(cube).set_index(["dimension", "level", "score"])
    for group, part in parts(rows, cube.contract):
        for score in cube.contract.reported:
            row, known = found.loc[(*group, score.name)], part[score.name]
            assert (row["n"], row["mean"], row["sd"]) == near(
                (len(part), known.mean(), known.std())
            )


@pytest.mark.parametrize("q", [0.05, 0.25, 0.5, 0.9])
def test_quantiles(both, q):
    rows, cube = both
    for score in cube.contract.reported:
        points, n = values(cube, score.name)
        found = np.quantile(points, q, weights=n, method="inverted_cdf")
        assert found == near(np.quantile(rows[score.name], q, method="inverted_cdf"))


def test_score_levels_of_every_group(both):
    rows, cube = both
    found = level_by_group(cube).groupby(["dimension", "level", "score"], sort=False)["n"].agg(list)
    edges = [0, 50, 60, 70, 80, 101]
    for group, part in parts(rows, cube.contract):
        for score in cube.contract.reported:
            known = np.histogram(part[score.name], bins=edges)[0]
            assert found[(*group, score.name)] == known.tolist()


def test_students_at_risk(both):
    rows, cube = both
    low = (rows[[s.name for s in cube.contract.scores]] < 50).any(axis="columns")
    found = at_risk_by_group(cube).set_index(["dimension", "level"])["at_risk"]
    for group, part in parts(rows, cube.contract):
        assert found[group] == low[part.index].sum()


def test_correlations(both):
    rows, cube = both
    names = [s.name for s in cube.contract.scores]
    sums = cube.moments.groupby(["score", "other"])["total"].sum()
    n = int(cube.cells["complete"].sum())
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        pair = names[a], names[b]
        x, y = (int(sums[name, ""]) for name in pair)
        xx, yy = (int(sums[name, name]) for name in pair)
        found = (n * int(sums[pair]) - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y))
        assert found == near(stats.pearsonr(rows[pair[0]], rows[pair[1]]).statistic)


def test_gaps_between_groups_and_between_scores(both):
    rows, cube = both
    for row in gaps(mean_by_group(cube)).itertuples():
        a, b = (rows.loc[rows[row.dimension] == x, row.score] for x in (row.level, row.reference))
        known = stats.ttest_ind(a, b, equal_var=False)
        assert (row.gap, row.ci_low, row.ci_high) == near(
            (a.mean() - b.mean(), *known.confidence_interval())
        )
    for row in score_gaps(cube).itertuples():
        part = rows if row.dimension == "all" else rows[rows[row.dimension] == row.level]
        known = stats.ttest_rel(part[row.score], part[row.other])
        interval = known.confidence_interval()
        assert (row.ci_low, row.ci_high) == pytest.approx(tuple(interval), rel=1e-7, abs=EXACT)


def test_least_squares_with_robust_errors(both):
    rows, cube = both
    dummies = indicators(rows, cube.contract)
    design = sm.add_constant(dummies.to_numpy())
    found = adjusted_gaps(cube).set_index(["score", "dimension", "level"])
    for score in cube.contract.reported:
        known = sm.OLS(rows[score.name].to_numpy(), design).fit(cov_type="HC3", use_t=True)
        interval = known.conf_int()
        for at, group in enumerate(dummies.columns, 1):
            row = found.loc[(score.name, *group)]
            assert (row["gap"], row["ci_low"], row["ci_high"]) == near(
                (known.params[at], *interval[at])
            )


def test_ridge(both):
    rows, cube = both
    score = cube.contract.scores[0]
    held = cells(cube).query("score == @score.name")
    dummies = indicators(rows, cube.contract)
    design = pd.DataFrame({c: held[c[0]] == c[1] for c in dummies.columns}).astype(float)
    n = held["n"].astype(float)
    found = Ridge(alpha=5.0).fit(design.to_numpy(), held["total"] / held["n"], sample_weight=n)
    known = Ridge(alpha=5.0).fit(dummies.to_numpy(), rows[score.name])
    assert found.coef_ == near(known.coef_)


def test_logistic_regression_of_students_at_risk(both):
    rows, cube = both
    low = (rows[[s.name for s in cube.contract.scores]] < 50).any(axis="columns")
    dummies = indicators(rows, cube.contract)
    held = cube.cells
    design = pd.DataFrame({c: held[c[0]] == c[1] for c in dummies.columns}).astype(float)
    twice = np.vstack([design, design])
    outcome = np.repeat([1, 0], len(held))
    n = np.concatenate([held["at_risk"], held["n"] - held["at_risk"]])
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=200)
    found = model.fit(twice, outcome, sample_weight=n).coef_
    known = model.fit(dummies.to_numpy(), low).coef_
    assert found == near(known)


def test_weighted_clusters(both):
    rows, cube = both
    names = [s.name for s in cube.contract.scores]
    start = tier_start(cube.combinations[names], cube.combinations["n"], 3)
    model = KMeans(n_clusters=3, init=start, n_init=1, tol=0)
    found = model.fit(cube.combinations[names].to_numpy(), sample_weight=cube.combinations["n"])
    centres, inertia = found.cluster_centers_.copy(), found.inertia_
    known = model.fit(rows[names].to_numpy())
    assert (*centres.ravel(), inertia) == near((*known.cluster_centers_.ravel(), known.inertia_))


def test_the_largest_distance_of_two_distributions(both):
    rows, cube = both
    dimension, score = cube.contract.dimensions[0], cube.contract.overall
    counted = cube.values.query("score == @score.name").pivot_table(
        index="steps", columns=dimension.name, values="n", aggfunc="sum", fill_value=0
    )
    shares = (counted.cumsum() / counted.sum())[list(dimension.levels)]
    found = shares.iloc[:, 0].sub(shares.iloc[:, 1]).abs().max()
    halves = [rows.loc[rows[dimension.name] == level, score.name] for level in dimension.levels]
    # a mean as a float may differ in its last digit: compared as totals
    totals = [(half * len(cube.contract.scores)).round() for half in halves]
    assert found == near(stats.ks_2samp(*totals).statistic)


# No overflow


def scaled(cube, by):
    """Return the cube of `by` times as many students, each of them `by` times."""
    counts = {"n", "complete", "at_risk", "total"}
    frames = {
        name: frame.assign(**{c: frame[c] * by for c in counts & set(frame.columns)})
        for name in ("cells", "values", "moments", "combinations")
        for frame in [getattr(cube, name)]
    }
    return dataclasses.replace(cube, **frames)


def test_a_hundred_million_students_overflow_nowhere(both):
    rows, cube = both
    by = 100_000_000 // len(rows)
    found = mean_by_group(scaled(cube, by)).set_index(["dimension", "level", "score"])
    whole = adjusted_gaps(scaled(cube, by)), adjusted_gaps(cube)
    assert whole[0]["gap"].to_numpy() == near(whole[1]["gap"].to_numpy())
    for group, part in parts(rows, cube.contract):
        for score in cube.contract.scores:
            steps = [int(value) for value in part[score.name]]
            n, total, squares = len(steps) * by, sum(steps) * by, sum(s * s for s in steps) * by
            variance = Fraction(n * squares - total * total, n * (n - 1))
            row = found.loc[(*group, score.name)]
            assert row["n"] == n
            assert (row["mean"], row["sd"]) == near((total / n, sqrt(variance)))


def test_sums_of_squares_above_64_bits_stay_exact(contract_of):
    field = {"type": "integer", "role": "score"}
    field |= {"constraints": {"minimum": 0, "maximum": 10_000}}
    dimension = {"name": "half", "type": "string", "role": "dimension"}
    dimension |= {"constraints": {"required": True, "enum": ["a", "b"]}}
    fields = [dimension, *({"name": f"s{at}", **field} for at in range(9))]
    rules = contract_of({"fields": fields, "overall": {"name": "overall"}})
    values = pd.DataFrame(
        {"half": "a", "score": "overall", "steps": [90_000, 89_999], "n": [6 * 10**8, 4 * 10**8]}
    )
    empty = pd.DataFrame()
    cube = CubeFrames(rules, empty, values, empty, empty)
    row = cells(cube).iloc[0]
    squares = 6 * 10**8 * 90_000**2 + 4 * 10**8 * 89_999**2
    assert (row["n"], row["squares"]) == (10**9, squares)
    assert squares * 10**9 > 2**64
    assert mean_by_group(cube).query("dimension == 'all'")["sd"].iloc[-1] == near(
        sqrt(0.24 * (1 + 1 / (10**9 - 1))) / 9
    )
