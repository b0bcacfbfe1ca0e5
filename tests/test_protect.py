"""Disclosure control: tables that are unsafe by construction, and what is hidden of them."""

import numpy as np
import pandas as pd
import pytest
from given import SMALL
from scipy.optimize import linprog

from exams.disclosure import protect
from exams.errors import ExamsError
from exams.protection import OUTCOMES, PROTECTION, unit_of
from exams.tables import TABLES

POINTS = SMALL["fields"][1]


def dimension(name, size, **more):
    levels = [f"{name[0]}{place}" for place in range(size)]
    rules = {"required": True, "enum": levels}
    return {"name": name, "type": "string", "role": "dimension", "constraints": rules, **more}


@pytest.fixture
def rules(contract_of):
    """Return a contract: dimensions of so many levels, one score with two levels."""

    def made(*dimensions, crossings=(), **disclosure):
        fields = [*dimensions, POINTS]
        pairs = [list(pair) for pair in crossings]
        return contract_of(
            {**SMALL, "fields": fields, "crossings": pairs, "disclosure": disclosure}
        )

    return made


def figures(n, risk=None, levels=(), tiers=()):
    """Return figures of the dimension track with groups of `n`, `risk` of them at risk."""
    risk = risk or [size // 2 for size in n]
    groups = [("all", "all"), *(("track", f"t{place}") for place in range(len(n)))]
    n, k = [sum(n), *n], [sum(risk), *risk]
    named = pd.DataFrame(groups, columns=["dimension", "level"])
    found = {
        "mean_by_group": named.assign(score="points", n=n, mean=5.0),
        "at_risk_by_group": named.assign(n=n, at_risk=k, share=0.5),
        "gaps": named.iloc[2:].assign(reference="t0", score="points", n=n[2:], gap=1.0),
    }
    if levels:
        table = pd.DataFrame({"code": range(1, len(levels) + 1), "n": levels})
        found["levels"] = table.assign(score="points", level="band")
    if tiers:
        table = pd.DataFrame({"tier": [1, 2, 3], "n": tiers})
        found["tiers"] = table.assign(score="points", mean=5.0)
    return found


def crossed(counts, risk=None):
    """Return figures of the dimensions track and place, crossed: an array of counts."""
    counts = np.array(counts)
    ways = [("track", counts.sum(axis=1)), ("place", counts.sum(axis=0))]
    one = [("all", "all", int(counts.sum()))]
    one += [(name, f"{name[0]}{i}", int(n)) for name, sums in ways for i, n in enumerate(sums)]
    two = [("track", f"t{i}", "place", f"p{j}", int(n)) for (i, j), n in np.ndenumerate(counts)]
    keys = ["dimension", "level", "dimension_2", "level_2", "n"]
    found = {
        "mean_by_group": pd.DataFrame(one, columns=["dimension", "level", "n"]),
        "mean_by_crossing": pd.DataFrame(two, columns=keys),
    }
    found = {name: frame.assign(score="points", mean=5.0) for name, frame in found.items()}
    if risk is not None:
        of = {key[:2]: 0 for key in one} | {("all", "all"): int(risk.sum())}
        of |= {("track", f"t{i}"): int(k) for i, k in enumerate(risk.sum(axis=1))}
        of |= {("place", f"p{j}"): int(k) for j, k in enumerate(risk.sum(axis=0))}
        table = found["mean_by_group"][["dimension", "level", "n"]]
        found["at_risk_by_group"] = table.assign(at_risk=list(of.values()))
    return found


def hidden(frame):
    return frame["suppressed"].tolist()


@pytest.fixture
def guard(rules):
    """Protect figures of one dimension."""
    return lambda n, *args, **kw: protect(
        figures(n, *args, **kw), rules(dimension("track", len(n)))
    )


@pytest.fixture
def two_way(rules):
    """Protect figures of two dimensions that are crossed."""

    def made(counts, risk=None, **more):
        sizes = np.shape(counts)
        dimensions = (dimension("track", sizes[0]), dimension("place", sizes[1]))
        contract = rules(*dimensions, crossings=[("track", "place")], **more)
        return protect(crossed(counts, risk), contract)

    return made


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


def test_an_empty_group_is_a_secret_where_the_contract_says_so(rules):
    contract = rules(dimension("track", 3), hide_zeros=True)
    tables = protect(figures([0, 20, 30], risk=[0, 20, 10]), contract)
    assert hidden(tables["mean_by_group"]) == [0, 1, 1, 0]
    contract = rules(dimension("track", 3))
    tables = protect(figures([0, 20, 30], risk=[0, 20, 10]), contract)
    assert all(sum(hidden(frame)) == 0 for frame in tables.values())


def test_hidden_groups_together_are_as_many_as_a_group_that_may_be_shown(guard):
    """Mean and spread of the hidden ones together follow from the total: not of 3 + 4."""
    assert hidden(guard([3, 4, 40, 50])["mean_by_group"]) == [0, 1, 1, 1, 0]
    assert hidden(guard([1, 1, 30])["mean_by_group"]) == [0, 1, 1, 1]


def test_ten_students_in_ten_groups_show_their_number_alone(guard):
    assert hidden(guard([1] * 10)["mean_by_group"]) == [0, *[1] * 10]


def test_a_quarter_of_nine_students_shows_nothing(guard):
    tables = guard([4, 5], levels=(5, 4))
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
    assert hidden(guard([50, 50], levels=(46, 50, 4))["levels"]) == [1, 0, 1]


def test_levels_cannot_be_read_off_the_students_at_risk(guard):
    """With one score that has a threshold, its lowest level counts the students at risk."""
    tables = guard([50, 50], risk=[10, 10], levels=(20, 3, 77))
    assert hidden(tables["levels"]) == [1, 1, 0]
    assert all(hidden(tables["at_risk_by_group"]))


def with_bins(tables, *counts):
    """Add a histogram: two bins in each of two levels."""
    bins = pd.DataFrame({"score": "points", "bin": range(1, 5), "code": [1, 1, 2, 2]})
    return tables | {"histogram": bins.assign(low=[0, 2, 5, 8], high=[2, 5, 8, 10], n=counts)}


@pytest.mark.parametrize(
    ("bins", "away"),
    [
        ((30, 20, 25, 25), [0, 0, 0, 0]),
        ((47, 3, 25, 25), [1, 1, 0, 0]),  # the sum of its level is shown
        ((0, 50, 25, 25), [0, 0, 0, 0]),  # nobody is no secret
        ((50, 46, 1, 3), [1, 1, 1, 1]),  # of a hidden level every bin, and of the others, too
    ],
)
def test_a_rare_bin_is_hidden_with_another_of_its_level(rules, bins, away):
    levels = (bins[0] + bins[1], bins[2] + bins[3])
    tables = with_bins(figures([50, 50], risk=[30, 30], levels=levels), *bins)
    found = protect(tables, rules(dimension("track", 2)))
    assert hidden(found["histogram"]) == away
    assert hidden(found["levels"]) == ([1, 1] if sum(away) == 4 else [0, 0])
    assert found["histogram"].loc[0, "high"] == 2


def of_tracks(counts):
    """Return dimension, level and counts of all students and of each track."""
    named = [("track", f"t{place}", n) for place, n in enumerate(counts)]
    return [("all", "all", counts.sum(axis=0)), *named]


def by_level(counts, risk=None):
    """Return figures of the dimension track: groups (rows) by the levels of one score."""
    counts = np.array(counts)
    size = counts.sum(axis=1)
    tables = figures(size.tolist(), risk=counts[:, 0].tolist() if risk is None else risk)
    rows = [
        ("all", "all", counts.sum(axis=0)),
        *(("track", f"t{i}", n) for i, n in enumerate(counts)),
    ]
    long = [(d, g, code, int(n)) for d, g, of in rows for code, n in enumerate(of, 1)]
    found = pd.DataFrame(long, columns=["dimension", "level", "code", "n"])
    tables["level_by_group"] = found.assign(score="points", band="band", share=found["n"] / 100)
    modal = found.loc[found.groupby("level")["n"].idxmax()].assign(score="points", band="band")
    return tables | {"modal_level": modal}


THREE = {**POINTS, "levels": [0, 5, 8]}


@pytest.fixture
def levels_guard(contract_of):
    """Protect figures of a dimension by three levels of a score, by which some are at risk."""

    def made(counts, risk=None, points=THREE):
        dimensions = [dimension("track", len(counts)), points]
        tables = by_level(counts, risk)
        return protect(tables, contract_of({**SMALL, "fields": dimensions}))

    return made


UNTOLD = {name: rule for name, rule in THREE.items() if name != "at_risk_below"}


def test_a_rare_level_of_a_group_takes_three_others_to_hide_it_and_no_group(levels_guard):
    tables = levels_guard([[30, 20, 3], [25, 30, 20], [40, 30, 35]], points=UNTOLD)
    away = np.array(hidden(tables["level_by_group"])).reshape(4, 3)
    assert away.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1], [0, 0, 0]]
    assert not any(hidden(tables["mean_by_group"]))
    assert tables["level_by_group"].loc[5, ["n", "share"]].isna().all()
    assert tables["level_by_group"].loc[5, "band"] == "band"


def test_a_modal_level_is_told_only_where_every_level_of_the_group_is(levels_guard):
    tables = levels_guard([[30, 20, 3], [25, 30, 20], [40, 30, 35]], points=UNTOLD)
    away = tables["modal_level"].set_index("level")
    assert away["suppressed"].to_dict() == {"all": 0, "t0": 1, "t1": 1, "t2": 0}
    assert away.loc["t0", ["code", "band", "n"]].isna().all()


def test_a_hidden_low_level_cannot_be_read_off_the_students_at_risk_of_its_group(levels_guard):
    """One score has a threshold: at risk are those of its lowest level, in every group."""
    tables = levels_guard([[3, 30, 20], [25, 30, 20], [40, 30, 35]])
    assert hidden(tables["at_risk_by_group"]) == [0, 1, 1, 0]
    away = np.array(hidden(tables["level_by_group"])).reshape(4, 3)
    assert away[1:, 0].tolist() == [1, 1, 0]


def test_students_at_risk_that_are_hidden_cannot_be_read_off_the_levels_of_their_group(
    levels_guard,
):
    """All of t0 but 3 are at risk: their number is hidden, and so is that of the low level."""
    tables = levels_guard([[27, 3, 0], [10, 30, 20], [40, 30, 35]])
    risk, level = tables["at_risk_by_group"], tables["level_by_group"]
    for track, away in zip(risk["level"], hidden(risk), strict=True):
        low = level[(level["level"] == track) & (level["code"] == 1)]
        assert hidden(low) == [away]


def outcomes(*groups):
    """Return figures with outcomes of flagging by group: caught, missed, false alarm, cleared."""
    counts = np.array(groups)
    tables = figures(counts.sum(axis=1).tolist(), risk=counts[:, :2].sum(axis=1).tolist())
    rows = [
        ("all", "all", counts.sum(axis=0)),
        *(("track", f"t{i}", n) for i, n in enumerate(counts)),
    ]
    long = [(d, g, o, int(n)) for d, g, of in rows for o, n in zip(OUTCOMES, of, strict=True)]
    columns = ["dimension", "level", "outcome", "n"]
    tables["flagged_by_group"] = pd.DataFrame(long, columns=columns)
    rates = tables["at_risk_by_group"].iloc[1:][["dimension", "level", "n", "at_risk"]]
    tables["fairness"] = rates.assign(flagged=0.5, missed=0.2, false_alarms=0.1)
    gap = {"dimension": "track", "metric": "flagged", "difference": 0.3}
    return tables | {"fairness_gap": pd.DataFrame([gap])}


@pytest.mark.parametrize(
    ("groups", "away"),
    [
        ([[10, 10, 10, 10], [20, 10, 10, 20]], 0),
        ([[10, 4, 10, 10], [20, 10, 10, 20]], 1),  # few missed
        ([[4, 10, 10, 10], [20, 10, 10, 20]], 1),  # few caught
        ([[10, 10, 10, 3], [20, 10, 10, 20]], 1),  # few of the others let alone
        ([[10, 0, 10, 10], [20, 10, 10, 20]], 0),  # nobody missed is no secret
    ],
)
def test_outcomes_that_tell_of_few_students_hide_their_dimension(rules, groups, away):
    tables = protect(outcomes(*groups), rules(dimension("track", 2)))
    assert hidden(tables["flagged_by_group"]) == [0] * 4 + [away] * 8
    assert hidden(tables["fairness"]) == [away] * 2
    assert hidden(tables["fairness_gap"]) == [away]
    assert not any(hidden(tables["at_risk_by_group"]))


def test_few_outcomes_of_all_students_hide_every_row(rules):
    tables = protect(outcomes([10, 1, 10, 10], [20, 2, 10, 20]), rules(dimension("track", 2)))
    assert all(hidden(tables["flagged_by_group"]))


def test_outcomes_are_hidden_with_the_group_and_with_its_students_at_risk(rules):
    groups = [[5, 0, 0, 4], [20, 10, 10, 20], [30, 10, 10, 20]]
    assert all(
        hidden(protect(outcomes(*groups), rules(dimension("track", 3)))["flagged_by_group"])[4:]
    )


def test_gaps_of_scores_are_hidden_with_their_group(rules):
    tables = figures([9, 30, 20])
    pairs = tables["mean_by_group"][["dimension", "level", "score", "n"]]
    tables["score_gaps"] = pairs.assign(other="mark", gap=1.0, sentence="It is above.")
    found = protect(tables, rules(dimension("track", 3)))["score_gaps"]
    assert hidden(found) == [0, 1, 0, 1]
    assert found.loc[[1, 3], ["n", "gap", "sentence"]].isna().all(axis=None)


def test_adjusted_gaps_are_hidden_with_either_group_and_rounded(rules):
    tables = figures([40, 30, 20])
    tables["mean_by_group"]["sd"] = 15.0
    adjusted = tables["gaps"].assign(gap=[1.23456, -0.04], ci_low=0.11111, ci_high=None, note="")
    found = protect(tables | {"adjusted_gaps": adjusted}, rules(dimension("track", 3)))
    assert found["adjusted_gaps"]["gap"].tolist() == [1.2, 0.0]
    assert found["adjusted_gaps"]["ci_low"].tolist() == [0.1, 0.1]
    small = figures([9, 30, 20])
    small["mean_by_group"]["sd"] = 15.0
    found = protect(small | {"adjusted_gaps": adjusted}, rules(dimension("track", 3)))
    assert hidden(found["adjusted_gaps"]) == [1, 1]


@pytest.mark.parametrize(("sd", "unit"), [(15, 0.1), (50, 1.0), (0.8, 0.01), (0, 1.0)])
def test_figures_are_rounded_to_a_small_part_of_their_deviation(sd, unit):
    assert unit_of(sd) == pytest.approx(unit)


def test_a_small_tier_is_hidden_with_a_second(guard):
    assert hidden(guard([30, 30], tiers=(3, 37, 20))["tiers"]) == [1, 0, 1]


def test_a_small_cell_of_a_crossing_takes_three_others_to_hide_it(two_way):
    tables = two_way([[4, 30, 40], [50, 20, 60], [70, 80, 90]])
    assert hidden(tables["mean_by_crossing"]) == [1, 1, 0, 1, 1, 0, 0, 0, 0]
    assert not any(hidden(tables["mean_by_group"]))


def test_a_crossing_of_two_levels_each_is_hidden_whole_and_its_sums_kept(two_way):
    tables = two_way([[4, 30], [40, 50]])
    assert hidden(tables["mean_by_crossing"]) == [1, 1, 1, 1]
    assert not any(hidden(tables["mean_by_group"]))


def test_a_group_hidden_in_one_table_is_hidden_in_every_table(two_way):
    tables = two_way([[3, 5], [40, 60], [30, 50]])
    assert hidden(tables["mean_by_group"])[1:4] == [1, 0, 1]
    assert hidden(tables["mean_by_crossing"])[:2] == [1, 1]


def test_a_merged_level_stands_for_its_levels(rules):
    """a0 and a1 are one where crossed: the three tables of counts fit together."""
    merged = dimension("area", 3, merges={"low": ["a0", "a1"], "high": ["a2"]})
    contract = rules(merged, dimension("track", 2), crossings=[("area", "track")])
    one = [("all", "all", 90), ("area", "a0", 20), ("area", "a1", 30), ("area", "a2", 40)]
    one += [("track", "t0", 47), ("track", "t1", 43)]
    two = [("low", "t0", 44), ("low", "t1", 6), ("high", "t0", 3), ("high", "t1", 37)]
    tables = {
        "mean_by_group": pd.DataFrame(one, columns=["dimension", "level", "n"]),
        "mean_by_crossing": pd.DataFrame(two, columns=["level", "level_2", "n"]).assign(
            dimension="area", dimension_2="track"
        ),
    }
    found = protect({k: v.assign(score="points", mean=5.0) for k, v in tables.items()}, contract)
    assert hidden(found["mean_by_crossing"]) == [1, 1, 1, 1]
    assert not any(hidden(found["mean_by_group"]))


def incomplete(lacking):
    """Return figures of 100 students, `lacking` of them without the mark, and the overall."""
    tables = figures([40, 60], levels=(50, 50), tiers=(30, 30, 40 - lacking))
    means = tables["mean_by_group"]
    fewer = [100 - lacking, 40, 60 - lacking]
    average, mark = (means.assign(score=score, n=fewer) for score in ("average", "mark"))
    tables["mean_by_group"] = pd.concat([means, average, mark], ignore_index=True)
    return tables


@pytest.mark.parametrize(("lacking", "away"), [(0, 0), (1, 1), (9, 1), (10, 0)])
def test_students_without_one_score_are_not_told_by_overall_score_and_tiers(
    contract_of, lacking, away
):
    fields = [dimension("track", 2), *SMALL["fields"][1:]]
    scores = [{k: v for k, v in f.items() if k != "at_risk_below"} for f in fields]
    for field in scores[1:]:
        field |= {"type": "integer", "levels": [0, 5]}
        field["constraints"] = {"minimum": 0, "maximum": 10, "required": field is scores[1]}
        field.pop("decimals", None)
    contract = contract_of({**SMALL, "fields": scores, "overall": {"name": "average"}})
    tables = protect(incomplete(lacking), contract)
    means = tables["mean_by_group"]
    assert hidden(means[means["score"] == "average"]) == [away] * 3
    assert hidden(means[means["score"] != "average"]) == [0] * 6
    assert hidden(tables["tiers"]) == [away] * 3


def test_a_paper_that_few_sat_hides_itself_alone(contract_of):
    fields = [dimension("track", 2), *SMALL["fields"][1:]]
    tables = figures([100, 100])
    few = tables["mean_by_group"].assign(score="mark", n=[9, 4, 5])
    tables["mean_by_group"] = pd.concat([tables["mean_by_group"], few], ignore_index=True)
    found = protect(tables, contract_of({**SMALL, "fields": fields}))
    assert hidden(found["mean_by_group"]) == [0, 0, 0, 1, 1, 1]
    assert hidden(found["at_risk_by_group"]) == [0, 0, 0]


def test_a_table_that_nothing_protects_is_refused(rules):
    contract = rules(dimension("track", 2))
    tables = figures([30, 40]) | {"scores_of_everyone": pd.DataFrame({"points": [1, 2]})}
    with pytest.raises(ExamsError, match=r"E320 Nothing declares what protects table scores_of"):
        protect(tables, contract)


def test_every_published_table_declares_what_protects_it():
    assert {table.name for table in TABLES} == set(PROTECTION)


def test_tables_that_count_a_group_differently_are_refused(rules):
    tables = figures([30, 40])
    tables["at_risk_by_group"].loc[1, "n"] = 31
    with pytest.raises(ExamsError, match="E322 Table at_risk_by_group counts a group otherwise"):
        protect(tables, rules(dimension("track", 2)))


def test_too_many_linked_combinations_are_refused(rules):
    wide = [dimension("track", 800), dimension("place", 800)]
    with pytest.raises(ExamsError, match=r"E321 The crossings link 640,000 combinations"):
        protect(crossed(np.full((800, 1), 20)), rules(*wide, crossings=[("track", "place")]))


def ranges(sums, values, away):
    """Return the least and greatest value of each hidden cell, by another solver's interface."""
    known = ~away
    for row in np.flatnonzero(away):
        ends = []
        for sign in (1, -1):
            found = linprog(sign * sums[row], A_eq=sums[known], b_eq=values[known])
            assert found.status in (0, 3)
            ends.append(sign * found.fun if found.status == 0 else np.inf)
        yield np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6)


def test_no_hidden_count_of_linked_tables_can_be_worked_out(two_way):
    rng = np.random.default_rng(1)
    tried = 0
    for _ in range(12):
        counts = rng.poisson(rng.choice([4, 12, 25], (3, 3)))
        risk = rng.binomial(counts, 0.3)
        tables = two_way(counts, risk)
        sums, values, away = attacked(counts, risk, tables)
        for low, high in ranges(sums, values, away):
            assert high - low > 4, (counts, risk)
            tried += 1
    assert tried > 80


def test_small_counts_hidden_alone_would_be_worked_out(two_way):
    """The twin: without complementary suppression there is one value each."""
    counts, risk = np.full((3, 3), 40), np.full((3, 3), 20)
    counts[0, 0], risk[0, 0] = 6, 3
    sums, values, away = attacked(counts, risk, two_way(counts, risk))
    alone = away & (values == 6)
    assert away.sum() > alone.sum() == 1
    assert list(ranges(sums, values, alone)) == [(6, 6)]


def attacked(counts, risk, tables):
    """Return the sums of microcells (not at risk, then at risk) that the tables show or hide."""
    micro = np.concatenate([(counts - risk).reshape(-1), risk.reshape(-1)])
    cell = np.eye(9).reshape(9, 3, 3)
    lines = [cell.sum(axis=(1, 2)), *cell.sum(axis=2).T, *cell.sum(axis=1).T]
    every = [np.tile(line, 2) for line in [*lines, *cell.reshape(9, 9).T]]
    at_risk = [np.concatenate([np.zeros(9), line]) for line in lines]
    sums = np.array([*every, *at_risk])
    names = ("mean_by_group", "mean_by_crossing", "at_risk_by_group")
    away = np.concatenate([hidden(tables[name]) for name in names]).astype(bool)
    return sums, sums @ micro, away
