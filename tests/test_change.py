"""Change between quarters: exact figures, a decomposition, alarms, and breaks."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from given import SMALL
from office import QUARTER, Office
from scipy import stats
from sklearn.linear_model import LinearRegression

from conftest import ROOT
from cubes import cube_of
from exams import published
from exams.contract import Alarm
from exams.samples import draw
from exams.stages import compare
from exams.stages.findings import alarmed
from exams.stages.over_time import segments
from exams.stages.publish import beside_former
from exams.statistics.change import COLUMNS, alarms, change, mean_changes
from exams.statistics.common import common
from exams.warehouse.form import Form, read_form

pytestmark = pytest.mark.usefixtures("store")

NEXT = "2024Q2"
EVEN = pd.DataFrame({"track": ["north", "south"] * 20, "points": [2, 6, 4, 8] * 10, "mark": 3.0})


def sampled(count, seed, **moved):
    """Return records of the shipped sample's kind, the means moved by points."""
    sample = json.loads((ROOT / "data/sample.json").read_text())
    return pd.DataFrame(draw(sample, count, np.random.default_rng(seed), moved))


def with_total(rows, contract):
    names = [s.name for s in contract.scores]
    return rows.assign(**{contract.overall.name: rows[names].mean(axis="columns")})


def row_of(found, score, dimension="all", level="all"):
    of = (found["dimension"] == dimension) & (found["level"] == level)
    (row,) = found[of & (found["score"] == score)].to_dict("records")
    return row


@pytest.fixture(scope="module")
def quarters(shipped):
    """Two quarters of records, 1,000 and 700, and how the first differs from the other."""
    now, former = sampled(1000, 1, reading_score=2.0), sampled(700, 2)
    found = change(cube_of(now, shipped), cube_of(former, shipped))
    return with_total(now, shipped), with_total(former, shipped), found


@pytest.mark.parametrize("score", ["math_score", "average_score"])
@pytest.mark.parametrize("group", [None, ("lunch", "standard"), ("race_ethnicity", "group A")])
def test_the_figures_are_those_of_the_single_records(quarters, shipped, score, group):
    *both, found = quarters
    if group:
        both = [rows[rows[group[0]] == group[1]] for rows in both]
    row = row_of(found, score, *(group or ()))
    now, former = (rows[score] for rows in both)
    assert (row["n"], row["n_former"]) == (len(now), len(former))
    known = stats.ttest_ind(now, former, equal_var=False)
    low, high = known.confidence_interval()
    assert [row["delta"], row["ci_low"], row["ci_high"]] == pytest.approx(
        [now.mean() - former.mean(), low, high], rel=1e-9
    )
    assert row["ks"] == pytest.approx(stats.ks_2samp(now, former).statistic, rel=1e-9)
    ends = [0, 50, 60, 70, 80, 101]
    counts = np.array([np.histogram(scores, ends)[0] for scores in (now, former)])
    counts = counts[:, counts.any(axis=0)] + 0.5
    shares = counts / counts.sum(axis=1, keepdims=True)
    psi = ((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum()
    assert row["psi"] == pytest.approx(psi, rel=1e-9)
    rows = pd.concat([both[0].assign(now=1), both[1].assign(now=0)])
    design = pd.get_dummies(rows[[d.name for d in shipped.dimensions]]).assign(now=rows["now"])
    model = LinearRegression().fit(design, rows[score])
    assert row["score_effect"] == pytest.approx(model.coef_[-1], rel=1e-8)
    assert row["composition"] + row["score_effect"] == pytest.approx(row["delta"], rel=1e-9)


def test_p_is_corrected_for_all_students_and_for_groups_apart(quarters, shipped):
    now, former, found = quarters
    scores = [s.name for s in shipped.reported]
    plain = {s: stats.ttest_ind(now[s], former[s], equal_var=False).pvalue for s in scores}
    first = min(plain, key=plain.get)
    assert row_of(found, first)["p"] == pytest.approx(4 * plain[first], rel=1e-9)
    groups = found[found["dimension"] != "all"]
    assert len(groups) == 17 * 4
    assert groups["p"].max() == 1


def test_other_shares_of_groups_alone_are_composition(small):
    """Students of a track score the same as before; there are more of the better one."""
    tracks = {"north": [2, 4], "south": [6, 8]}
    rows = [(t, p, 3.0) for t, points in tracks.items() for p in points]
    former = pd.DataFrame(rows * 10, columns=["track", "points", "mark"])
    now = pd.DataFrame((rows + 2 * rows[2:]) * 10, columns=["track", "points", "mark"])
    row = row_of(change(cube_of(now, small), cube_of(former, small)), "points")
    assert row["delta"] == pytest.approx(1.0)
    assert [row["composition"], row["score_effect"]] == pytest.approx([1.0, 0.0], abs=1e-12)


def test_higher_scores_in_every_group_are_no_composition(small):
    former, now = EVEN, EVEN.assign(points=EVEN["points"] + 1)
    row = row_of(change(cube_of(now, small), cube_of(former, small)), "points")
    assert [row["composition"], row["score_effect"]] == pytest.approx([0.0, 1.0], abs=1e-12)


def test_quarters_without_a_group_in_common_have_no_score_effect(small):
    north = pd.DataFrame({"track": "north", "points": [2, 4] * 20, "mark": 3.0})
    found = change(cube_of(north.assign(track="south"), small), cube_of(north, small))
    assert found["dimension"].tolist() == ["all", "all"]
    assert found["score_effect"].isna().all()


def test_the_same_quarter_twice_has_changed_in_nothing(small):
    found = change(cube_of(EVEN, small), cube_of(EVEN, small))
    figures = found[["delta", "ks", "psi", "composition", "score_effect", "alarm"]]
    assert (figures.abs() < 1e-12).all(axis=None)
    assert found.query("score == 'mark'")["p"].isna().all()  # no spread, no test


@pytest.mark.parametrize(
    ("effect", "p", "dimension", "alarm"),
    [
        (0.1, 0.009, "all", True),
        (-0.2, 0.009, "all", True),
        (0.09, 0.009, "all", False),
        (0.2, 0.01, "all", False),
        (0.2, 0.009, "track", False),
        (float("nan"), float("nan"), "all", False),
    ],
)
def test_an_alarm_is_large_and_sure_and_of_all_students(effect, p, dimension, alarm):
    found = pd.DataFrame({"dimension": [dimension], "effect": [effect], "p": [p]})
    assert alarms(found, Alarm()).tolist() == [alarm]


def test_the_contract_sets_the_alarm(contract_of):
    rules = contract_of({**SMALL, "alarm": {"effect": 0.3}})
    assert rules.alarm == Alarm(effect=0.3, p=0.01)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"p": 0}, r"E010 .* alarm, p: it is 0\."),
        ({"effect": -0.1}, r"E010 .* alarm, effect: it is -0\.1\."),
        ({"power": 1}, r"E010 .* alarm: 'power' is not a setting"),
    ],
)
def test_an_alarm_that_cannot_be_is_refused(contract_of, wish, message):
    with pytest.raises(Exception, match=message):
        contract_of({**SMALL, "alarm": wish})


def test_a_shift_of_a_fifth_alarms_and_none_does_not(shipped):
    """Sixteen pairs of quarters each; benchmarks/alarm.py has two hundred."""
    up = {"math_score": 3.0, "reading_score": 2.9, "writing_score": 3.0}
    still = [cube_of(sampled(1000, 50 + seed), shipped) for seed in range(17)]
    moved = [cube_of(sampled(1000, 100 + seed, **up), shipped) for seed in range(16)]
    false, right = (
        [mean_changes(a, b)["alarm"].any() for a, b in zip(now, still, strict=False)]
        for now in (still[1:], moved)
    )
    assert sum(false) == 0
    assert sum(right) >= 15


# Breaks


@pytest.fixture
def office(tmp_path, small):
    return Office(tmp_path, small)


HEAD = "track,points,mark\n"
ROWS = "north,3,4.5\nsouth,5,2.0\nnorth,7,3.0\n"
WITH_EXTRA = "track,points,mark,extra\nnorth,3,4.5,1\nsouth,5,2.0,2\nnorth,8,3.0,3\n"


def build_both(office, contract):
    """Build a quarter under the small contract, and the next under another."""
    office.deliver(QUARTER, all=HEAD + ROWS)
    office.build(QUARTER)
    office.contract = contract
    office.deliver(NEXT, all=WITH_EXTRA)
    office.build(NEXT)
    found = compare.breaks(office.warehouse, contract, NEXT)
    return found[["former", "score", "subject", "change"]].to_numpy().tolist()


def test_the_first_quarter_has_nothing_to_be_compared_with(office):
    office.deliver(QUARTER, all=HEAD + ROWS)
    office.build(QUARTER)
    assert compare.change(office.warehouse, office.contract, QUARTER).empty
    assert compare.breaks(office.warehouse, office.contract, QUARTER).empty


def test_two_quarters_under_one_contract_are_compared_without_a_break(office):
    assert build_both(office, office.contract) == []
    found = compare.change(office.warehouse, office.contract, NEXT)
    assert found["former"].unique().tolist() == [QUARTER]
    assert row_of(found, "points")["delta"] == pytest.approx(1 / 3)
    assert len(found) == 2 * 3


TRACK, POINTS, MARK = SMALL["fields"]
WIDER = {**TRACK, "constraints": {"required": True, "enum": ["north", "south", "west"]}}
LONGER = {**POINTS, "constraints": {"minimum": 0, "maximum": 20}}
EXTRA = {**POINTS, "name": "extra", "title": "Extra"}
BOTH = ["points", "mark"]


@pytest.mark.parametrize(
    ("wish", "found", "scores"),
    [
        ({"version": "2"}, [("all", "*", "version_changed")], BOTH),
        ({"fields": [WIDER, POINTS, MARK]}, [("all", "track", "level_added")], BOTH),
        ({"fields": [TRACK, LONGER, MARK]}, [("points", "points", "scale_changed")], ["mark"]),
        ({"fields": [TRACK, POINTS]}, [("mark", "mark", "field_removed")], ["points"]),
        ({"fields": [TRACK, POINTS, MARK, EXTRA]}, [("extra", "extra", "field_added")], BOTH),
    ],
)
def test_a_break_is_found_and_what_is_alike_still_compared(
    office, contract_of, wish, found, scores
):
    contract = contract_of({**SMALL, **wish})
    assert build_both(office, contract) == [[QUARTER, *row] for row in found]
    compared = compare.change(office.warehouse, contract, NEXT)
    assert compared["score"].unique().tolist() == scores


def test_the_overall_score_is_compared_only_if_its_scores_are_the_same(shipped):
    former = Form(shipped.kept, {}, {}, {})
    assert common(shipped, former).overall == shipped.overall
    fields = [replace(f, maximum=50) if f.name == "math_score" else f for f in shipped.kept]
    narrowed = common(shipped, replace(former, fields=tuple(fields)))
    assert narrowed.overall is None
    assert [s.name for s in narrowed.scores] == ["reading_score", "writing_score"]
    fewer = replace(former, fields=shipped.kept[:-1])
    assert common(shipped, fewer).overall is None


def test_the_form_of_a_quarter_tells_the_version_of_its_contract(office):
    office.deliver(QUARTER, all=HEAD + ROWS)
    office.build(QUARTER)
    assert read_form(office.warehouse, QUARTER).version == "1"


def test_a_line_breaks_where_its_score_cannot_be_compared():
    trend = pd.DataFrame(
        [(q, s) for q in ("2024Q1", "2024Q2", "2024Q3") for s in ("Points", "Mark")],
        columns=["quarter", "score"],
    )
    breaks = pd.DataFrame(
        [("2024Q2", "Mark"), ("2024Q3", "all"), ("2024Q3", "all")], columns=["quarter", "score"]
    )
    found = segments(trend, breaks).set_index(["score", "quarter"])["segment"]
    assert found["Points"].tolist() == [0, 0, 1]
    assert found["Mark"].tolist() == [0, 1, 2]


def test_a_change_is_published_only_where_both_means_are(tmp_path):
    means = [
        {"quarter": QUARTER, "dimension": d, "level": v, "score": "points", "suppressed": hidden}
        for d, v, hidden in [("all", "all", 0), ("track", "north", 0), ("track", "south", 1)]
    ]
    empty = dict.fromkeys(["n", "mean", "sd", "ci_low", "ci_high"])
    tables = {t.name: [] for t in published.CONTENT}
    tables["mean_by_group"] = [row | empty for row in means]
    published.publish(tmp_path / "published.db", QUARTER, tables, ("Small exam", "1"))
    found = pd.DataFrame(means).drop(columns="suppressed").assign(quarter=NEXT, former=QUARTER)
    figures = [c for c in COLUMNS if c not in found]
    found = found.assign(**dict.fromkeys(figures, 1.0), suppressed=[0, 1, 0])
    safe = beside_former(found, tmp_path / "published.db").set_index("level")
    assert safe["suppressed"].to_dict() == {"all": 0, "north": 1, "south": 1}
    assert safe.loc["all", figures].eq(1).all()
    assert safe.loc[["north", "south"], figures].isna().all(axis=None)
    nowhere = beside_former(found, tmp_path / "none.db")
    assert nowhere["suppressed"].tolist() == [1, 1, 1]


def test_of_a_group_nothing_is_published_but_differences_of_means(tmp_path):
    row = {"quarter": QUARTER, "dimension": "track", "level": "north", "score": "points"}
    tables = {t.name: [] for t in published.CONTENT}
    empty = dict.fromkeys(["n", "mean", "sd", "ci_low", "ci_high"])
    tables["mean_by_group"] = [row | empty | {"suppressed": 0}]
    published.publish(tmp_path / "published.db", QUARTER, tables, ("Small exam", "1"))
    figures = dict.fromkeys([c for c in COLUMNS if c not in row], 1.0)
    found = pd.DataFrame([row | figures | {"former": QUARTER, "suppressed": 0}])
    (safe,) = beside_former(found, tmp_path / "published.db").to_dict("records")
    assert {name for name in figures if pd.isna(safe[name])} == {
        "ks", "psi", "composition", "score_effect",
    }  # fmt: skip


def test_alarms_are_said_in_words():
    found = pd.DataFrame({"score": ["Points", "Mark"], "alarm": [1, 0]})
    assert alarmed(found) == "Alarm: the mean has changed in Points"
    assert alarmed(found.assign(alarm=0)).startswith("No alarm")
