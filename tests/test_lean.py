"""Chart files hold what their charts draw, and no more."""

import altair as alt
import pandas as pd
import pytest

from exams.stages.lean import lean, short

ROWS = pd.DataFrame(
    {
        "level": ["north"],
        "share": [0.123456789],
        "p": [0.5],
        "place": [2],
        "score": ["Essay"],
        "half of it": [1 / 3],
        "shape": [{"type": "Point"}],
    }
)


def rows(chart):
    [found] = lean(chart.to_dict())["datasets"].values()
    return found


def test_columns_that_a_chart_names_stay_and_those_that_the_dashboard_filters_by():
    chart = alt.Chart(ROWS).mark_bar().encode(x="share:Q", y="level:N")
    other = {"score": "Essay", "half of it": 0.333333, "shape": {"type": "Point"}}
    assert rows(chart) == [{"level": "north", "share": 0.123457, **other}]


def test_columns_of_expressions_and_of_any_layer_stay():
    chart = alt.Chart(ROWS).mark_bar().encode(x="share:Q")
    label = alt.Chart(ROWS).mark_text().encode(text="level:N").transform_filter("datum.p < 1")
    assert {"share", "p", "level"} <= set(rows(chart + label)[0])
    assert "place" not in rows(chart + label)[0]


def test_a_chart_without_rows_of_its_own_stays_as_it_is():
    spec = {"data": {"url": "a.csv"}, "mark": "bar"}
    assert lean(spec) == spec | {"datasets": {}}
    assert lean({"datasets": {"numbers": [1, 2.5]}})["datasets"] == {"numbers": [1, 2.5]}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (66.104467353, 66.1045),
        (-0.000123456789, -0.000123457),
        (2.268102821e-18, 2.2681e-18),
        (1234567.891, 1234567.89),
        (12345678.0, 12345678.0),
        (0.0, 0.0),
        (float("inf"), float("inf")),
    ],
)
def test_numbers_keep_six_digits_their_whole_part_and_two_more(value, kept):
    assert short(value) == pytest.approx(kept, rel=1e-15)
    assert len(str(short(value))) <= len(str(value))
