"""The contract: what it says, and how its mistakes are named."""

import copy

import pytest
from given import SMALL, identified

from exams.contract.scale import bands, steps
from exams.errors import ExamsError


def changed(**wishes):
    """Return the small contract with the field `points` changed; None removes a key."""
    content = copy.deepcopy(SMALL)
    points = content["fields"][1]
    for key, value in wishes.items():
        home = points["constraints"] if key in ("minimum", "maximum", "enum") else points
        home.pop(key, None) if value is None else home.update({key: value})
    return content


def track(**wishes):
    """Return the small contract with its dimension changed."""
    content = copy.deepcopy(SMALL)
    content["fields"][0].update(wishes)
    return content


def test_an_identifier_is_a_text_that_is_not_kept(contract_of):
    rules = {"required": True, "unique": True}
    contract = contract_of(identified(title="Candidate number", aliases=["no."], constraints=rules))
    (field,) = contract.identifiers
    assert (field.required, field.unique, field.aliases) == (True, True, ("no.",))
    assert [f.name for f in contract.kept] == ["track", "points", "mark"]


def test_an_identifier_may_by_itself_be_absent_and_occur_twice(contract_of):
    (field,) = contract_of(identified()).identifiers
    assert (field.required, field.unique) == (False, False)


def test_settings_of_intake_are_read_and_have_defaults(contract_of):
    wish = {
        "valid_from": "2019Q2", "strict": True, "max_quarantined": 1, "same_file_twice": True,
    }  # fmt: skip
    unset = {key: value for key, value in SMALL.items() if key not in wish}
    read, usual = contract_of({**SMALL, **wish}), contract_of(unset)
    for key, value in wish.items():
        assert getattr(read, key) == value
    assert (usual.valid_from, usual.strict) == ("", False)
    assert (usual.max_quarantined, usual.same_file_twice) == (0.05, False)


def test_scores_are_held_in_steps(small):
    points, mark = small.scores
    assert (points.minimum, points.maximum, points.step) == (0, 10, 1)
    assert (mark.minimum, mark.maximum, mark.step) == (10, 60, 0.1)


def test_the_shipped_contract_has_five_dimensions_and_three_scores(shipped):
    assert len(shipped.dimensions) == 5
    assert [(s.minimum, s.maximum) for s in shipped.scores] == [(0, 100)] * 3
    assert shipped.overall.bands[0].label == "0–49"


def test_crossings_are_pairs_in_the_order_of_the_fields_and_merged_where_it_is_said(shipped):
    assert len(shipped.crossings) == 10
    education = shipped.dimensions[2]
    assert [name for name, _ in education.coarse] == ["no college", "some college", "degree"]
    assert sorted(part for _, merged in education.coarse for part in merged) == sorted(
        education.levels
    )
    assert shipped.dimensions[0].coarse == (("female", ("female",)), ("male", ("male",)))


def test_what_is_ignored_may_be_called_as_what_is_made_of_a_score(contract_of):
    ignored = {"name": "mark_level", "type": "string", "role": "ignore"}
    contract = contract_of({**SMALL, "fields": [*SMALL["fields"], ignored]})
    assert "mark_level" not in [f.name for f in contract.kept]


def test_a_crossing_is_listed_once(contract_of):
    content = copy.deepcopy(SMALL)
    content["fields"].append({**content["fields"][0], "name": "place", "title": "Place"})
    assert contract_of({**content, "crossings": [["place", "track"]]}).crossings == (
        ("track", "place"),
    )
    with pytest.raises(ExamsError, match="listed twice"):
        contract_of({**content, "crossings": [["place", "track"], ["track", "place"]]})


@pytest.mark.parametrize(
    ("content", "field", "remedy"),
    [
        (changed(role="mark"), "points", "dimension, score, identifier"),
        (changed(type="string"), "points", "integer or number"),
        (changed(minimum=None), "points", "Give both"),
        (changed(minimum=0.5), "points", "Give both"),
        (changed(maximum=-1), "points", "Correct its bounds"),
        (changed(at_risk_below=99), "points", "a score of this scale"),
        (changed(levels=[3, 5]), "points", "lowest score of each"),
        (changed(levels=[0, 5, 5]), "points", "lowest score of each"),
        (changed(colour="red"), "points", "There are: aliases"),
        (changed(aliases=["track"]), "points", "Rename one"),
        (changed(name="quarter"), "quarter", "Call it quarter_1"),
        (changed(name="ctid"), "ctid", "Call it ctid_1"),
        (changed(name="fold"), "fold", "Call it fold_1"),
        (changed(name="rowid"), "rowid", "Call it rowid_1"),
        (track(name="points_level"), "points_level: the tables make", "Call it points_level_1"),
        (changed(name="Points!"), "Points!", "like test_score"),
        ({**SMALL, "suppression": 3}, "suppression", "There are"),
        ({**SMALL, "disclosure": {"minimum_group": 1}}, "minimum_group", "whole number over 2"),
        ({**SMALL, "disclosure": {"within": 0}}, "within", "1 or more"),
        ({**SMALL, "disclosure": {"within": 5}}, "known to within 5", "Raise minimum_group"),
        ({**SMALL, "crossings": [["track", "points"]]}, "no pair of dimensions", "pairs like"),
        ({**SMALL, "crossings": [["track", "track"]]}, "no pair of dimensions", "pairs like"),
        (track(merges={"both": ["north"]}), "hold every level exactly once", "coarser level"),
        (track(merges={"both": ["north", "south"], "no": []}), "exactly once", "coarser level"),
        (track(merges={"north": ["south"], "south": ["north"]}), "is a level, too", "another word"),
        (track(merges={"all": ["north", "south"]}), "'all'", "another word"),
        ({**SMALL, "overall": {"name": "mean"}}, "overall", "Leave `overall` out"),
        ({**SMALL, "fields": SMALL["fields"][:1]}, "role score", "role: score"),
        (changed(aliases="note"), "points: aliases", "[first, second]"),
        (changed(aliases=[]) | {"missingValues": "NA"}, "missingValues", "[first, second]"),
        (changed(title="Track"), "'track' also names track", "Rename one"),
        (changed(enum=["a"]), "'enum' is not a setting", "There are: maximum"),
        (changed(maximum=float("inf")), "points", "Give both"),
        (changed(levels=[0, {"from": 5, "lable": "x"}]), "{from, label, bins}", "lowest"),
        (changed(levels=[{"from": 0, "label": "x"}, {"from": 5, "label": "x"}]), "same", "lowest"),
        (changed(levels=5), "levels", "[first, second]"),
        (changed(levels=[{"from": 0, "bins": [3, 5]}, 5]), "bins do not rise", "lowest score"),
        (changed(levels=[{"from": 0, "bins": 3}]), "bins do not rise", "lowest score"),
        (changed(decimals=True), "decimals", "whole number"),
        (changed(type=["integer"]), "type", "a word"),
        (track(synonyms={"south": "north"}), "'south' is a level", "Leave it out"),
        (track(synonyms={"w": "west"}), "'w' stands for no level", "one of enum"),
        (track(synonyms=["n"]), "synonyms", "{key: value}"),
        (track(sensitive="no"), "sensitive", "true or false"),
        (track(constraints={"required": "no"}), "required", "true or false"),
        (track(constraints={"enum": ["All", "south"]}), "'all'", "another word"),
        (track(constraints={"enum": ["a’b", "a'b"]}), "quotes only", "Keep one"),
        ({**SMALL, "overall": {"titel": "Mean"}}, "'titel'", "There are: name, title"),
        ({**SMALL, "fields": {"a": 1}}, "fields is not a list", "[first, second]"),
        ({**SMALL, "missingValues": None}, "missingValues", "[first, second]"),
        (identified(type="integer"), "candidate: type is 'integer'", "it is string"),
        (identified(constraints={"unique": "yes"}), "unique", "true or false"),
        (identified(constraints={"enum": ["a"]}), "'enum' is not a setting", "required, unique"),
        (identified(synonyms={"a": "b"}), "'synonyms' is not a setting", "There are"),
        (track(constraints={"unique": True}), "'unique' is not a setting", "There are"),
        (track(synonyms={"N": "north", "n": "south"}), "stands for two levels", "Keep one"),
        ({**SMALL, "valid_from": "2019"}, "'2019' is not a quarter", "like 2019Q1"),
        ({**SMALL, "valid_from": 2019}, "valid_from is not text", "in quotes"),
        ({**SMALL, "strict": "yes"}, "strict is not true or false", "without quotes"),
        ({**SMALL, "same_file_twice": 1}, "same_file_twice", "without quotes"),
        ({**SMALL, "max_quarantined": 5}, "5 is not a share", "0.05 for 5 %"),
        ({**SMALL, "max_quarantined": -0.1}, "max_quarantined", "0 to 1"),
        ({**SMALL, "max_quarantined": float("nan")}, "max_quarantined", "0 to 1"),
        ({**SMALL, "max_quarantined": "5 %"}, "max_quarantined", "a number"),
        ("at: 2019-02-31", "whole file", "indents"),
        ("name: a\nname: b\n", "'name' is set twice", "Keep one"),
        ("name: [", "line", "indents"),
        ("", "whole file", "shipped contract"),
    ],
)
def test_a_mistake_names_the_field_and_the_remedy(contract_of, content, field, remedy):
    with pytest.raises(ExamsError) as raised:
        contract_of(content)
    assert raised.value.code == "E010"
    assert field in raised.value.message
    assert remedy in raised.value.remedy


def test_a_level_that_yaml_takes_for_a_number_or_truth_must_be_quoted(contract_of):
    content = copy.deepcopy(SMALL)
    content["fields"][0]["constraints"]["enum"] = [True, False]
    with pytest.raises(ExamsError, match="quotes"):
        contract_of(content)


def test_steps_are_exact_or_none():
    assert steps(0.1 + 0.2, 1) is None  # 0.30000000000000004
    assert steps(4.5, 1) == 45
    assert steps(4.55, 1) is None
    assert steps("x", 1) is None


def test_levels_not_given_cut_the_scale_at_half_and_then_at_tenths():
    assert [(b.low, b.label) for b in bands(None, 0, 500, 0)] == [
        (0, "0–249"),
        (250, "250–299"),
        (300, "300–349"),
        (350, "350–399"),
        (400, "400–449"),
        (450, "450–500"),
    ]


def test_a_level_may_have_bins_of_its_own(shipped):
    assert shipped.scores[0].bands[0].bins == (0, 30, 35, 40, 45)
    assert shipped.scores[0].bands[1].bins is None


def test_labels_of_levels_have_the_scales_decimals():
    assert [b.label for b in bands([1.0, 4.0], 10, 60, 1)] == ["1.0–3.9", "4.0–6.0"]
