"""What a report shows of many files or reasons, and of all students."""

import pandas as pd
import pytest

from exams.stages import visualize
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


@pytest.mark.parametrize(
    ("units", "columns"),
    [
        (["points", "points"], ["Students", "Mean, points", "± 95 %", "SD"]),
        (["points", "marks"], ["Students", "Mean", "± 95 %", "SD", "Unit"]),
        ([None, None], ["Students", "Mean", "± 95 %", "SD"]),
    ],
)
def test_a_row_of_figures_for_each_score_names_a_common_unit_once(units, columns):
    hidden = float("nan")
    figures = {"score": ["Reading", "Writing"], "n": [40, 20], "mean": [61.26, hidden]}
    figures |= {"sd": [9.04, hidden], "ci_low": [58.0, hidden], "ci_high": [64.52, hidden]}
    table = visualize.summary(pd.DataFrame(figures | {"unit": units}))
    assert [name.replace("\u00a0", " ") for name in table] == columns
    assert table.loc["Reading"].tolist()[:4] == [40, 61.3, 3.3, 9.0]
    assert table.loc["Writing"].isna().tolist()[:4] == [False, True, True, True]


def test_every_fate_begins_where_the_one_before_it_ends():
    counts = {"received": [7, 5], "loaded": [6, 3], "quarantined": [1, 1], "resolved": [0, 1]}
    repairs = pd.DataFrame({"records": [2, 1]})
    flow = visualize.fates(pd.DataFrame(counts), repairs)
    assert flow[["name", "first", "last"]].to_numpy().tolist() == [
        ["received: 12", 0, 12],
        ["loaded: 9", 0, 9],
        ["repairs in these: 3", 0, 3],
        ["in quarantine: 2", 9, 11],
        ["resolved: 1", 11, 12],
    ]


def test_more_repairs_than_records_do_not_reach_beyond_these():
    counts = {"received": [2], "loaded": [2], "quarantined": [0], "resolved": [0]}
    flow = visualize.fates(pd.DataFrame(counts), pd.DataFrame({"records": [5]}))
    assert flow.set_index("fate").loc["repairs in these", ["records", "last"]].tolist() == [5, 2]
