"""The lock, the hooks and the papermill engine, each by itself."""

import fcntl
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import papermill
import psutil
import pytest
from nbclient import NotebookClient

from exams.errors import ExamsError
from exams.files import write_atomic
from exams.orchestrate import engine, forks, hooks, kernels, locks, stopping
from exams.orchestrate.failures import explain, explain_exception
from exams.orchestrate.stopping import terminable
from exams.places import Places
from exams.processes import end_children
from exams.status import stage_status
from orchestrate_project import make_project

QUARTER = "2019Q1"


@pytest.fixture
def places(tmp_path):
    yield Places.of(tmp_path / "data", tmp_path / "reports")
    locks.release()


def taken(places, owner="process 1 on elsewhere"):
    """Take the lock of a quarter as another process would; return the open file."""
    (places.data / "private").mkdir(parents=True)
    file = (places.data / "private" / f".{QUARTER}.lock").open("w")
    file.write(owner)
    file.flush()
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def test_the_lock_of_a_quarter_is_held_once_and_given_back(places):
    assert locks.hold(places, QUARTER, wait=False)
    assert locks.hold(places, QUARTER, wait=False)
    code = f"""
from exams.orchestrate import locks
from exams.orchestrate.stopping import terminable
from exams.places import Places
places = Places.of({str(places.data)!r}, {str(places.reports)!r})
print([locks.hold(places, q, wait=False) for q in ("2019Q1", "2019Q2")])
"""
    assert printed(code) == "[False, True]\n"
    locks.release()
    assert printed(code) == "[True, True]\n"


def test_who_waits_for_a_lock_says_for_whom(places, capsys):
    file = taken(places)
    assert not locks.hold(places, QUARTER, wait=False)
    threading.Timer(0.5, file.close).start()
    assert locks.hold(places, QUARTER)
    line = "2019Q1 is being built by process 1 on elsewhere; waiting for it.\n"
    assert capsys.readouterr().out == line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_work_even_where_ctrl_c_was_ignored(number):
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), terminable():
            signal.raise_signal(number)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, former)


def test_a_closed_terminal_stops_the_work_unless_nohup_was_said():
    former = signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with pytest.raises(KeyboardInterrupt), terminable():
            signal.raise_signal(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with terminable():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, former)


def test_a_second_ctrl_c_does_not_stop_the_clearing_up_but_one_much_later_does(monkeypatch):
    cleared = []
    monkeypatch.setattr(stopping, "_DEAF", 600)
    with pytest.raises(KeyboardInterrupt), terminable():
        try:
            with terminable():
                signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            cleared.append("all")
    assert cleared == ["all"]
    monkeypatch.setattr(stopping, "_DEAF", 0)
    with pytest.raises(KeyboardInterrupt), terminable():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            cleared.append("more")
    assert cleared == ["all"]


class Deaf:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_python_drops_in_a_destructor_is_raised_again(monkeypatch):
    reached = []
    with pytest.raises(KeyboardInterrupt), terminable():
        Deaf()
        reached.append("the end")
    monkeypatch.setattr(stopping, "_AGAIN", 0.05)
    with pytest.raises(KeyboardInterrupt), terminable():
        Deaf()
        threading.Event().wait(20)
        reached.append("nothing")
    assert reached == ["the end"]


def test_a_stage_without_a_receipt_is_not_done(places):
    params = {"quarter": QUARTER, "data": str(places.data), "reports": str(places.reports)}
    with pytest.raises(ExamsError, match="E401 load wrote no receipt"):
        hooks.done(SimpleNamespace(name="load"), params)


def test_only_the_message_of_a_users_mistake_is_repeated():
    assert explain("ExamsError", "E104 a.csv line 2:\n wrong.", 3) == (
        "E104",
        "a.csv line 2: wrong.",
    )
    assert explain("ValueError", "invalid: 4711", 3) == (None, "ValueError in cell [3].")
    assert explain("DeadKernelError", "", None) == (None, "DeadKernelError.")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("[Errno 28] No space left on device: '4711'", "E411 The disk is full"),
        ("database or disk is full", "E411 The disk is full"),
        ("disk I/O error", "E411 The disk is full"),
        ("[Errno 27] File too large", "E411 The disk is full"),
        ("[Errno 30] Read-only file system: '4711'", "E412 A folder or file cannot be written"),
        ("attempt to write a readonly database", "E412 A folder or file cannot be written"),
    ],
)
def test_what_the_system_refuses_has_a_code_and_a_remedy(message, said):
    def fail():
        raise OSError(message)

    code, text = explain("OSError", message, 3)
    assert f"{code} {text}".startswith(said)
    assert "build" in text
    assert "4711" not in text
    assert explain_exception(raised(fail)) == (code, text)


def raised(make):
    """Return what `make` raises, wrapped as Ploomber wraps it."""
    try:
        try:
            make()
        except Exception as cause:
            raise RuntimeError("Error building task") from cause
    except RuntimeError as error:
        return error


def test_an_error_outside_a_notebook_is_named_by_its_cause_and_its_place():
    def write():
        raise OSError(28, "4711 does not fit")

    line = write.__code__.co_firstlineno + 1
    text = f"OSError (No space left on device) in {Path(__file__).name} line {line}."
    assert explain_exception(raised(write)) == (None, text)


def test_the_place_is_in_this_package_if_the_error_passed_through_it(tmp_path):
    code, text = explain_exception(raised(lambda: write_atomic(tmp_path / "no" / "file", "")))
    assert code is None
    pattern = r"FileNotFoundError \(No such file or directory\) in files\.py line \d+\."
    assert re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("4711"),
        OSError("4711"),
        FileNotFoundError(2, "4711", "4711"),
        UnicodeDecodeError("utf-8", b"4711", 0, 1, "4711"),
        KeyError("4711"),
    ],
)
def test_a_value_in_the_message_of_a_foreign_error_gets_nowhere(error):
    def fail():
        raise error

    assert "4711" in str(error)
    code, text = explain_exception(raised(fail))
    assert code is None
    assert "4711" not in text
    assert text.startswith(type(error).__name__)


def test_papermill_executes_other_notebooks_as_ever(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "in.ipynb")
    done = papermill.execute_notebook(
        str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), progress_bar=False
    )
    assert done.cells[0].outputs[0].text == "42\n"
    assert sorted(p.name for p in Path(tmp_path).iterdir()) == ["in.ipynb", "out.ipynb"]


def execute(places, folder, cells):
    """Execute a notebook of `cells` as the stage extract; return where it is executed."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "3"}
    nbformat.write(notebook, folder / "in.ipynb")
    output = folder / "extract.ipynb"
    given = {"quarter": QUARTER, "data": str(places.data), "reports": str(places.reports)}
    given["product"] = {"nb_ipynb": str(output)}
    papermill.execute_notebook(
        str(folder / "in.ipynb"), str(output), given, "papermill", progress_bar=False
    )
    return output


def test_a_stage_tells_at_which_of_its_code_cells_it_is(places, tmp_path):
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    with pytest.raises(papermill.PapermillExecutionError):
        execute(places, tmp_path, [code("1"), text("why"), code("1 / 0"), code("3")])
    (run,) = stage_status(places.status)
    assert (run["state"], run["cell"], run["cells"]) == ("failed", 3, 4)  # the first are injected


def written(path):
    """Return what the code cells of the notebook at `path` have given: texts, or nothing."""
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    return [cell.outputs[0].text.strip() if cell.outputs else "" for cell in cells[1:]]


def test_a_notebook_is_written_now_and_then_and_whole_at_the_end(places, tmp_path, monkeypatch):
    write, writes = papermill.iorw.write_ipynb, []

    def counting(nb, path):
        writes.append(path)
        write(nb, path)

    for module in (papermill.engines, papermill.execute):
        monkeypatch.setattr(module, "write_ipynb", counting)
    cells = [nbformat.v4.new_code_cell(f"print({number})") for number in range(20)]
    assert written(execute(places, tmp_path, cells)) == [str(number) for number in range(20)]
    assert len(writes) < 8  # at the start, at the end, and every five seconds
    writes.clear()
    monkeypatch.setattr(engine, "_SAVED_EVERY", 0)
    execute(places, tmp_path, cells)
    assert len(writes) > 40


def test_what_a_stopped_notebook_has_got_to_is_written(places, tmp_path, monkeypatch):
    def stop(nb, path, quarter, stage):
        def note(cell, cell_index):
            if cell.source == "stop":
                raise EOFError

        return note

    monkeypatch.setattr(engine, "_counting", stop)
    cells = [nbformat.v4.new_code_cell(source) for source in ("print(1)", "stop")]
    with pytest.raises(EOFError):
        execute(places, tmp_path, cells)
    assert written(tmp_path / "extract.ipynb") == ["1", ""]


def test_a_process_that_has_no_command_yet_is_ended_when_it_has(monkeypatch):
    known, asked = psutil.Process.cmdline, []

    def early(process):
        asked.append(process.pid)
        return known(process) if asked.count(process.pid) > 2 else []

    monkeypatch.setattr(psutil.Process, "cmdline", early)
    with subprocess.Popen(["sleep", "600.25"]) as process:
        try:
            end_children("600.25")
            assert process.poll() is not None
        finally:
            process.kill()


@pytest.mark.parametrize("prepared", [False, True])
def test_a_kernel_that_was_only_starting_ends_with_the_work(tmp_path, monkeypatch, capfd, prepared):
    if prepared:
        forks.prepare()
    started = []

    async def stopped(manager, **_):
        started.append(manager.provisioner.process)
        raise KeyboardInterrupt

    places = make_project(tmp_path)
    monkeypatch.setattr(kernels.LockedKernel, "_async_post_start_kernel", stopped)
    notebook = nbformat.read(places.data.parent / "notebooks/extract.ipynb", 4)

    def work():
        with engine._sockets(places, QUARTER) as config:
            manager = kernels.LockedKernel
            NotebookClient(notebook, config=config, kernel_manager_class=manager).execute()

    # In a thread: where a browser of other tests has its loop in this one, nothing would end.
    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        pool.submit(work).result()
    (process,) = started
    assert isinstance(process, forks.Fork) == prepared
    assert process.poll() is not None
    forks.dismiss()
    assert capfd.readouterr().err == ""


def test_ploomber_asks_nothing_of_the_network(tmp_path):
    make_project(tmp_path / "project")
    code = """
import sys
asking = {"socket.connect", "socket.getaddrinfo", "socket.sendto"}
sys.addaudithook(lambda event, _: event in asking and print("NETWORK", event))
from ploomber_cli.cli import cmd_router
sys.argv = ["ploomber", "status"]
cmd_router()
"""
    table = printed(code, cwd=tmp_path / "project")
    assert "visualize" in table
    assert "NETWORK" not in table


def printed(code: str, **more) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, **more).stdout
