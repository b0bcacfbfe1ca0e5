"""What published figures say, as sentences."""

import json

import altair as alt
import pandas as pd

from exams.stages.findings import TOO_FEW, calibrated, lowest_level, missed, most_frequent, of_each
from exams.stages.gallery import Gallery


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


def test_a_chart_of_a_score_without_a_finding_is_titled_by_what_it_draws(tmp_path):
    bar = alt.Chart(BINS).mark_bar().add_params(alt.param(name="score", value="Grammar"))
    Gallery(tmp_path).show("bins", "home", bar, {"Essay": "It is low"}, "Bins, 2026Q3", "Bars")
    assert json.loads((tmp_path / "bins.vl.json").read_text())["title"]["text"] == ["Bins, 2026Q3"]
