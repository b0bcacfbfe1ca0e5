"""Whole builds: which stages run, what is printed, what the status says."""

import fcntl
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import nbformat
import psutil
import pytest
from ploomber.products.metadata import MetadataCollection

import orchestrate_project as project
from exams import status
from exams.errors import ExamsError
from exams.notebook import injected
from exams.orchestrate import locks
from exams.orchestrate.build import build_due, build_quarter
from exams.orchestrate.turns import run_turn
from exams.places import STAGES, Places
from exams.published import published_quarters
from exams.status import stage_status
from orchestrate_project import deliver, ploomber
from waiting import wait_for

pytestmark = pytest.mark.slow
QUARTER = "2026Q3"
COMPARING = ("model", "publish", "visualize")
LINE = re.compile(r"(\d{4}Q\d)  (\w+) +(\w+) +(\d+\.\d) s(?:  (.*))?")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the places of a project whose one quarter is built, and what that printed.

    A copy of it lies beside it: every test that changes the project starts from that.
    """
    folder = tmp_path_factory.mktemp("project") / "project"
    places = project.make_project(folder)
    deliver(places, QUARTER, "first")
    command = [sys.executable, project.__file__, "build", "--env--quarter", QUARTER]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    shutil.copytree(folder, folder.with_name("built"))
    return places, done


@pytest.fixture
def places(built, monkeypatch) -> Iterator[Places]:
    """Return the places of the project as it was built; it is the current folder."""
    lay(built[0], "built")
    monkeypatch.chdir(built[0].data.parent)
    yield built[0]
    locks.release()


def lay(places: Places, name: str) -> None:
    """Put the copy of that name into the place of the project: Ploomber notes its paths."""
    folder = places.data.parent
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name(name), folder)


@pytest.fixture(scope="module")
def built_later(built):
    """Return what is printed when an earlier quarter comes later; a copy of it all lies beside."""
    places, folder = built[0], built[0].data.parent
    lay(places, "built")
    deliver(places, "2026Q2", "earlier")
    command = [sys.executable, "-m", "exams.cli", "build", "--due"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    shutil.copytree(folder, folder.with_name("built later"))
    return done


@pytest.fixture
def both(built_later, places, monkeypatch) -> Places:
    """Return the places of the project as it was built with two quarters."""
    assert built_later.returncode == 0
    lay(places, "built later")
    monkeypatch.chdir(places.data.parent)
    return places


def states(places: Places, quarter: str = QUARTER) -> list[str]:
    return [r["state"] for r in stage_status(places.status) if r["quarter"] == quarter]


def ran(text: str) -> list[tuple[str, str, str]]:
    """Return quarter, stage and state of each line about a stage."""
    return [m.groups()[:3] for m in map(LINE.fullmatch, text.splitlines()) if m]


def all_done(*quarters: str, stages=STAGES):
    return [(quarter, stage, "done") for quarter in quarters for stage in stages]


def test_a_build_prints_one_line_a_stage_with_its_rows_and_nothing_else(built, places):
    _, done = built
    assert done.returncode == 0
    assert done.stderr == ""
    first, *lines = done.stdout.splitlines()
    assert first == f"Building {QUARTER}."
    assert ran(done.stdout) == all_done(QUARTER)
    assert len(lines) == len(STAGES)
    assert [LINE.fullmatch(line)[5] for line in lines] == ["1,234 rows"] * len(STAGES)
    assert states(places) == ["done"] * len(STAGES)
    assert {(r["rows_in"], r["rows_out"]) for r in stage_status(places.status)} == {(3, 1234)}


def test_an_unchanged_quarter_is_up_to_date_even_if_its_file_is_touched(places, capsys):
    os.utime(places.delivery(QUARTER) / "a.csv")
    assert ploomber("build", "--env--quarter", QUARTER) == 0
    assert capsys.readouterr().out.splitlines() == [f"{QUARTER} is up to date."]


def test_a_lost_status_is_written_anew_and_makes_nothing_run(places, capsys):
    places.status.unlink()
    assert build_quarter(QUARTER)
    assert ran(capsys.readouterr().out) == []
    assert states(places) == ["done"] * len(STAGES)
    assert all(run["ended"] for run in stage_status(places.status))


def test_a_build_that_waits_for_its_turn_gives_signs_of_life(places, monkeypatch):
    monkeypatch.setattr(status, "BEAT", 0.05)
    (places.reports / QUARTER / "visualize.html").write_text("edited")

    def heartbeat() -> str:
        return stage_status(places.status)[-1]["heartbeat"]

    def wait_for_a_beat(_: str) -> None:
        before = heartbeat()
        wait_for(lambda: heartbeat() != before)

    assert run_turn(QUARTER, Path.cwd(), before=wait_for_a_beat).end == "built"


def test_a_failure_ends_in_three_lines_and_its_cause_put_right_mends_everything(places, capsys):
    deliver(places, QUARTER, "refused")
    assert ploomber("build", "--env--quarter", QUARTER) == 1
    printed = capsys.readouterr()
    assert ran(printed.out) == [(QUARTER, "extract", "done"), (QUARTER, "transform", "failed")]
    assert printed.err.splitlines() == [
        "E104 a.csv line 2: score is above 100. Correct it.",
        f"See reports/{QUARTER}/transform.ipynb",
    ]
    assert states(places) == ["done", "failed", *["skipped"] * 4]
    row = next(r for r in stage_status(places.status) if r["state"] == "failed")
    assert row["reason_code"] == "E104"
    assert row["reason"] == "a.csv line 2: score is above 100. Correct it."

    deliver(places, QUARTER, "first")
    assert build_quarter(QUARTER)
    assert ran(capsys.readouterr().out) == all_done(QUARTER)
    assert states(places) == ["done"] * len(STAGES)


@pytest.mark.parametrize("command", [["build"], ["task", "transform"]])
def test_the_message_of_an_unforeseen_error_is_shown_nowhere(places, capsys, command):
    deliver(places, QUARTER, "crash 471147114711")
    ploomber("task", "extract", "--env--quarter", QUARTER)
    assert ploomber(*command, "--env--quarter", QUARTER) == 1
    printed = capsys.readouterr()
    assert "471147114711" not in printed.out + printed.err
    assert printed.err.splitlines()[-2:] == [
        "ValueError in cell [3].",
        f"See reports/{QUARTER}/transform.ipynb",
    ]
    assert "471147114711" not in str(stage_status(places.status))
    executed = (places.reports / QUARTER / "transform.ipynb").read_text()
    assert "471147114711" not in executed
    assert "int(text)" in str(nbformat.reads(executed, 4).cells[-1].outputs[-1].traceback)


def test_the_messages_of_a_group_of_errors_are_not_kept(places, capsys):
    deliver(places, QUARTER, "several 471147114711")
    assert not build_quarter(QUARTER)
    assert "471147114711" not in "".join(capsys.readouterr())
    executed = (places.reports / QUARTER / "transform.ipynb").read_text()
    assert "471147114711" not in executed
    failed = next(r for r in stage_status(places.status) if r["state"] == "failed")
    assert failed["reason"] == "ExceptionGroup in cell [3]."


def test_a_task_that_is_up_to_date_says_so(places, capsys):
    assert build_quarter(QUARTER)
    assert ploomber("task", "publish", "--env--quarter", QUARTER) == 0
    assert f"{QUARTER}  publish is up to date; --force runs it again." in capsys.readouterr().out


def test_an_earlier_quarter_makes_the_comparing_stages_of_later_ones_due(built_later, both, capsys):
    compare = all_done(QUARTER, stages=COMPARING)
    assert sorted(ran(built_later.stdout)) == sorted(all_done("2026Q2") + compare)
    runs = {(run["quarter"], run["stage"]): run for run in stage_status(both.status)}
    for stage in COMPARING:
        assert runs["2026Q2", stage]["ended"] <= runs[QUARTER, stage]["started"]

    assert build_due() == 0
    assert capsys.readouterr().out == "2 quarters are up to date; nothing to do.\n"


def test_a_failing_quarter_does_not_stop_the_others(places, capsys):
    deliver(places, "2026Q1", "refused")
    assert build_due(quarters=[QUARTER, "2026Q1"]) == 1
    assert ran(capsys.readouterr().out)[:2] == [
        ("2026Q1", "extract", "done"),
        ("2026Q1", "transform", "failed"),
    ]
    assert states(places) == ["done"] * len(STAGES)


def test_a_build_until_a_stage_leaves_the_later_ones_to_the_next_build(places, capsys):
    deliver(places, QUARTER, "second")
    intake, rest = STAGES[:3], STAGES[3:]
    assert build_quarter(QUARTER, until="load")
    assert ran(capsys.readouterr().out) == all_done(QUARTER, stages=intake)
    assert build_quarter(QUARTER, until="load")
    assert capsys.readouterr().out == f"{QUARTER} is up to date as far as load.\n"
    assert build_due(until="transform") == 0
    said = "1 quarter is up to date as far as transform; nothing to do.\n"
    assert capsys.readouterr().out == said
    assert build_due() == 0
    assert ran(capsys.readouterr().out) == all_done(QUARTER, stages=rest)


def test_several_quarters_are_built_until_a_stage(places, capsys):
    quarters = ["2026Q1", "2026Q2"]
    for quarter in quarters:
        deliver(places, quarter, "first")
    assert build_due(quarters=quarters, until="model") == 0
    lines = ran(capsys.readouterr().out)
    assert sorted(lines) == sorted(all_done(*quarters, stages=STAGES[:4]))


def test_an_unreadable_database_is_set_aside_and_made_anew(both, capsys):
    for path, stages in [
        (both.published, ["publish", "visualize"]),
        (both.warehouse, ["load", "model", "publish", "visualize"]),
        (both.status, []),
    ]:
        path.write_bytes(b"no database" * 100)
        assert build_due() == 0
        printed = capsys.readouterr()
        shown = f"{path.relative_to(Path.cwd())} cannot be read: it is now {path.name}.unreadable"
        assert (printed.out.count(shown), printed.out.count("cannot be read")) == (1, 1)
        assert path.with_name(f"{path.name}.unreadable").exists()
        assert printed.err == ""
        assert sorted(ran(printed.out)) == sorted(all_done("2026Q2", QUARTER, stages=stages))
    assert states(both) == ["done"] * len(STAGES)
    assert build_due() == 0
    assert capsys.readouterr().out == "2 quarters are up to date; nothing to do.\n"


def test_a_quarter_that_has_lost_its_last_file_is_withdrawn_and_later_ones_compare_anew(
    both, capsys
):
    (both.delivery("2026Q2") / "a.csv").unlink()
    assert build_due() == 0
    printed = capsys.readouterr()
    first, *rest = printed.out.splitlines()
    assert first == "2026Q2  withdrawn: its folder holds no file any more."
    assert ran("\n".join(rest)) == all_done(QUARTER, stages=("model", "publish", "visualize"))
    assert published_quarters(both.published) == [QUARTER]
    assert states(both, "2026Q2") == ["done"] * len(STAGES)
    assert build_due() == 0
    assert capsys.readouterr().out == "1 quarter is up to date; nothing to do.\n"


def test_ploomber_build_withdraws_a_quarter_too_and_then_knows_no_file_of_it(places, capsys):
    (places.reports / "2026Q2").mkdir()
    assert ploomber("build", "--env--quarter", "2026Q2") == 0
    printed = capsys.readouterr()
    assert printed.out == "2026Q2  withdrawn: its folder holds no file any more.\n"
    assert printed.err == ""
    assert ploomber("build", "--env--quarter", "2026Q2") == 1
    assert capsys.readouterr().err.startswith("E402 data/deliveries/2026Q2 holds no file.")


def test_where_every_file_is_out_of_reach_nothing_is_withdrawn(places, capsys):
    (places.delivery(QUARTER) / "a.csv").unlink()
    assert ploomber("build", "--env--quarter", QUARTER) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"E405 No quarter has a file, though results up to {QUARTER}")
    with pytest.raises(ExamsError, match="E405"):
        build_due()
    assert published_quarters(places.published) == [QUARTER]


def test_settings_of_the_intake_reach_the_notebook_of_extract(places):
    Path("env.yaml").write_text(f"quarter: {QUARTER}\ndata: data\nreports: reports\n")
    deliver(places, QUARTER, "refused")  # ends after transform
    for setting, largest in [("", 4_000_000_000), ("largest_file: 9_000\n", 9000)]:
        Path("env.yaml").write_text(Path("env.yaml").read_text() + setting)
        build_quarter(QUARTER)
        given = injected(nbformat.read(places.reports / QUARTER / "extract.ipynb", 4))
        assert (given["largest_file"], given["refused_files"]) == (largest, "fail")


def test_newer_deliveries_that_wait_are_named(places, capsys):
    deliver(places, "2027Q1", "newer")
    build_quarter(QUARTER)
    assert "Newer deliveries wait: 2027Q1. Run `exams build --due`." in capsys.readouterr().out


def test_a_build_elsewhere_leaves_the_projects_own_folders_alone(places, tmp_path, capsys):
    before = sorted(places.reports.rglob("*"))
    other = Places.of(tmp_path / "data", tmp_path / "reports")
    deliver_to = other.data / "deliveries" / QUARTER
    deliver_to.mkdir(parents=True)
    (deliver_to / "a.csv").write_text("refused")
    arguments = ["--env--data", str(other.data), "--env--reports", str(other.reports)]
    assert ploomber("build", "--env--quarter", QUARTER, *arguments) == 1
    assert ran(capsys.readouterr().out)[0] == (QUARTER, "extract", "done")
    assert (other.reports / QUARTER / "extract.html").is_file()
    assert sorted(places.reports.rglob("*")) == before
    assert states(places)[0] == "done"


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("quarter", "spring", "E001 'spring' is not a quarter. Write it like 2019Q1."),
        ("quarter", "2031Q1", "E402 data/deliveries/2031Q1 holds no file."),
        ("largest_file", "4 GB", "E004 env.yaml: largest_file is no number of bytes."),
        ("refused_files", "keep", "E004 env.yaml: refused_files is neither fail nor skip."),
        ("executor", "spark", "E004 env.yaml: executor is neither process nor dask."),
        ("scheduler", "here", "E004 env.yaml: scheduler is no address."),
    ],
)
def test_a_build_that_cannot_begin_is_explained_in_one_line(
    places, capsys, setting, value, message
):
    assert ploomber("build", f"--env--{setting}", value) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("former", "now", "complaint"),
    [
        ("import json", "x = = 3", "invalid syntax: x = = 3."),
        ("write_text(text)", "write_text(txt)", "undefined name 'txt'."),
        ("inputs = None", "", "Parameters declared in the 'parameters' cell do not match"),
    ],
)
def test_a_notebook_that_cannot_run_is_named_before_any_stage_begins(
    places, capsys, former, now, complaint
):
    notebook = Path("notebooks/model.ipynb")
    notebook.write_text(notebook.read_text().replace(former, now, 1))
    assert ploomber("build", "--env--quarter", QUARTER) == 1
    printed = capsys.readouterr()
    assert ran(printed.out) == []
    (line,) = printed.err.splitlines()
    assert line.startswith(f"E404 notebooks/model.ipynb cannot run: {complaint}")
    assert states(places) == [*["done"] * 3, "failed", "skipped", "skipped"]
    (failed,) = (run for run in stage_status(places.status) if run["state"] == "failed")
    assert f"{failed['reason_code']} {failed['reason']}" == line


def test_building_outside_the_project_is_explained(tmp_path):
    with pytest.raises(ExamsError, match="E003"):
        build_due(tmp_path)


def test_a_broken_env_yaml_is_explained_before_any_stage_begins(tmp_path):
    project.make_project(tmp_path)
    (tmp_path / "env.yaml").write_text("data: [\n")
    for build in (build_due, lambda root: build_quarter(QUARTER, root)):
        with pytest.raises(ExamsError, match=r"E004 env\.yaml line 2 is not YAML"):
            build(tmp_path)


def test_a_build_waits_for_another_of_its_quarter_and_then_looks_again(places, capsys):
    (places.reports / QUARTER / "visualize.html").write_text("edited")
    with (places.data / "private" / f".{QUARTER}.lock").open("w") as other:
        other.write("process 1 on elsewhere")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        threading.Timer(3, fcntl.flock, [other, fcntl.LOCK_UN]).start()
        assert build_quarter(QUARTER)
    out = capsys.readouterr().out
    assert f"{QUARTER} is being built by process 1 on elsewhere; waiting for it." in out
    assert ran(out) == [(QUARTER, "visualize", "done")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_build_of_several_quarters_ends_all_of_them(places, number):
    for quarter in ("2026Q1", "2026Q2"):
        deliver(places, quarter, f"slow {number}")
    command = [sys.executable, "-m", "exams.cli", "build", "--due"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as build:
        wait_for(lambda: states(places, "2026Q1")[1:2] == ["running"])
        wait_for(lambda: states(places, "2026Q2")[1:2] == ["running"])
        workers = [run["pid"] for run in stage_status(places.status) if run["state"] == "running"]
        os.killpg(build.pid, number)
        out, err = build.communicate(timeout=60)
    assert (build.returncode, err) == (130, "")
    stopped = [(q, "transform", "interrupted") for q in ("2026Q1", "2026Q2")]
    assert sorted(ran(out))[1::2] == stopped
    assert states(places, "2026Q1")[:3] == states(places, "2026Q2")[:3]
    assert states(places, "2026Q1")[:3] == ["done", "interrupted", "skipped"]
    assert not any(alive(pid) for pid in workers)


def test_a_killed_build_of_several_quarters_leaves_nothing_behind(places, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("t")
    for quarter in ("2026Q1", "2026Q2"):
        deliver(places, quarter, "slow, killed")
    with subprocess.Popen(
        [sys.executable, "-m", "exams.cli", "build", "--due"],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
    ) as build:
        wait_for(lambda: states(places, "2026Q1")[1:2] == ["running"])
        wait_for(lambda: states(places, "2026Q2")[1:2] == ["running"])
        build.kill()
    wait_for(lambda: not [*temporary.iterdir()])  # kernels have their sockets there
    for quarter in ("2026Q1", "2026Q2"):
        assert states(places, quarter)[:3] == ["done", "interrupted", "skipped"]


def test_a_process_that_dies_fails_its_quarter_and_the_others_go_on(places, capsys):
    deliver(places, "2026Q2", "slow, killed")
    killer = threading.Thread(target=kill_once_running, args=(places, "2026Q2"))
    killer.start()
    assert build_due() == 1
    killer.join()
    printed = capsys.readouterr()
    assert re.fullmatch(r"2026Q2: process \d+ ended early, with -9\.\n", printed.err)
    assert states(places) == ["done"] * len(STAGES)
    assert states(places, "2026Q2")[:2] == ["done", "interrupted"]


def kill_once_running(places: Places, quarter: str) -> None:
    def running() -> list[int]:
        return [
            r["pid"]
            for r in stage_status(places.status)
            if r["state"] == "running" and (r["quarter"], r["stage"]) == (quarter, "transform")
        ]

    wait_for(running)
    os.kill(running()[0], signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_build_says_so_and_leaves_no_kernel(places, number):
    deliver(places, QUARTER, f"slow {number}")
    command = [sys.executable, project.__file__, "build", "--env--quarter", QUARTER]
    here = {"stdout": subprocess.PIPE, "text": True, "process_group": 0}
    here["preexec_fn"] = partial(signal.signal, number, signal.SIG_DFL)  # `nohup pytest`
    with subprocess.Popen(command, **here) as build:
        wait_for(lambda: states(places)[1] == "running")
        time.sleep(1)
        build.send_signal(number)
        out, _ = build.communicate(timeout=60)
    assert build.returncode == 130
    assert ran(out)[-1] == (QUARTER, "transform", "interrupted")
    assert states(places)[:3] == ["done", "interrupted", "skipped"]
    wait_for(lambda: not alive(build.pid))


SLOW_TO_CLEAR_UP = """
import asyncio
from jupyter_client.manager import AsyncKernelManager
from exams.cli import main

clear_up = AsyncKernelManager.cleanup_resources

async def slowly(self, restart=False):
    await asyncio.sleep(1.5)  # nbclient looks once a second whether the kernel lives
    await clear_up(self, restart=restart)

AsyncKernelManager.cleanup_resources = slowly
main()
"""


def test_the_end_of_a_kernel_that_was_told_to_end_is_no_error(places):
    deliver(places, QUARTER, "slow, and slow to clear up")
    command = [sys.executable, "-c", SLOW_TO_CLEAR_UP, "build", "--quarter", QUARTER]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as build:
        wait_for(lambda: states(places)[1] == "running")
        time.sleep(1)
        build.send_signal(signal.SIGINT)
        out, err = build.communicate(timeout=60)
    assert (build.returncode, err) == (130, "")
    assert ran(out)[-1] == (QUARTER, "transform", "interrupted")


def test_a_kernel_that_the_system_ends_fails_its_stage_with_a_code(places, capsys):
    deliver(places, QUARTER, "slow, and its kernel is killed")
    killer = threading.Thread(target=kill_kernel_once_running, args=(places,))
    killer.start()
    assert not build_quarter(QUARTER)
    killer.join()
    told, where = capsys.readouterr().err.splitlines()
    assert told.startswith("E420 The process of the notebook was ended from outside")
    assert where.startswith("See ")
    assert states(places)[:3] == ["done", "failed", "skipped"]
    failed = next(run for run in stage_status(places.status) if run["state"] == "failed")
    assert failed["reason_code"] == "E420"


def kill_kernel_once_running(places: Places) -> None:
    wait_for(lambda: states(places)[1] == "running")
    kernels = partial(kernels_of, os.getpid())
    wait_for(kernels)
    time.sleep(1)
    os.kill(kernels()[0], signal.SIGKILL)


def kernels_of(pid: int) -> list[int]:
    """Return the forked kernels: their parent has been started for that by process `pid`."""
    forked = [c for own in psutil.Process(pid).children() for c in own.children()]
    return [c.pid for c in forked if "ipykernel_launcher" in c.cmdline()]


def test_a_build_whose_lines_nobody_reads_goes_on_to_its_end(places):
    (places.reports / QUARTER / "visualize.html").write_text("edited")
    command = [sys.executable, "-m", "exams.cli", "build", "--due"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as build:
        build.stdout.close()  # as `| head -0` does
        assert build.stderr.read() == b""
    assert build.returncode == 0
    assert states(places) == ["done"] * len(STAGES)
    assert build_due() == 0


def test_a_stage_is_told_to_be_done_only_once_nothing_would_run_it_again(places, monkeypatch):
    (places.reports / QUARTER / "visualize.html").write_text("edited")
    told = []
    noted = MetadataCollection.update

    def update(self, **given):
        told.append(states(places)[-1])
        noted(self, **given)
        told.append(states(places)[-1])

    monkeypatch.setattr(MetadataCollection, "update", update)
    assert build_quarter(QUARTER)
    assert told == ["running", "running"]
    assert states(places)[-1] == "done"


def test_a_clock_that_jumps_while_a_build_runs_makes_nothing_wrong(places, capsys, monkeypatch):
    jumps = itertools.cycle([timedelta(), timedelta(days=1), timedelta(days=-1)])

    class Jumping(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + next(jumps)

    monkeypatch.setattr("exams.status.datetime", Jumping)
    monkeypatch.setattr("ploomber.products.metadata.datetime", Jumping)
    deliver(places, QUARTER, "second")
    assert build_quarter(QUARTER)
    assert ran(capsys.readouterr().out) == all_done(QUARTER)
    runs = stage_status(places.status)
    assert [run["state"] for run in runs] == ["done"] * len(STAGES)
    assert all(run["started"] <= run["ended"] for run in runs)
    assert build_quarter(QUARTER)
    assert capsys.readouterr().out == f"{QUARTER} is up to date.\n"


def test_a_killed_build_is_noticed_by_the_next_one(places, capsys):
    deliver(places, QUARTER, "slow, killed")
    command = [sys.executable, project.__file__, "build", "--env--quarter", QUARTER]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0) as build:
        wait_for(lambda: states(places)[1] == "running")
        build.kill()
    assert states(places)[1:3] == ["interrupted", "skipped"]
    deliver(places, QUARTER, "refused")
    build_quarter(QUARTER)
    runs = history(places)
    assert (QUARTER, "transform", "interrupted", f"Process {build.pid} ended early.") in runs
    wait_for(lambda: not alive(build.pid))


def history(places: Places) -> list[tuple]:
    import sqlite3

    connection = sqlite3.connect(places.status)
    rows = connection.execute("SELECT quarter, stage, state, reason FROM stage_run").fetchall()
    connection.close()
    return rows


def alive(group: int) -> bool:
    """Say whether a process of this process group runs (a kernel belongs to it)."""
    groups = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            groups.append(int(fields[2]))
    return group in groups
