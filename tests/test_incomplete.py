"""A quarter of which a file was refused: marked wherever it is shown, until it is whole."""

import re

import pytest
import yaml
from given import OTHER, other_results

from building import QUARTER, build, charts, scratch
from exams import published
from exams.places import STAGES

pytestmark = pytest.mark.slow
SKIP = ("--env--refused_files", "skip")
SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)  # has the words for any quarter


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    places = scratch(tmp_path_factory.mktemp("office"), yaml.safe_dump(OTHER))
    other_results().to_csv(places.delivery(QUARTER) / "north.csv", index=False)
    return places


@pytest.fixture(scope="module")
def partial(office):
    (office.delivery(QUARTER) / "south.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    code, lines = build(office, QUARTER, *SKIP)
    assert code == 0, lines
    return marked(office)


@pytest.fixture(scope="module")
def whole(office, partial):
    (office.delivery(QUARTER) / "south.csv").unlink()
    code, lines = build(office, QUARTER, *SKIP)
    assert code == 0, lines
    return marked(office)


def marked(places):
    """Return what says of itself that the quarter is incomplete."""
    reports = {stage: places.report(QUARTER) / f"{stage}.html" for stage in STAGES}
    pages = {**reports, "list": places.index}
    texts = {name: SCRIPT.sub("", path.read_text("utf-8")) for name, path in pages.items()}
    found = {name for name, text in texts.items() if "Incomplete" in text}
    made = charts(places)
    said = {n for n, spec in made.items() if "Incomplete" in " ".join(spec["title"]["subtitle"])}
    left_out = published.read(places.published, "publication", QUARTER)[0]["refused"]
    return {"pages": found, "charts": (len(said), len(made)), "left out": left_out}


def test_every_page_with_figures_and_every_chart_says_what_is_missing(partial):
    assert partial["pages"] == {*STAGES, "list"} - {"transform"}
    marked_charts, all_charts = partial["charts"]
    assert marked_charts == all_charts > 5
    assert partial["left out"] == 1


def test_nothing_says_so_once_the_quarter_is_whole(whole):
    assert whole["pages"] == set()
    assert whole["charts"][0] == 0
    assert whole["left out"] == 0
