"""Means by groups of two dimensions equal those of the single records."""

import copy

import pytest
from given import SMALL
from office import QUARTER, Office

from exams.stages.model import mean_by_crossing, read_cube

pytestmark = pytest.mark.usefixtures("store")

PLACE = {
    "name": "place",
    "type": "string",
    "role": "dimension",
    "merges": {"coast": ["a", "b"], "land": ["c"]},
    "constraints": {"enum": ["a", "b", "c"]},
}
FILE = """track,place,points,mark
north,a,2,1.0
north,b,6,2.5
north,c,9,
north,,5,4.0
south,b,7,3.0
"""


@pytest.fixture
def crossed(tmp_path, contract_of):
    content = copy.deepcopy(SMALL)
    content["fields"].insert(1, PLACE)
    contract = contract_of({**content, "crossings": [["track", "place"]]})
    office = Office(tmp_path, contract)
    office.deliver(all=FILE)
    office.build()
    return mean_by_crossing(read_cube(office.warehouse, contract, QUARTER))


def test_merged_levels_are_added_up_and_missing_ones_kept(crossed):
    points = crossed[crossed["score"] == "points"]
    assert set(points["dimension"]) == {"track"} and set(points["dimension_2"]) == {"place"}
    found = {(r.level, r.level_2): (r.n, r.mean) for r in points[points["n"] > 0].itertuples()}
    assert found == {
        ("north", "coast"): (2, 4.0),
        ("north", "land"): (1, 9.0),
        ("north", "not stated"): (1, 5.0),
        ("south", "coast"): (1, 7.0),
    }
    assert points.set_index(["level", "level_2"]).loc[("north", "coast"), "sd"] == pytest.approx(
        8**0.5
    )


def test_only_students_with_the_score_are_counted(crossed):
    mark = crossed[crossed["score"] == "mark"].set_index(["level", "level_2"])
    assert mark.loc[("north", "land"), "n"] == 0
    assert mark.loc[("north", "coast"), "mean"] == pytest.approx(1.75)
    assert len(crossed) == 2 * 3 * 2  # tracks, places merged or not stated, scores
