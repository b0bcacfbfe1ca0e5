"""Score levels: of every group, and of every record in the view `labelled`."""

import pytest
from given import SMALL
from office import QUARTER, Office

from exams.contract.model import Band, Field
from exams.statistics.levels import bin_lows, histogram, level_by_group, levels, modal_level
from exams.warehouse.read import read_cube
from exams.warehouse.withdraw import withdraw_quarter

pytestmark = pytest.mark.usefixtures("store")

RESULTS = "track,points,mark\nnorth,4,3.9\nnorth,5,4.0\nnorth,10,\nsouth,0,6.0\n"
OVERALL = {"name": "mean", "title": "Mean"}


def built(folder, contract, content=RESULTS, quarter=QUARTER):
    office = Office(folder, contract)
    office.deliver(quarter, all=content)
    office.build(quarter)
    return office


def test_every_group_has_counts_and_its_modal_level(small, tmp_path):
    office = built(tmp_path, small)
    found = level_by_group(read_cube(office.warehouse, small, QUARTER))
    points = found.query("score == 'points'")
    columns = ["level", "code", "band", "n", "share"]
    assert points[columns].to_numpy().tolist() == [
        ["all", 1, "0–4", 2, 0.5],
        ["all", 2, "5–10", 2, 0.5],
        ["north", 1, "0–4", 1, 1 / 3],
        ["north", 2, "5–10", 2, 2 / 3],
        ["south", 1, "0–4", 1, 1.0],
        ["south", 2, "5–10", 0, 0.0],
    ]
    modal = modal_level(found).query("score == 'points'")
    assert modal[columns].to_numpy().tolist() == [
        ["all", 1, "0–4", 2, 0.5],  # of equals the lowest
        ["north", 2, "5–10", 2, 2 / 3],
        ["south", 1, "0–4", 1, 1.0],
    ]


def test_a_group_without_a_value_has_no_modal_level(small, tmp_path):
    office = built(tmp_path, small, "track,points,mark\nnorth,4,3.9\nsouth,4,\n")
    found = level_by_group(read_cube(office.warehouse, small, QUARTER))
    south = found.query("score == 'mark' and level == 'south'")
    assert south["n"].tolist() == [0, 0]
    modal = modal_level(found).query("score == 'mark'")
    assert modal["level"].tolist() == ["all", "north"]


def test_the_whole_quarter_keeps_order_and_labels(small, tmp_path):
    office = built(tmp_path, small)
    found = levels(level_by_group(read_cube(office.warehouse, small, QUARTER)))
    columns = ["score", "code", "level", "n"]
    assert found[columns].to_numpy().tolist() == [
        ["points", 1, "0–4", 2],
        ["points", 2, "5–10", 2],
        ["mark", 1, "1.0–3.9", 1],
        ["mark", 2, "4.0–6.0", 2],
    ]


def test_every_record_has_the_label_of_each_score(small, tmp_path):
    office = built(tmp_path, small)
    assert office.rows(
        "SELECT line, points, points_code, points_level, mark, mark_code, mark_level"
        " FROM labelled ORDER BY line"
    ) == [
        (2, 4, 1, "0–4", 3.9, 1, "1.0–3.9"),
        (3, 5, 2, "5–10", 4.0, 2, "4.0–6.0"),
        (4, 10, 2, "5–10", None, None, None),
        (5, 0, 1, "0–4", 6.0, 2, "4.0–6.0"),
    ]


def test_the_overall_score_is_labelled_by_the_exact_mean(contract_of, tmp_path):
    field = {"type": "number", "decimals": 1, "role": "score", "levels": [0.0, 3.0]}
    field |= {"constraints": {"minimum": 0.0, "maximum": 6.0}}
    scores = [{"name": name, **field} for name in ("a", "b", "c")]
    rules = contract_of({"fields": [SMALL["fields"][0], *scores], "overall": OVERALL})
    office = built(
        tmp_path, rules, "track,a,b,c\nnorth,2.9,3.0,3.1\nsouth,2.9,3.0,3.0\nsouth,1.0,,1.0\n"
    )
    found = office.rows("SELECT mean, mean_code FROM labelled ORDER BY line")
    assert [code for _, code in found] == [2, 1, None]
    assert abs(found[0][0] - 3.0) < 1e-9
    counted = level_by_group(read_cube(office.warehouse, rules, QUARTER))
    assert counted.query("score == 'mean' and level == 'all'")["n"].tolist() == [1, 1]


def test_each_quarter_is_labelled_under_its_own_contract(small, contract_of, tmp_path):
    office = built(tmp_path, small)
    track, points, _ = SMALL["fields"]
    levels_of = {**points, "levels": [{"from": 0, "label": "it's low"}, 9]}
    office.contract = contract_of({**SMALL, "fields": [track, levels_of]})
    office.deliver("2024Q2", all="track,points\nnorth,5\n")
    office.build("2024Q2")
    query = "SELECT quarter, line, points_level, mark_level FROM labelled WHERE points = 5"
    assert office.rows(f"{query} ORDER BY quarter") == [
        ("2024Q1", 3, "5–10", "4.0–6.0"),
        ("2024Q2", 2, "it's low", None),
    ]
    withdraw_quarter(office.warehouse, "2024Q2")
    assert office.rows("SELECT DISTINCT quarter FROM labelled") == [("2024Q1",)]
    withdraw_quarter(office.warehouse, "2024Q1")
    assert "labelled" not in {name for name, *_ in office.dump()}


@pytest.mark.parametrize("made", ["points_code", "points_level", "mean"])
def test_what_is_made_of_a_score_is_no_value_of_a_field_of_another_quarter(
    contract_of, tmp_path, made
):
    track, points, _ = SMALL["fields"]
    second = {**points, "name": "second", "title": "Second"}
    rules = contract_of({**SMALL, "fields": [track, points, second], "overall": OVERALL})
    office = built(tmp_path, rules, "track,points,second\nnorth,5,8\n")
    office.contract = contract_of({**SMALL, "fields": [track, {**points, "name": made}]})
    office.deliver("2024Q2", all=f"track,{made}\nnorth,4\n")
    office.build("2024Q2")
    for view in ("results", "labelled"):
        found = office.rows(f"SELECT quarter, {made} FROM {view} ORDER BY quarter")
        assert found == [("2024Q1", None), ("2024Q2", 4)]


def test_a_score_is_a_text_where_another_quarter_has_a_level(small, contract_of, tmp_path):
    office = built(tmp_path, small)
    track, points, _ = SMALL["fields"]
    office.contract = contract_of({**SMALL, "fields": [{**track, "name": "mark"}, points]})
    office.deliver("2024Q2", all="mark,points\nnorth,4\n")
    office.build("2024Q2")
    found = office.rows("SELECT mark FROM results ORDER BY quarter, line")
    assert found == [("3.9",), ("4",), (None,), ("6",), ("north",)]


def test_bins_divide_the_levels_of_all_students(small, tmp_path):
    office = built(tmp_path, small)
    found = histogram(read_cube(office.warehouse, small, QUARTER))
    points = found.query("score == 'points' and n > 0")
    columns = ["bin", "code", "low", "high", "n", "share"]
    assert points[columns].to_numpy().tolist() == [
        [1, 1, 0, 1, 1, 0.25],
        [5, 1, 4, 5, 1, 0.25],
        [6, 2, 5, 6, 1, 0.25],
        [10, 2, 9, 10, 1, 0.25],
    ]
    sums = found.groupby(["score", "code"], sort=False)["n"].sum().tolist()
    assert sums == levels(level_by_group(read_cube(office.warehouse, small, QUARTER)))["n"].tolist()


def test_a_scale_has_twenty_bins_at_most_and_a_level_cuts_them():
    scale = {"name": "s", "title": "s", "description": "", "role": "score", "minimum": 0}
    bands = tuple(Band(code, str(low), low) for code, low in enumerate((0, 50, 93), 1))
    assert bin_lows(Field(**scale, maximum=100, bands=bands)) == [*range(0, 91, 5), 93, 95]
    assert bin_lows(Field(**scale, maximum=40, bands=bands[:1])) == list(range(0, 40, 2))


def test_a_level_has_the_bins_that_the_contract_gives_it():
    scale = {"name": "s", "title": "s", "description": "", "role": "score", "minimum": 0}
    bands = (Band(1, "low", 0, (0, 30)), Band(2, "high", 50))
    found = bin_lows(Field(**scale, maximum=100, bands=bands))
    assert found == [0, 30, *range(50, 100, 5)]
