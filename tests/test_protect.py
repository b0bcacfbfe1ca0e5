"""Disclosure control: tables that are unsafe by construction, and what is hidden of them."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from given import SMALL

from exams.disclosure import protect
from exams.disclosure.suppression import suppress


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


def test_an_empty_group_is_no_secret_and_the_last_to_protect_another(guard):
    assert hidden(guard([0, 9, 30])["mean_by_group"]) == [0, 0, 1, 1]
    assert hidden(guard([0, 0, 20, 9])["mean_by_group"]) == [0, 0, 0, 1, 1]


def test_of_groups_of_one_nobody_is_counted_by_the_rest(guard):
    """Two hidden groups with two students between them have one each."""
    assert hidden(guard([1, 1, 30])["mean_by_group"]) == [0, 1, 1, 1]


def test_hidden_groups_together_are_as_many_as_a_group_that_may_be_shown(guard):
    """Mean and spread of the hidden ones together follow from the total: not of 3 + 4."""
    assert hidden(guard([3, 4, 40, 50])["mean_by_group"]) == [0, 1, 1, 1, 0]


def test_the_second_group_is_not_told_by_being_the_smallest(guard):
    """9 + 12 = 21: nobody hidden has more than 12, so nobody less than 9."""
    assert hidden(guard([9, 12, 12, 40])["mean_by_group"]) == [0, 1, 1, 1, 0]


def incomplete(lacking):
    """Return figures of 100 students, `lacking` of them without the mark, and the overall."""
    tables = figures([100], tiers=(30, 30, 40 - lacking), levels=[(50, 50)])
    means = tables["mean_by_group"]
    fewer = means.assign(score="average", n=100 - lacking)
    tables["mean_by_group"] = pd.concat([means, fewer], ignore_index=True)
    return tables


def test_a_student_without_one_score_is_not_told_by_overall_score_and_tiers(contract_of):
    points = SMALL["fields"][1]
    rules = contract_of(
        {**SMALL, "fields": [SMALL["fields"][0], points], "overall": {"name": "average"}}
    )
    tables = protect(incomplete(1), rules)
    assert hidden(tables["mean_by_group"]) == [0, 0, 1, 1]
    assert all(hidden(tables["tiers"]))
    tables = protect(incomplete(10), rules)
    assert hidden(tables["mean_by_group"]) == [0, 0, 0, 0]
    assert not any(hidden(tables["tiers"]))


def test_with_one_score_tiers_do_not_tell_a_hidden_level(contract_of):
    rules = contract_of({**SMALL, "fields": SMALL["fields"][:2]})
    tables = protect(figures([50, 50], levels=[(3, 40, 57)], tiers=(43, 30, 27)), rules)
    assert all(hidden(tables["tiers"]))


def test_ten_students_in_ten_groups_show_nothing(guard):
    assert all(hidden(guard([1] * 10)["mean_by_group"]))


def test_a_paper_that_few_sat_hides_itself_alone(guard, small):
    sat = figures([100, 100], levels=[(5, 4)])
    few = sat["mean_by_group"].assign(score="mark", n=[9, 4, 5])
    sat["mean_by_group"] = pd.concat([sat["mean_by_group"], few], ignore_index=True)
    sat["levels"]["score"] = "mark"
    tables = protect(sat, small)
    assert hidden(tables["mean_by_group"]) == [0, 0, 0, 1, 1, 1]
    assert hidden(tables["levels"]) == [1, 1]
    assert hidden(tables["at_risk_by_group"]) == [0, 0, 0]


def test_a_quarter_of_nine_students_shows_nothing(guard):
    tables = guard([4, 5])
    assert all(all(hidden(frame)) for frame in tables.values())


@pytest.mark.parametrize("risk", [[4, 15, 12], [16, 15, 12]])
def test_few_at_risk_or_all_but_few_are_hidden_with_a_second(guard, risk):
    tables = guard([20, 30, 25], risk=risk)
    assert hidden(tables["at_risk_by_group"]) == [0, 1, 0, 1]
    assert hidden(tables["mean_by_group"]) == [0, 0, 0, 0]


def test_students_at_risk_in_one_group_alone_are_hidden_with_the_zero_of_the_other(guard):
    """All 27 at risk are in t0, which has 30 students: 3 are not, which must not be known."""
    assert hidden(guard([30, 40], risk=[27, 0])["at_risk_by_group"]) == [0, 1, 1]


def test_too_few_at_risk_to_be_split_hide_the_table(guard):
    assert hidden(guard([40, 40], risk=[2, 3])["at_risk_by_group"]) == [1, 1, 1]


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


def possible(counts, hidden, upper):
    """Return, for each hidden count, the values that it can have for a reader: by trial."""
    total = sum(n for n, away in zip(counts, hidden, strict=True) if away)
    shown = [n for n, away in zip(counts, hidden, strict=True) if n and not away]
    places = [place for place, away in enumerate(hidden) if away]
    zeros = any(counts[place] == 0 for place in places)
    if shown and max(counts[place] for place in places) <= min(shown):
        upper = [min(bound, *shown) for bound in upper]
    choices = [range(0 if zeros else 1, min(upper[place], total) + 1) for place in places]
    fits = [values for values in product(*choices) if sum(values) == total]
    return [set(values) for values in zip(*fits, strict=True)]


def test_no_hidden_count_can_be_worked_out_by_trial():
    rng = np.random.default_rng(1)
    tried = 0
    for _ in range(300):
        counts = rng.choice([0, 1, 2, 3, 5, 8, 12], rng.integers(2, 5))
        upper = counts + rng.integers(0, 9, len(counts))
        primary = (counts > 0) & (counts < 5)
        found = suppress(counts, primary, width=4, least=5, upper=upper)
        if found.safe and found.hidden.any():
            tried += 1
            for values in possible(counts.tolist(), found.hidden, upper.tolist()):
                assert max(values) - min(values) >= 4
    assert tried > 100


def test_primary_cells_alone_would_be_worked_out_by_trial():
    """The twin: without complementary suppression the trial finds the counts."""
    counts = [3, 20, 30]
    assert possible(counts, [True, False, False], counts) == [{3}]
