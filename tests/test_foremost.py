"""Charts of many files or reasons show the foremost of them."""

import pandas as pd

from exams.stages.visualize import MOST, foremost


def table(number):
    return pd.DataFrame({"file": [f"{i:02}.csv" for i in range(number)], "held": range(number)})


def test_the_highest_come_first_and_a_chart_of_all_says_nothing_of_others():
    shown, cut = foremost(table(MOST), "file", ["held"])
    assert shown["file"].tolist() == [f"{i:02}.csv" for i in reversed(range(MOST))]
    assert cut == ""


def test_beyond_what_a_chart_can_show_it_says_how_many_there_are():
    shown, cut = foremost(table(MOST + 1), "file", ["held"])
    assert len(shown) == MOST
    assert shown["file"].iloc[-1] == "01.csv"
    assert cut == f"; the first {MOST} of {MOST + 1}"


def test_records_of_one_name_are_added_up():
    frame = pd.DataFrame({"why": ["a", "b", "a"], "records": [2, 3, 2]})
    assert foremost(frame, "why", ["records"])[0].to_dict("list") == {
        "why": ["a", "b"],
        "records": [4, 3],
    }
