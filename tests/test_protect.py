"""Disclosure control: tables that are unsafe by construction, and what is hidden of them."""

import numpy as np
import pandas as pd
import pytest

from exams.disclosure import protect
from exams.disclosure.protect import completed


def figures(sizes, risk=None, levels=((20, 20),), tiers=(20, 20, 20)):
    """Return figures of one dimension with groups of `sizes`, `risk` of them at risk."""
    risk = risk or [size // 2 for size in sizes]
    groups = [("all", "all"), *(("track", f"t{place}") for place in range(len(sizes)))]
    n, k = [sum(sizes), *sizes], [sum(risk), *risk]
    named = pd.DataFrame(groups, columns=["dimension", "level"])
    return {
        "mean_by_group": named.assign(score="points", n=n, mean=5.0),
        "at_risk_by_group": named.assign(n=n, at_risk=k, share=0.5),
        "levels": pd.DataFrame(
            [(f"s{s}", c, n) for s, counts in enumerate(levels) for c, n in enumerate(counts)],
            columns=["score", "code", "n"],
        ),
        "tiers": pd.DataFrame({"tier": [1, 2, 3], "score": "points", "n": tiers, "mean": 5.0}),
        "gaps": named.iloc[2:].assign(reference="t0", score="points", n=n[2:], gap=1.0),
    }


def hidden(frame):
    return frame["suppressed"].tolist()


@pytest.fixture
def guard(small):
    return lambda *args, **kwargs: protect(figures(*args, **kwargs), small)


def test_nothing_is_hidden_where_every_cell_is_large(guard):
    tables = guard([30, 40], risk=[10, 20])
    assert all(sum(hidden(frame)) == 0 for frame in tables.values())


def test_a_small_group_is_hidden_and_the_next_smallest_with_it(guard):
    tables = guard([9, 30, 20])
    assert hidden(tables["mean_by_group"]) == [0, 1, 0, 1]
    assert hidden(tables["at_risk_by_group"]) == [0, 1, 0, 1]
    assert hidden(tables["gaps"]) == [1, 1]  # both are compared with the hidden group t0
    assert tables["mean_by_group"].loc[1, ["n", "mean"]].isna().all()
    assert tables["mean_by_group"].loc[1, "level"] == "t0"


def test_a_group_of_ten_is_shown(guard):
    assert hidden(guard([10, 30])["mean_by_group"]) == [0, 0, 0]


def test_of_two_levels_both_are_hidden_and_the_total_kept(guard):
    assert hidden(guard([9, 30])["mean_by_group"]) == [0, 1, 1]


def test_two_small_groups_protect_each_other(guard):
    assert hidden(guard([5, 9, 30])["mean_by_group"]) == [0, 1, 1, 0]


def test_an_empty_group_is_no_secret_and_protects_nobody(guard):
    assert hidden(guard([0, 9, 30])["mean_by_group"]) == [0, 0, 1, 1]


def test_a_quarter_of_nine_students_shows_nothing(guard):
    tables = guard([4, 5])
    assert all(all(hidden(frame)) for frame in tables.values())


@pytest.mark.parametrize("risk", [[4, 15, 12], [16, 15, 12]])
def test_few_at_risk_or_all_but_few_are_hidden_with_a_second(guard, risk):
    tables = guard([20, 30, 25], risk=risk)
    assert hidden(tables["at_risk_by_group"]) == [0, 1, 0, 1]
    assert hidden(tables["mean_by_group"]) == [0, 0, 0, 0]


def test_five_at_risk_are_shown(guard):
    assert hidden(guard([20, 30], risk=[5, 15])["at_risk_by_group"]) == [0, 0, 0]


def test_a_rare_level_is_hidden_with_the_next_rarest_of_its_score(guard):
    tables = guard([50, 50], levels=[(4, 50, 46), (30, 40, 30)])
    assert hidden(tables["levels"]) == [1, 0, 1, 0, 0, 0]


def test_levels_cannot_be_read_off_the_students_at_risk(small):
    """With one score that has a threshold, its lowest level counts the students at risk."""
    unsafe = figures([50, 50], risk=[10, 10], levels=[(20, 3, 77)])
    unsafe["levels"]["score"] = "points"
    tables = protect(unsafe, small)
    assert hidden(tables["levels"]) == [1, 1, 0]
    assert all(hidden(tables["at_risk_by_group"]))


def test_a_small_tier_is_hidden_with_a_second(guard):
    assert hidden(guard([30, 30], tiers=(3, 37, 20))["tiers"]) == [1, 0, 1]


def test_the_second_cell_hidden_is_never_zero():
    n = np.array([3, 0, 8, 5])
    assert completed(n, n == 3).tolist() == [True, False, False, True]
    assert completed(n, n < 0).tolist() == [False] * 4
