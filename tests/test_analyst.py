"""An analyst's changes, in notebooks alone: another estimator, a chart of one's own."""

import json
import os
import re
import shutil
import subprocess

import nbformat
import pytest
import yaml
from given import OTHER, other_results
from nbformat.v4 import new_code_cell

from building import PLOOMBER, QUARTER, ROOT
from exams import published
from exams.dashboard.payload import payload
from exams.places import Places

pytestmark = pytest.mark.slow
LINE = re.compile(rf"{QUARTER}  (\w+) +done .*")
CHART = """
mine = published.table("gaps").dropna(subset=["effect"])
chart = alt.Chart(mine, height=200).mark_tick().encode(x="effect:Q", y="score:N")
gallery.show("effects", "ml", chart, "Most effects are small", of_quarter, "Ticks, one per gap")
"""


class Workshop:
    """A copy of the notebooks and of what runs them; the package stays where it is."""

    def __init__(self, folder):
        self.folder, self.places = folder, Places.of(folder / "data", folder / "reports")
        shutil.copytree(ROOT / "notebooks", folder / "notebooks")
        for name in ("pipeline.yaml", "env.yaml"):
            shutil.copy(ROOT / name, folder / name)
        self.places.delivery(QUARTER).mkdir(parents=True)
        self.places.contract.write_text(yaml.safe_dump(OTHER))
        other_results().to_csv(self.places.delivery(QUARTER) / "all.csv", index=False)

    def build(self):
        """Build the quarter as a user types it; return the stages that ran."""
        done = subprocess.run(
            [PLOOMBER, "build", "--env--quarter", QUARTER],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PLOOMBER_STATS_ENABLED": "false"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [match[1] for match in map(LINE.fullmatch, done.stdout.splitlines()) if match]

    def edit(self, stage, change):
        path = self.folder / f"notebooks/{stage}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)

    def hidden(self):
        """Return the hidden groups of means, by score."""
        rows = published.read(self.places.published, "mean_by_group", QUARTER)
        return {(r["dimension"], r["level"], r["score"]) for r in rows if r["suppressed"]}

    def tiers(self):
        rows = published.read(self.places.published, "tiers", QUARTER)
        return [r["n"] for r in rows if r["score"] == "theory"]


def swap_the_estimator(notebook):
    """Put bisecting k-means in the place of k-means, and four tiers in that of three."""
    swapped = {
        "import KMeans": "import BisectingKMeans",
        "KMeans(k, init=start, n_init=1)": "BisectingKMeans(k, random_state=0)",
        "usual, most = 3, 5": "usual, most = 4, 5",
    }
    whole = "\n".join(cell.source for cell in notebook.cells)
    assert all(whole.count(former) == 1 for former in swapped)
    for cell in notebook.cells:
        for former, new in swapped.items():
            cell.source = cell.source.replace(former, new)


def add_the_chart(notebook):
    """Put a cell with a chart before the last heading."""
    headings = [at for at, c in enumerate(notebook.cells) if c.source.startswith("## ")]
    notebook.cells.insert(headings[-1], new_code_cell(CHART.strip(), id="effects"))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    assert len(workshop.build()) == 6
    return workshop


def test_a_swapped_estimator_and_a_new_chart_reach_report_and_dashboard(workshop):
    places, hidden, tiers = workshop.places, workshop.hidden(), workshop.tiers()
    assert len(tiers) == 3 and len(hidden) >= 4

    workshop.edit("visualize", add_the_chart)
    assert workshop.build() == ["visualize"]
    spec = json.loads((places.charts(QUARTER) / "effects.vl.json").read_text())
    assert spec["title"]["text"] == ["Most effects are small"]
    assert "effects" in [chart["name"] for chart in payload(places)["charts"]]
    assert "Most effects are small" in (places.reports / QUARTER / "visualize.html").read_text()

    workshop.edit("model", swap_the_estimator)
    assert workshop.build() == ["model", "publish", "visualize"]
    assert len(workshop.tiers()) == 4
    assert len(payload(places)["tables"]["tiers"]) == 8  # four tiers of two scores
    assert "of 4" in json.dumps(json.loads((places.charts(QUARTER) / "tiers.vl.json").read_text()))
    assert (places.charts(QUARTER) / "effects.vl.json").is_file()

    assert workshop.hidden() == hidden
    for row in published.read(places.published, "tiers", QUARTER):
        assert row["suppressed"] or row["n"] >= 10
    assert workshop.build() == []
