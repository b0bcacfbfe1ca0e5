"""JupyterLab: notebooks open filled in, are saved stripped, and write in the working copy only."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from exams.lab import by_hand
from exams.notebook import INJECTED, strip_file, text
from exams.places import STAGES, Places
from exams.samples import write_samples

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-of-this-test"
COMMITTED = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = "quarter = data = reports = code = inputs = upstream = product = None"
WRITE = """from pathlib import Path
made = Path(data, "private", "interim", quarter)
made.mkdir(parents=True, exist_ok=True)
(made / "part").write_text(inputs)
Path(product["receipt"]).write_text("{}")"""

pytestmark = pytest.mark.slow


def notebook(*cells):
    made = [
        new_code_cell(source, id=f"cell-{i}", metadata={"tags": tags})
        for i, (source, tags) in enumerate(cells)
    ]
    return new_notebook(cells=made)


def small_project(root):
    """Make a project of two small notebooks, and an analyst's own with an output."""
    for folder in ("notebooks", "mine", "data/deliveries/2026Q2", "data/deliveries/2026Q3"):
        (root / folder).mkdir(parents=True)
    (root / "pipeline.yaml").write_text("tasks: []\n")
    (root / "env.yaml").write_text("quarter: 2019Q1\ndata: data\nreports: reports\n")
    (root / "data/contract.yaml").write_text("title: small\n")
    for quarter in ("2026Q2", "2026Q3"):
        (root / f"data/deliveries/{quarter}/a.csv").write_text("x\n1\n")
    stage = notebook((PARAMETERS, ["parameters"]), (WRITE, []))
    for path, made in (("extract", stage), ("dashboard", notebook(("1 + 1", [])))):
        file = root / "notebooks" / f"{path}.ipynb"
        file.write_text(text(made))
        strip_file(file)
    own = notebook(("print(1)", []))
    own.cells[0].outputs = [new_output("stream", name="stdout", text="1\n")]
    own.cells[0].execution_count = 7
    (root / "mine/extract.ipynb").write_text(text(own))


def committed_project(root):
    """Copy what a stage needs of this project, with one sample quarter delivered."""
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "data").mkdir()
    for name in ("pipeline.yaml", "env.yaml", "data/contract.yaml", "data/sample.json"):
        shutil.copy(ROOT / name, root / name)
    places = Places(root / "data", root / "reports")
    write_samples(places, date(2026, 11, 24))
    for quarter in places.delivered_quarters()[:-1]:
        shutil.rmtree(places.delivery(quarter))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    small_project(folder / "small")
    if COMMITTED:
        committed_project(folder / "committed")
    return folder


@pytest.fixture(scope="module")
def ask(folder, tmp_path_factory):
    """Start JupyterLab as `make lab` does; return a function that asks its contents API."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "exams.cli", "lab", "--no-browser", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
    names = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    env = {**os.environ, **names, "HOME": str(home), "JUPYTER_TOKEN": TOKEN}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder / "small", env=env, stdout=log, stderr=log)

    def ask(path, content=None):
        url = f"http://127.0.0.1:{port}/api/{path}"
        body = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers, method="PUT" if body else "GET")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)

    try:
        _wait(server, lambda: ask("status"), home / "log")
        yield ask
    finally:
        server.terminate()
        server.wait(20)


def _wait(server, attempt, log):
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            return attempt()
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def injected(content):
    return [c["source"] for c in content["cells"] if INJECTED in c["metadata"].get("tags", [])]


def save(ask, path, content):
    status, _ = ask(f"contents/{path}", {"type": "notebook", "format": "json", "content": content})
    return status


def test_a_stage_opens_with_its_parameters_after_their_cell(ask, folder):
    status, model = ask("contents/small/notebooks/extract.ipynb")
    assert status == 200
    assert [c["metadata"].get("tags") for c in model["content"]["cells"][:2]] == [
        ["parameters"],
        [INJECTED],
    ]
    values = {}
    exec(injected(model["content"])[0], values)
    assert values["quarter"] == "2026Q3"
    assert values["data"] == f"{folder}/small/data/scratch"
    assert values["reports"] == f"{folder}/small/data/scratch/reports"


def test_saving_a_stage_writes_no_output_no_injected_cell_and_no_path(ask, folder):
    file = folder / "small/notebooks/extract.ipynb"
    before = file.read_bytes()
    content = ask("contents/small/notebooks/extract.ipynb")[1]["content"]
    for number, cell in enumerate(content["cells"]):
        cell["execution_count"] = number
        cell["outputs"] = [new_output("stream", name="stdout", text=str(folder))]
        cell["metadata"]["execution"] = {"iopub.execute_input": "2026-11-24"}
    content["metadata"]["papermill"] = {"input_path": str(file)}
    content["metadata"]["language_info"]["version"] = "3.13.0"
    assert save(ask, "small/notebooks/extract.ipynb", content) == 200
    assert file.read_bytes() == before


def test_the_dashboard_notebook_is_stripped_but_not_filled_in(ask, folder):
    file = folder / "small/notebooks/dashboard.ipynb"
    before = file.read_bytes()
    content = ask("contents/small/notebooks/dashboard.ipynb")[1]["content"]
    assert injected(content) == []
    content["cells"][0]["outputs"] = [new_output("stream", name="stdout", text="2")]
    assert save(ask, "small/notebooks/dashboard.ipynb", content) == 200
    assert file.read_bytes() == before


def test_an_analysts_own_notebook_keeps_its_outputs_even_by_a_stages_name(ask, folder):
    file = folder / "small/mine/extract.ipynb"
    content = ask("contents/small/mine/extract.ipynb")[1]["content"]
    assert injected(content) == []
    assert save(ask, "small/mine/extract.ipynb", content) == 200
    (cell,) = nbformat.read(file, as_version=4).cells
    assert (cell.execution_count, cell.outputs[0].text) == (7, "1\n")


def test_a_stage_opens_without_parameters_where_nothing_is_delivered(ask, folder):
    small_project(folder / "empty")
    shutil.rmtree(folder / "empty/data/deliveries")
    status, model = ask("contents/empty/notebooks/extract.ipynb")
    assert status == 200
    assert injected(model["content"]) == []


def test_a_stage_run_as_opened_changes_nothing_outside_the_working_copy(folder):
    assert run_by_hand(folder / "small", "extract.ipynb") == []
    part = folder / "small/data/scratch/private/interim/2026Q3/part"
    assert part.read_text() == "by hand"


@pytest.mark.parametrize("name", COMMITTED)
def test_a_committed_notebook_opens_and_is_saved_as_the_same_bytes(ask, folder, name):
    status, model = ask(f"contents/committed/notebooks/{name}")
    assert status == 200
    assert len(injected(model["content"])) == (Path(name).stem in STAGES)
    assert save(ask, f"committed/notebooks/{name}", model["content"]) == 200
    saved = (folder / "committed/notebooks" / name).read_bytes()
    assert saved == (ROOT / "notebooks" / name).read_bytes()


@pytest.mark.skipif(not COMMITTED, reason="there are no notebooks")
def test_the_stages_run_by_hand_in_turn_change_nothing_outside_the_working_copy(folder):
    for stage in STAGES:
        assert run_by_hand(folder / "committed", f"{stage}.ipynb") == [], stage
    receipts = (folder / "committed/data/scratch/reports").glob("*/*.receipt.json")
    assert {path.name.partition(".")[0] for path in receipts} == set(STAGES)


def opened(root, name):
    path = root / "notebooks" / name
    return by_hand(path, nbformat.read(path, as_version=4))


def run_by_hand(root, name):
    """Run a notebook as it opens; return the files outside data/scratch that changed."""
    filled = opened(root, name)
    before = state(root)
    NotebookClient(
        filled, timeout=120, resources={"metadata": {"path": root / "notebooks"}}
    ).execute()
    after = state(root)
    return sorted(str(f) for f in before.keys() | after.keys() if before.get(f) != after.get(f))


def state(root):
    return {
        file.relative_to(root): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file() and "scratch" not in file.parts and ".ipynb_checkpoints" not in file.parts
    }
