"""Forked kernels: like those that are started, and gone with who asked for them."""

import gc
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, socketpair

import nbformat
import numpy as np
import psutil
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from exams.orchestrate import forking, forks, kernels, locks
from exams.orchestrate.fingerprint import imported
from exams.places import STAGES, Places
from waiting import wait_for as wait

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="forking takes Linux")
wait_for = partial(wait, seconds=30)
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture
def prepared() -> Iterator[psutil.Process]:
    """Let kernels be forked; return the process that they are forked from."""
    forks.prepare()
    yield psutil.Process(forks._parents[0].pid)
    forks.dismiss()
    forks.end()


def run(folder: Path, *cells: str) -> tuple[list[str], type]:
    """Run cells in a kernel; return what each printed, and of which class its process was."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    files = {"ip": str(folder / "k"), "connection_file": str(folder / "kernel.json")}
    config = Config({"KernelManager": {"transport": "ipc", **files}})
    kinds = []

    def note(**_):
        kinds.append(type(client.km.provisioner.process))

    client = NotebookClient(
        notebook, config=config, kernel_manager_class=kernels.LockedKernel, on_notebook_start=note
    )
    client.execute()
    return ["".join(o.text for o in cell.outputs) for cell in notebook.cells], kinds[0]


TOLD = """
import json, os, signal, sys, tempfile
print(json.dumps({
    "argv": [word.rpartition("/")[2] for word in sys.argv[:3:2]],
    "path": sys.path,
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "temporary": tempfile.gettempdir(),
    "sigint": str(signal.getsignal(signal.SIGINT)),
    "leads": os.getsid(0) == os.getpid() == os.getpgid(0),
    "main": sys.modules["__main__"].__dict__ is globals(),
    "input": os.readlink("/proc/self/fd/0"),
}))
"""


def test_a_forked_kernel_is_like_one_that_was_started(tmp_path, monkeypatch, request):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (usual,), kind = run(tmp_path, TOLD)
    assert kind is subprocess.Popen
    request.getfixturevalue("prepared")
    monkeypatch.setenv("SINCE", "then")
    (forked,), kind = run(tmp_path, TOLD)
    assert kind is forks.Fork
    usual, forked = json.loads(usual), json.loads(forked)
    assert forked["environment"].pop("SINCE") == "then"
    own = ("argv", "environment", "input")
    assert {k: v for k, v in forked.items() if k not in own} == {
        k: v for k, v in usual.items() if k not in own
    }
    assert forked["argv"] == ["ipykernel_launcher", "kernel.json"]
    assert forked["input"] == "/dev/null"
    assert forked["environment"].keys() <= usual["environment"].keys()


SHOWN = """
import altair, numpy, pandas, sklearn, warnings
warnings.simplefilter("ignore")  # some options are deprecated
groups = {name: getattr(pandas.options, name) for name in dir(pandas.options)}
for name, group in groups.items():
    for option in dir(group):
        print(f"{name}.{option} = {getattr(group, option, None)}")
print(numpy.get_printoptions(), sklearn.get_config())
print(altair.renderers.active, altair.theme.active, altair.data_transformers.active)
"""


def test_what_is_imported_before_leaves_no_trace_in_what_is_shown(tmp_path, request):
    (usual,), _ = run(tmp_path, SHOWN)
    request.getfixturevalue("prepared")
    notebooks = [NOTEBOOKS / f"{stage}.ipynb" for stage in STAGES]
    forks.expect(name for notebook in notebooks for name in imported(notebook))
    cell = "import sys\nprint('sklearn.ensemble' in sys.modules)"
    wait_for(lambda: run(tmp_path, cell)[0] == ["True\n"])
    (forked,), kind = run(tmp_path, SHOWN)
    assert kind is forks.Fork
    assert _lines(forked) == _lines(usual)
    assert "display.max_columns = 20" in _lines(usual)


def _lines(text: str) -> list[str]:
    return re.sub(r"0x[0-9a-f]+", "0x", text).lower().splitlines()


def test_two_forked_kernels_draw_different_numbers(tmp_path, prepared):
    cell = "import numpy as np, random\nprint(np.random.random(), random.random())"
    drawn = [run(tmp_path, cell)[0][0].split() for _ in range(2)]
    assert drawn[0][0] != drawn[1][0]
    assert drawn[0][1] != drawn[1][1]


def test_threads_of_libraries_work_in_it(tmp_path, prepared):
    cell = """
import numpy as np
import pyarrow as pa, pyarrow.compute as pc
a = np.arange(1_000_000.0).reshape(1000, 1000)
print(float((a @ a.T).trace()), pc.sum(pa.chunked_array([range(1000)] * 50)).as_py())
"""
    a = np.arange(1_000_000.0).reshape(1000, 1000)
    assert run(tmp_path, cell)[0] == [f"{float((a @ a.T).trace())} {50 * 499_500}\n"]


def test_it_holds_the_locks_of_its_build_and_nothing_of_other_kernels(tmp_path, prepared):
    places = Places(tmp_path / "data", tmp_path / "reports")
    run(tmp_path, "print(1)")
    locks.hold(places, "2026Q3")
    cell = """
from pathlib import Path
held = [file.resolve().name for file in Path("/proc/self/fd").iterdir()]
print(sorted(name for name in held if name.endswith(".lock")))
"""
    try:
        assert run(tmp_path, cell)[0] == ["['.2026Q3.lock', '.builds.lock']\n"]
    finally:
        locks.release()
    assert locks.hold(places, "2026Q3", wait=False)
    locks.release()
    held = [Path(f.path).name for f in prepared.open_files()]
    assert not any("lock" in name for name in held)


def test_who_is_no_ipykernel_of_this_python_is_not_forked(prepared):
    command = ["/usr/bin/python3", *forks._USUAL[1:]]
    assert forks.fork(command, {}, Path(), []) is None
    huge = {"HUGE": "x" * forking.LONGEST}
    assert forks.fork(forks._USUAL, huge, Path(), []) is None


def test_where_the_process_has_died_a_kernel_is_started(tmp_path, prepared):
    assert run(tmp_path, "print(1)") == (["1\n"], forks.Fork)
    prepared.kill()
    assert run(tmp_path, "print(2)") == (["2\n"], subprocess.Popen)
    assert run(tmp_path, "print(3)") == (["3\n"], subprocess.Popen)


def test_where_the_process_hangs_a_kernel_is_started(tmp_path, prepared, monkeypatch):
    monkeypatch.setattr(forks, "_PATIENCE", 0.5)
    monkeypatch.setattr(forks, "_SOON", 0.5)
    prepared.suspend()
    assert run(tmp_path, "print(1)") == (["1\n"], subprocess.Popen)
    assert not prepared.is_running()


def test_a_module_of_a_project_takes_no_place_in_it(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    Path("tempfile.py").write_text("raise RuntimeError")
    request.getfixturevalue("prepared")
    assert run(tmp_path, "print(1)") == (["1\n"], forks.Fork)


def test_where_the_system_gives_no_process_only_this_kernel_is_not_forked(
    tmp_path, monkeypatch, recwarn
):
    def refused():
        warnings.warn("There are threads.", DeprecationWarning, stacklevel=2)
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    monkeypatch.setattr(forks, "_PATIENCE", 5.0)
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    monkeypatch.setattr(forks, "_ends", [ours])
    with ThreadPoolExecutor(1) as pool, (tmp_path / "said").open("wb") as said:
        served = pool.submit(forking.serve, theirs)
        assert forks.fork(forks._USUAL, {}, tmp_path, [said.fileno()]) is None
        assert served.result() is None
    assert [str(warning.message) for warning in recwarn] == []
    theirs.close()
    gc.unfreeze()


ASKING = """
import os, sys, time
from pathlib import Path
from exams.orchestrate import forks
forks.prepare()
folder = Path(sys.argv[1])
with (folder / "said").open("wb") as said:
    command = [*forks._USUAL, "-f", str(folder / "kernel.json")]
    kernel = forks.fork(command, os.environ, folder, [said.fileno()])
print(kernel.pid, forks._parents[0].pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("victim", ["who asked", "the process forked from"])
def test_a_kernel_ends_with_either_process_that_it_depends_on(tmp_path, victim):
    with subprocess.Popen(
        [sys.executable, "-c", ASKING, tmp_path], stdout=subprocess.PIPE, text=True
    ) as asking:
        kernel, parent = map(psutil.Process, map(int, asking.stdout.readline().split()))
        wait_for((tmp_path / "kernel.json").exists)
        assert kernel.ppid() == parent.pid
        if victim == "who asked":
            asking.kill()
            wait_for(lambda: not parent.is_running())
        else:
            parent.send_signal(signal.SIGKILL)
        wait_for(lambda: not lives(kernel))
        asking.kill()


WRITING = """
import atexit
from pathlib import Path
opened = open("open.txt", "w")
opened.write("written")
atexit.register(Path("exit.txt").write_text, "done")
print(1)
"""


@pytest.mark.parametrize("forked", [True, False])
def test_what_a_cell_leaves_to_the_end_of_its_kernel_is_done(
    tmp_path, monkeypatch, request, forked
):
    if forked:
        request.getfixturevalue("prepared")
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, WRITING) == (["1\n"], forks.Fork if forked else subprocess.Popen)
    assert Path("open.txt").read_text() == "written"
    assert Path("exit.txt").read_text() == "done"


def test_what_a_cell_has_started_does_not_keep_its_kernel_from_its_end(
    tmp_path, monkeypatch, prepared
):
    monkeypatch.chdir(tmp_path)
    run(tmp_path, f"import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n{WRITING}")
    assert Path("open.txt").read_text() == "written"


def test_a_kernel_takes_with_it_what_it_has_started(tmp_path, prepared):
    cell = "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)"
    (number,), _ = run(tmp_path, cell)
    wait_for(lambda: not psutil.pid_exists(int(number)) or not lives(psutil.Process(int(number))))


def test_what_the_notebooks_to_come_import_is_imported_before(tmp_path, prepared):
    cell = "import sys\nprint('sklearn.cluster' in sys.modules, 'distributed' in sys.modules)"
    assert run(tmp_path, cell)[0] == ["False False\n"]
    forks.expect(["sklearn.cluster", "sklearn.cluster.KMeans", "distributed"])
    wait_for(lambda: run(tmp_path, cell)[0] == ["True False\n"])


ALL = """
import importlib, os, sys
import numpy, pyarrow, scipy.linalg  # what is native of them minds forks
before = len(os.listdir("/proc/self/task"))
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        pass
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_no_module_that_is_imported_before_starts_a_thread():
    notebooks = [NOTEBOOKS / f"{stage}.ipynb" for stage in STAGES]
    names = {name for notebook in notebooks for name in imported(notebook)}
    assert "sklearn.ensemble" in names
    able = [name for name in names if name.partition(".")[0] in forks._FORKABLE]
    command = [sys.executable, "-c", ALL, *forking._ALWAYS, *sorted(able)]
    assert int(subprocess.run(command, capture_output=True, check=True).stdout) == 0


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
