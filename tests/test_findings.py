"""What published figures say, as sentences."""

import json

import altair as alt
import pandas as pd

from exams.stages.findings import (
    TOO_FEW,
    alarms,
    apart,
    at_risk,
    by_dimension,
    calibrated,
    changed,
    commonest,
    farthest,
    gained,
    in_words,
    latest,
    lowest_level,
    missed,
    most_frequent,
    moved,
    of_each,
    span,
    tier_means,
    widest,
)
from exams.stages.gallery import Gallery

NAN = float("nan")


def levels(*rows):
    columns = ["dimension", "level", "code", "band", "share"]
    return pd.DataFrame(rows, columns=columns)


LOW = ("Track", "north", 1, "0–4", 0.05), ("Track", "south", 1, "0–4", 0.18)


def test_the_shares_at_the_lowest_level_are_told_from_the_smallest_to_the_largest():
    found = levels(("all", "all", 1, "0–4", 0.9), *LOW, ("Track", "south", 2, "5–10", 0.82))
    said = lowest_level(found, "Points")
    assert said == "Points: at 0–4, the lowest level, are 5% (north) to 18% (south) of a group"


def test_hidden_levels_have_no_sentence():
    found = levels(*LOW).assign(share=float("nan"))
    assert lowest_level(found, "Points") == "Too few students to show"


def test_the_farthest_bin_is_told():
    bins = pd.DataFrame({"predicted": [0.1, 0.5], "observed": [0.12, 0.42]})
    assert calibrated(bins) == "Predicted chances of being at risk are off by 8 points at most"
    away = bins.assign(observed=float("nan"))
    assert calibrated(away) == "Too few students to show"


def test_the_dimension_whose_groups_are_missed_most_unlike_is_told():
    rows = [("Track", "north", 0.3), ("Track", "south", 0.4)]
    rows += [("Place", "east", 0.2), ("Place", "west", 0.7), ("Age", "old", float("nan"))]
    fair = pd.DataFrame(rows, columns=["dimension", "level", "missed"])
    assert missed(fair) == "Flagging would miss from 20% (east) to 70% (west) of those at risk"
    assert missed(fair.tail(1)) == "Too few students to show"


def means(*rows):
    return pd.DataFrame(rows, columns=["dimension", "level", "mean", "ci_low", "ci_high"]).assign(
        score="Points"
    )


EVERYONE = ("all", "all", 6.0, 5.9, 6.1)
NORTH, SOUTH = ("Track", "north", 5.0, 4.5, 5.5), ("Track", "south", 7.0, 5.9, 8.1)


def test_the_groups_with_the_lowest_and_the_highest_mean_are_told():
    found = means(EVERYONE, NORTH, SOUTH)
    assert span(found, "Points") == "Points: from 5.0 (north) to 7.0 (south)"
    assert span(found.head(1), "Points") == TOO_FEW
    assert span(found.assign(mean=NAN), "Points") == TOO_FEW


def test_groups_whose_interval_leaves_out_the_mean_of_all_are_counted():
    said = "Points: the intervals of 1 of 2 groups leave out the mean of all students, 6.0"
    assert apart(means(EVERYONE, NORTH, SOUTH), "Points") == said
    assert apart(means(EVERYONE), "Points") == TOO_FEW
    assert apart(means((*EVERYONE[:2], NAN, NAN, NAN), NORTH), "Points") == TOO_FEW


def test_groups_by_two_dimensions_are_told_by_both():
    pairs = means(NORTH, SOUTH).assign(level_2=["late", "early"])
    assert span(pairs, "Points") == "Points: from 5.0 (north, late) to 7.0 (south, early)"
    assert span(pairs.assign(mean=NAN), "Points") == TOO_FEW


def test_the_level_of_most_students_is_told():
    found = levels(*LOW).assign(level=["low", "high"])
    said = "Points: 18% are at high, more than at any other level"
    assert commonest(found, "Points") == said
    assert commonest(found.assign(share=NAN), "Points") == TOO_FEW


def test_the_share_at_risk_is_that_of_all_or_of_the_groups_of_one_dimension():
    rows = [("all", "all", 0.2), ("Track", "north", 0.1), ("Track", "south", 0.3)]
    found = pd.DataFrame([*rows, ("Age", "old", NAN)], columns=["dimension", "level", "share"])
    assert by_dimension(found, at_risk) == {
        "all": "20.0% of students are at risk: a low score in any subject",
        "Track": "Track: from 10.0% (north) to 30.0% (south) are at risk",
        "Age": TOO_FEW,
    }
    assert at_risk(found.assign(share=NAN)) == TOO_FEW


def test_the_widest_gap_is_told_with_its_score_and_unit():
    gaps = {"dimension": ["Track"] * 2, "level": ["south", "west"], "reference": ["north"] * 2}
    gaps = pd.DataFrame(gaps | {"gap": [2.0, -9.0], "effect": [0.7, -0.2]})
    scale = pd.DataFrame({"score": ["Points"], "unit": ["points"]})
    said = "Points, Track: south is 2.0 points above north"
    assert widest(gaps, "Points", scale) == said
    assert widest(gaps.assign(gap=NAN), "Points", scale) == TOO_FEW


def test_the_means_of_the_tiers_are_told_from_the_lowest_to_the_highest():
    tiers = pd.DataFrame({"mean": [7.25, 3.5, NAN]})
    assert tier_means(tiers, "Points") == "Points: the means of the tiers run from 3.5 to 7.2"
    assert tier_means(tiers.tail(1), "Points") == TOO_FEW


def test_the_best_gain_for_a_score_is_told():
    gains = pd.DataFrame({"value": [0.1, 0.24]})
    assert gained(gains, "Points") == "Points: background accounts for 24% of how it differs"
    assert gained(gains.assign(value=NAN), "Points") == TOO_FEW


def test_a_sentence_is_told_of_each_score_and_of_each_dimension_in_it():
    track = means(EVERYONE, NORTH, SOUTH)
    place = means(("Place", "east", 1.0, 0.9, 1.1))
    found = of_each(pd.concat([track, place, track.assign(score="Mark", mean=NAN)]), span, "Points")
    of_all = "Points: from 1.0 (east) to 7.0 (south)"
    of_track, of_place = "Points: from 5.0 (north) to 7.0 (south)", "Points: from 1.0 (east) to 1.0"
    assert found == {
        "all": of_all,
        "Points": of_all,
        **dict.fromkeys(["Track", "Points · Track"], of_track),
        **dict.fromkeys(["Place", "Points · Place"], f"{of_place} (east)"),
        **dict.fromkeys(["Mark", "Mark · Track"], TOO_FEW),
    }
    assert of_each(track, span, "Mark")["all"] == TOO_FEW
    assert of_each(track.head(0), span) == {}


def parts(*rows):
    return pd.DataFrame(rows, columns=["quarter", "dimension", "level", "share"])


BEFORE = ("2024Q1", "Track", "north", 0.30), ("2024Q1", "Track", "south", 0.70)
NOW = ("2024Q2", "Track", "north", 0.41), ("2024Q2", "Track", "south", 0.59)


def test_the_group_whose_share_has_changed_most_is_told_with_both_shares():
    later = ("2024Q2", "Place", "east", 0.5), ("2024Q1", "Place", "east", 0.45)
    assert moved(parts(*NOW, *BEFORE, *later)) == "Track: north is 41% of students, after 30%"


def test_shares_of_one_quarter_or_hidden_ones_are_not_compared():
    assert moved(parts(*NOW)).startswith("No quarter before")
    assert moved(parts()).startswith("No quarter before")
    assert moved(parts(*NOW, *BEFORE).assign(share=NAN)) == TOO_FEW


def test_alarms_of_all_quarters_are_told_with_the_last():
    rows = [("2024Q1", "Points", 1), ("2024Q2", "Mark", 1), ("2024Q2", "Points", 0)]
    past = pd.DataFrame(rows, columns=["quarter", "score", "alarm"])
    assert alarms(past) == "2 alarms in 2 quarters, the last in Mark in 2024Q2"
    assert alarms(past.head(1)) == "1 alarm in 1 quarter: Points in 2024Q1"
    assert alarms(past.assign(alarm=0)).startswith("No alarm in 2 quarters: ")


def test_the_newest_mean_and_the_one_before_are_told():
    past = pd.DataFrame({"quarter": ["2024Q1", "2024Q2", "2024Q3"], "mean": [5.0, NAN, 6.0]})
    assert latest(past, "Points") == "Points: 6.0 in 2024Q3, after hidden in 2024Q2"
    assert latest(past.head(1), "Points") == "Points: 5.0 in 2024Q1"


def test_the_group_that_has_changed_most_in_the_newest_quarter_is_told():
    rows = [("2024Q1", "north", 0.9), ("2024Q2", "north", 0.1), ("2024Q2", "south", -0.3)]
    past = pd.DataFrame(rows, columns=["quarter", "level", "effect"]).assign(dimension="Track")
    assert farthest(past) == "Track: south has changed most in 2024Q2, −0.30 SD"
    assert farthest(past.assign(effect=NAN)) == TOO_FEW


def test_the_change_of_a_score_is_told_with_its_alarm():
    change = pd.DataFrame({"delta": [-0.012], "former": ["2024Q1"], "alarm": [1]})
    said = "Points: −1.2% of the scale since 2024Q1, an alarm"
    assert changed(change, "Points") == said
    assert changed(change.assign(alarm=0), "Points") == said.replace("an alarm", "no alarm")
    assert changed(change.assign(delta=NAN), "Points") == TOO_FEW
    assert changed(change.assign(delta=NAN, alarm=pd.NA), "Points") == TOO_FEW  # hidden whole


def told(share=0.125, **row):
    first = {"quarter": "2024Q1", "score": "Points", "n": 900, "mean": 6.5, "unit": "points"}
    first |= {"ci_low": 6.4, "ci_high": 6.6}
    risk = pd.DataFrame({"dimension": ["all", "Track"], "share": [share, 0.9]})
    now = first | {"quarter": "2024Q2", "n": 1234, "mean": 6.0, "ci_low": 5.9, "ci_high": 6.1}
    return in_words(pd.DataFrame([first, now | row]), risk, "Points", "2024Q2")


def test_the_quarter_is_told_in_three_sentences():
    assert told() == [
        "1,234 students have results in 2024Q2.",
        "The mean of Points is 6.0 points (95\u00a0% interval 5.9 to 6.1), after 6.5 in 2024Q1.",
        "12.5% are at risk.",
    ]


def test_what_is_hidden_or_has_no_unit_is_left_out():
    assert told(NAN, ci_low=NAN, ci_high=NAN, unit="") == [
        "1,234 students have results in 2024Q2.",
        "The mean of Points is 6.0, after 6.5 in 2024Q1.",
    ]
    assert told(mean=NAN) == ["Too few students to show of 2024Q2."]


BINS = pd.DataFrame(
    {"score": ["Algebra", "Algebra", "Essay"], "low": [0.0, 2.5, 0.0], "high": [2.5, 5.0, 2.5]}
).assign(density=pd.array([3, 7, None], "Int64"))


def test_most_frequent_bin_of_each_score_is_told_and_not_of_a_hidden_one():
    assert of_each(BINS, most_frequent) == {
        "Algebra": "Algebra: 2.5 to 5 is the most frequent range",
        "Essay": TOO_FEW,
    }


def test_a_chart_of_one_score_is_titled_by_its_finding_and_holds_those_of_the_others(tmp_path):
    said = {"Algebra": "It is high", "Essay": "It is low"}
    bar = alt.Chart(BINS).mark_bar().encode(x="density:Q").transform_filter("datum.score == score")
    bar = bar.add_params(alt.param(name="score", value="Essay"))
    Gallery(tmp_path).show("bins", "home", bar, said, "Bins, 2026Q3", "Bars")
    spec = json.loads((tmp_path / "bins.vl.json").read_text())
    assert spec["title"]["text"] == ["It is low"]
    assert spec["usermeta"]["findings"] == said
    assert spec["params"] == [{"name": "score", "value": "Essay"}]


def test_a_chart_of_several_scores_is_titled_by_the_finding_of_all(tmp_path):
    said = {"all": "They are high", "Essay": "It is low"}
    bar = alt.Chart(BINS).mark_bar().encode(x="density:Q", y="score:N")
    Gallery(tmp_path).show("bins", "home", bar, said, "Bins, 2026Q3", "Bars")
    spec = json.loads((tmp_path / "bins.vl.json").read_text())
    assert (spec["title"]["text"], spec["usermeta"]["findings"]) == (["They are high"], said)


def test_a_chart_of_a_score_without_a_finding_is_titled_by_what_it_draws(tmp_path):
    bar = alt.Chart(BINS).mark_bar().add_params(alt.param(name="score", value="Grammar"))
    Gallery(tmp_path).show("bins", "home", bar, {"Essay": "It is low"}, "Bins, 2026Q3", "Bars")
    assert json.loads((tmp_path / "bins.vl.json").read_text())["title"]["text"] == ["Bins, 2026Q3"]
