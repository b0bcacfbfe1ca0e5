"""Changes of form between quarters: each is found, and nothing where nothing has changed."""

from dataclasses import replace

import pytest

from exams.contract import Field
from exams.intake.judging.drift import CHANGES, MOST, Change, changes
from exams.warehouse.form import Form

pytestmark = pytest.mark.usefixtures("store")

TRACK = Field("track", "Track", "", "dimension", levels=("north", "south"))
POINTS = Field("points", "Points", "", "score", minimum=0, maximum=100)
FORM = Form(
    fields=(TRACK, POINTS),
    columns={"a.csv": {"Track": "track", "Points": "points", "Room": None}},
    ranges={"points": (3, 98)},
    unknown={"track": (2, 10)},
)


def form(**wishes):
    return replace(FORM, **wishes)


def header(**words):
    """Return FORM with these header words; an underscore stands for no field."""
    fields = {word: None if field == "_" else field for word, field in words.items()}
    return form(columns={"b.csv": fields})


def scored(highest, lowest=3, field=POINTS):
    return form(fields=(TRACK, field), ranges={"points": (lowest, highest)})


@pytest.mark.parametrize(
    "same",
    [
        FORM,
        header(Points="points", track="track", ROOM="_"),
        scored(49),
        scored(100, lowest=90),
        form(ranges={}),
        form(unknown={}),
        form(unknown={"track": (2, 20)}),
        form(fields=(replace(TRACK, title="Way", aliases=("way",)), POINTS)),
    ],
)
def test_the_same_form_has_no_changes(same):
    assert changes(FORM, same) == []


@pytest.mark.parametrize(
    ("now", "subject", "code", "detail"),
    [
        (
            form(fields=(*FORM.fields, Field("mark", "Mark", "", "score"))),
            "mark", "field_added", "Its role is score.",
        ),
        (form(fields=(POINTS,)), "track", "field_removed", "Its role was dimension."),
        (
            form(fields=(replace(TRACK, role="ignore"), POINTS)),
            "track", "role_changed", "Its role is ignore; it was dimension.",
        ),
        (
            form(fields=(TRACK, replace(POINTS, minimum=10, maximum=60, decimals=1))),
            "points", "scale_changed", "It is 1.0 to 6.0; it was 0 to 100.",
        ),
        (
            form(fields=(replace(TRACK, levels=("north", "south", "west")), POINTS)),
            "track", "level_added", "“west” is new.",
        ),
        (
            form(fields=(replace(TRACK, levels=("north",)), POINTS)),
            "track", "level_removed", "“south” is no longer a level.",
        ),
        (
            header(Way="track", Points="points", Room="_"),
            "track", "column_renamed", "It is delivered as “Way”; it was “Track”.",
        ),
        (header(Track="track", Room="_"), "points", "column_gone", "No file has the column."),
        (
            header(Track="track", Points="points", Room="_", Seat="_"),
            "Seat", "column_added", "No field claims it: it is left out.",
        ),
        (
            header(Track="track", Points="points"),
            "Room", "column_gone", "No field claimed it.",
        ),
        (
            header(Track="track", Points="points", Room="track"),
            "track", "column_renamed", "It is delivered as “Room”; it was “Track”.",
        ),
        (
            form(unknown={"track": (3, 10)}),
            "track", "unknown_level",
            "Values that are no level: 3, in records: 10; there were 2 in 10.",
        ),
        (
            form(unknown={"track": (1, 1021)}),
            "track", "unknown_level",
            "Values that are no level: 1, in records: 1,021; there were 2 in 10.",
        ),
        (
            scored(48), "points", "range_shifted", "The highest score is under half the former one."
        ),
    ],
)  # fmt: skip
def test_a_change_is_found_with_what_it_was(now, subject, code, detail):
    assert changes(FORM, now) == [Change(subject, code, detail)]
    assert code in CHANGES


def test_a_column_of_a_field_may_come_as_it_may_go():
    before = header(Track="track", Room="_")
    assert changes(before, FORM) == [
        Change("points", "column_added", "It is delivered as “Points”.")
    ]


def test_a_scale_that_was_a_fifth_of_this_one_is_noticed():
    (change,) = changes(scored(20), scored(98))
    assert change == Change(
        "points", "range_shifted", "The highest score is over twice the former one."
    )
    assert changes(scored(49), scored(98)) == []


def test_the_highest_score_is_counted_from_the_minimum_of_the_scale():
    field = replace(POINTS, minimum=200, maximum=800)
    assert changes(scored(790, 210, field), scored(500, 210, field)) == []
    (change,) = changes(scored(790, 210, field), scored(490, 210, field))
    assert change.code == "range_shifted"


def test_a_changed_scale_explains_another_range():
    wide = replace(POINTS, maximum=500)
    assert [c.code for c in changes(scored(98), scored(480, field=wide))] == ["scale_changed"]


def test_a_column_is_gone_only_where_no_file_has_it():
    one = {"Track": "track", "Points": "points", "Room": None}
    now = form(columns={"a.csv": {"Track": "track"}, "b.csv": one})
    assert changes(FORM, now) == []


def test_control_characters_in_a_header_are_shown_as_escapes():
    words = {"Way\x1b": "track", "Points": "points", "Room": None, "Seat\n": None}
    renamed, added = changes(FORM, form(columns={"a.csv": words}))
    assert renamed.detail == "It is delivered as “Way\\x1b”; it was “Track”."
    assert added.subject == "Seat\\n"


def test_no_detail_tells_a_score():
    for now in (scored(48), scored(20)):
        (change,) = changes(FORM, now)
        assert not any(character.isdigit() for character in change.detail)


def test_changes_beyond_those_that_can_be_listed_are_counted():
    words = {"Track": "track", "Points": "points", "Room": None}
    few, many = (
        {**words, **{f"Extra {i:03}": None for i in range(extra)}} for extra in (MOST, MOST + 1)
    )
    listed = changes(FORM, form(columns={"a.csv": few}))
    assert [c.subject for c in listed] == [f"Extra {i:03}" for i in range(MOST)]
    cut = changes(FORM, form(columns={"a.csv": many}))
    assert cut[:-1] == listed[:-1]
    assert cut[-1] == Change("*", "more_changes", "2 more, of the columns that come last.")


def test_a_very_long_header_word_is_cut():
    words = {"Track": "track", "Points": "points", "Room": None, "x" * 1000: None}
    (added,) = changes(FORM, form(columns={"a.csv": words}))
    assert added.subject == "x" * 80 + "…"
