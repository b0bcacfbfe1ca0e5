"""A build that is killed, starved or disturbed leaves nothing that one more does not put right."""

import pytest

from exams.status import stage_status
from recovery import QUARTER, Site, differences, kills, small_project, snapshot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return a project with all that an undisturbed build makes of it."""
    return Site(tmp_path_factory.mktemp("site"), small_project)


def states(site, quarter=QUARTER):
    return [r["state"] for r in stage_status(site.places.status) if r["quarter"] == quarter]


def is_equal(site):
    return [*differences(site.expected, snapshot(site.places))] == []


def test_a_build_killed_at_any_instant_is_made_good_by_one_more(site):
    found = list(kills(site, 5, seed=5))
    assert [f.wrong for f in found] == [()] * 5
    assert {f.target.partition(",")[0] for f in found} >= {"parent", "kernel"}


def test_a_difference_is_found(site):
    found = dict(site.expected)
    found["files"] = [*found["files"], "data/private/.x.draft"]
    found["load.ipynb"] = []
    complaints = ["files differs", "load.ipynb differs", "data/private/.x.draft is left over"]
    assert [*differences(site.expected, found)] == complaints
