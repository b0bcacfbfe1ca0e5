"""Tooltips, and the same figures as a table."""

import altair as alt
import pandas as pd

from exams.stages.tips import table, told

MARKS = pd.DataFrame(
    {
        "level": ["", "north", "south", "east"],
        "n": pd.array([None, 1234, None, None], "Int64"),
        "share": [None, 0.125, None, None],
        "suppressed": [None, 0, 1, 0],
    }
)


def chart(**encoding):
    return alt.Chart(MARKS).mark_bar().encode(x="share:Q", y="level:N", **encoding)


def test_marks_become_rows_as_their_tooltips_tell_them_and_headings_do_not():
    zero = alt.Chart().mark_rule().encode(x=alt.datum(0))
    tips = told("level", n=",.0f", share=".1%")
    for drawn in (chart(tooltip=tips), zero + chart() + chart(tooltip=tips)):
        found = table(drawn.to_dict())
        assert [c["title"] for c in found["columns"]] == ["Level", "Students", "Share"]
        assert [c["number"] for c in found["columns"]] == [False, True, True]
        assert found["rows"] == [["north", "1,234", "12.5%"], ["south", "hidden", "hidden"]]


def test_tooltips_in_short_do_as_well():
    found = table(chart(tooltip=["level:N", "n:Q"]).to_dict())
    assert [c["title"] for c in found["columns"]] == ["level", "n"]
    assert found["rows"] == [["north", "1234"], ["south", "hidden"]]


def test_a_chart_without_tooltips_has_no_table():
    assert table(chart().to_dict()) is None


def test_a_chart_of_words_alone_has_a_table_of_these():
    found = table(chart(tooltip=told("level")).to_dict())
    assert found["rows"] == [[""], ["north"], ["south"], ["east"]]
