"""What published figures say, as sentences."""

import pandas as pd

from exams.stages.findings import calibrated, lowest_level, missed


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
