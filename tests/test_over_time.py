"""Published tables of several quarters, as charts over time show them."""

import pandas as pd
import pytest

from exams.stages.over_time import calendar, recent, shares

COLUMNS = ["quarter", "dimension", "level", "n", "suppressed"]


def groups(quarter, whole, *counts):
    rows = [(quarter, "all", "all", whole, 0)]
    rows += [(quarter, "Track", level, n, int(n is None)) for level, n in counts]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"n": "Int64"})


def test_shares_are_of_all_students_of_the_quarter_and_usual_is_their_mean():
    first = groups("2024Q1", 40, ("north", 10), ("south", 30))
    second = groups("2024Q2", 50, ("north", 20), ("south", 30))
    found = shares(pd.concat([first, second])).set_index(["quarter", "level"])
    assert found["share"].tolist() == pytest.approx([0.25, 0.75, 0.4, 0.6])
    assert found["usual"].tolist() == pytest.approx([0.325, 0.675, 0.325, 0.675])


def test_a_hidden_group_has_no_share_and_a_hidden_quarter_has_none_at_all():
    found = shares(groups("2024Q1", 40, ("north", None), ("south", 30)))
    assert found["share"].isna().tolist() == [True, False]
    assert found["suppressed"].tolist() == [1, 0]
    assert shares(groups("2024Q1", None, ("north", 9)))["share"].isna().all()


def test_no_more_quarters_than_fit_are_shown_the_newest_and_it_is_said():
    frame = pd.DataFrame({"quarter": [f"{year}Q1" for year in range(2024, 2014, -1)]})
    shown, cut = recent(frame, 3)
    assert shown["quarter"].tolist() == ["2024Q1", "2023Q1", "2022Q1"]
    assert cut == "; the last 3 of 10 quarters"
    assert recent(frame, 10)[1] == ""


def test_a_calendar_has_every_score_of_all_students_and_one_of_the_groups():
    rows = [("all", "all", "Points"), ("all", "all", "Mark")]
    rows += [("Track", "north", "Points"), ("Track", "north", "Mark")]
    found = calendar(pd.DataFrame(rows, columns=["dimension", "level", "score"]), "Mark")
    assert found[["dimension", "level"]].to_numpy().tolist() == [
        ["All students", "Points"],
        ["All students", "Mark"],
        ["Track", "north"],
    ]
