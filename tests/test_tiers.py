"""Score tiers: the same for the same students, and clusters only where they lie apart."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from exams.statistics.tiers import (
    choose_tiers,
    rand_index,
    ranked,
    tier_bic,
    tier_choice,
    tier_drift,
    tier_start,
)

SCORES = ["a", "b"]


def counted(points):
    """Return distinct combinations of whole scores, and how many students have each."""
    found = pd.DataFrame(np.rint(points), columns=SCORES).value_counts().sort_index()
    frame = found.reset_index(name="n")
    return frame[SCORES].astype(float), frame["n"]


def choice_of(features, n, most=4):
    starts = {k: tier_start(features, n, k) for k in range(1, most + 1)}
    models = {
        k: KMeans(n_clusters=k, init=start, n_init=1)
        for k, start in starts.items()
        if len(start) == k
    }
    return tier_choice(models, features, n, [1, 1])


def correlated(random, size, mean=(60, 60), sd=12.0):
    return random.multivariate_normal(mean, [[sd**2, 0.8 * sd**2], [0.8 * sd**2, sd**2]], size)


def test_the_start_is_the_means_of_equal_parts_by_the_total():
    features = pd.DataFrame({"a": [0.0, 1.0, 5.0, 9.0], "b": [0.0, 1.0, 5.0, 9.0]})
    start = tier_start(features, pd.Series([1, 1, 2, 2]), 3)
    assert start.tolist() == [[0.5, 0.5], [5.0, 5.0], [9.0, 9.0]]


def test_students_with_one_total_have_one_start():
    features = pd.DataFrame({"a": [4.0, 6.0], "b": [6.0, 4.0]})
    assert tier_start(features, pd.Series([5, 5]), 3).tolist() == [[5.0, 5.0]]


def test_nobody_has_no_start():
    none = pd.DataFrame({"a": [], "b": []}, dtype=float)
    assert len(tier_start(none, pd.Series([], dtype=int), 3)) == 0


@pytest.mark.parametrize("size", [1_000, 200_000])
def test_a_continuum_has_no_clusters_however_many_students_there_are(size):
    features, n = counted(correlated(np.random.default_rng(1), size))
    choice = choice_of(features, n)
    assert choice["bic"].idxmin() == 0  # one tier
    assert choice["clusters"].tolist() == [0, 0, 0, 0]
    assert choose_tiers(choice, usual=3) == 3


@pytest.mark.parametrize("size", [150, 50_000])
def test_clusters_that_lie_apart_are_found(size):
    random = np.random.default_rng(2)
    groups = [correlated(random, size, mean, 3.0) for mean in ((30, 30), (60, 60), (90, 90))]
    features, n = counted(np.vstack(groups))
    choice = choice_of(features, n)
    assert choice.set_index("k")["clusters"][3] == 1
    assert choose_tiers(choice, usual=2) == 3


def test_a_few_students_get_as_many_tiers_as_there_can_be():
    features, n = counted([[3, 3], [5, 5]])
    assert choose_tiers(choice_of(features, n), usual=3) == 2
    assert choose_tiers(choice_of(features[:0], n[:0]), usual=3) == 0


def test_the_same_students_get_the_same_choice():
    features, n = counted(correlated(np.random.default_rng(3), 300))
    assert choice_of(features, n).equals(choice_of(features, n))


def test_students_with_equal_scores_have_a_bic():
    features = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]})
    assert np.isfinite(tier_bic(features, pd.Series([5, 5]), np.array([0, 1]), [1, 1]))


def test_tiers_are_numbered_from_the_lowest_total():
    features = pd.DataFrame({"a": [9.0, 1.0, 5.0], "b": [9.0, 1.0, 5.0]})
    assert ranked(features, pd.Series([1, 1, 1]), np.array([0, 2, 1])).tolist() == [3, 1, 2]


def test_the_rand_index_of_weighted_rows_is_that_of_single_ones():
    random = np.random.default_rng(4)
    one, other = random.integers(0, 3, (2, 30))
    n = random.integers(0, 9, 30)
    known = adjusted_rand_score(np.repeat(one, n), np.repeat(other, n))
    assert rand_index(one, other, n) == pytest.approx(known, rel=1e-12)
    assert rand_index(one, one, n * 10**7) == 1.0


def test_the_reference_file_has_its_tiers_of_record_and_no_clusters(reference):
    rows = pd.read_csv(reference / "StudentsPerformance.csv").iloc[:, -3:]
    counts = rows.value_counts().sort_index().reset_index(name="n")
    features, n = counts.iloc[:, :3].astype(float), counts["n"]
    start = tier_start(features, n, 3)
    model = KMeans(3, init=start, n_init=1).fit(features.to_numpy(), sample_weight=n)
    assert model.inertia_ == pytest.approx(177575.584, abs=5e-4)
    assert model.cluster_centers_ == pytest.approx(
        np.array([[48.823, 51.147, 49.008], [65.833, 69.306, 68.607], [82.432, 85.596, 84.777]]),
        abs=5e-4,
    )
    assert n.groupby(model.labels_).sum().tolist() == [265, 448, 287]
    choice = tier_choice({1: KMeans(1), 3: model}, features, n, [1, 1, 1])
    assert choice["clusters"].tolist() == [0, 0]


def tiers(*rows):
    frame = pd.DataFrame(rows, columns=["tier", "share", "a", "b"])
    return frame.melt(["tier", "share"], var_name="score", value_name="mean")


WIDTH = pd.Series({"a": 10.0, "b": 100.0})


def test_tiers_are_matched_with_the_former_ones_most_like_them():
    former = tiers((1, 0.3, 2.0, 20.0), (2, 0.4, 5.0, 50.0), (3, 0.3, 8.0, 80.0))
    now = tiers((1, 0.5, 5.5, 52.0), (2, 0.5, 8.5, 83.0))
    found = tier_drift(now, former, WIDTH).query("score == 'a'")
    assert found.to_numpy().tolist() == [
        [1, 2, "a", 5.5, 5.0, 0.5, 0.4],
        [2, 3, "a", 8.5, 8.0, 0.5, 0.3],
    ]


def test_the_first_quarter_has_no_drift():
    assert tier_drift(tiers((1, 1.0, 5.0, 50.0)), tiers(), WIDTH).empty
