"""A build that is killed, starved or disturbed leaves nothing that one more does not put right."""

import os
import resource
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from sqlite3 import connect

import psycopg
import pytest

from exams.backup.restore import restore
from exams.backup.save import backup
from exams.orchestrate import locks
from exams.places import WAREHOUSE, Server
from exams.published import published_quarters
from exams.status import stage_status
from exams.warehouse.postgresql import opening
from exams.warehouse.store import loaded
from orchestrate_project import deliver, ploomber
from recovery import (
    LINE,
    QUARTER,
    STAGES,
    Site,
    differences,
    kills,
    left_over,
    small_project,
    snapshot,
)
from waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["file"])
def site(request, tmp_path_factory):
    """Return a project with all that an undisturbed build makes of it."""
    server = request.getfixturevalue("postgres") if request.param == "server" else None
    return Site(tmp_path_factory.mktemp("site"), small_project, server)


BOTH = pytest.mark.parametrize("site", ["file", "server"], indirect=True)


def states(site, quarter=QUARTER):
    return [r["state"] for r in stage_status(site.places.status) if r["quarter"] == quarter]


def is_equal(site):
    return [*differences(site.expected, snapshot(site.places))] == []


@BOTH
def test_a_build_killed_at_any_instant_is_made_good_by_one_more(site):
    found = list(kills(site, 5, seed=5))  # `make soak` tries more instants
    assert [f.wrong for f in found] == [()] * 5


def test_a_difference_is_found(site):
    found = dict(site.expected)
    found["files"] = [*found["files"], "data/private/.x.draft"]
    found["load.ipynb"] = []
    complaints = ["files differs", "load.ipynb differs", "data/private/.x.draft is left over"]
    assert [*differences(site.expected, found)] == complaints


def run(site, *more, **wishes):
    """Build, and return exit code, lines about stages as (stage, state), and all that was said."""
    here = {"cwd": site.folder, "env": site.env, "capture_output": True, "text": True}
    done = subprocess.run([*site.command(), *more], check=False, **here, **wishes)
    ran = [(m[2], m[3]) for m in map(LINE.fullmatch, done.stdout.splitlines()) if m]
    return done.returncode, ran, done.stdout + done.stderr


@pytest.fixture
def run_here(site, monkeypatch, capsys):
    """Return what does as `run` in this process, which has loaded everything already."""
    for name in ("JUPYTER_RUNTIME_DIR", WAREHOUSE):
        monkeypatch.setenv(name, site.env[name])

    def run_in_it(*more):
        monkeypatch.chdir(site.folder)
        capsys.readouterr()
        try:
            code = ploomber("build", "--env--quarter", QUARTER, *more)
        finally:
            locks.release()
        out, err = capsys.readouterr()
        return code, [(m[2], m[3]) for m in map(LINE.fullmatch, out.splitlines()) if m], out + err

    return run_in_it


def small_files():
    """Let this process write files of 24 kB at most, as a quota or a full disk would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (24_000, resource.RLIM_INFINITY))


def test_a_full_disk_is_named_and_once_there_is_room_the_build_goes_on(site, run_here):
    site.reset()
    code, ran, said = run(site, preexec_fn=small_files)
    assert (code, ran[-1][1]) == (1, "failed")
    assert "E411 The disk is full" in said
    assert "Traceback" not in said
    assert not {"pending", "running", "done"} & set(states(site)[len(ran) - 1 :])
    assert run_here()[0] == 0
    assert is_equal(site)


@contextmanager
def read_only(folder):
    """Close `folder` for writing: for root, by mounting it read-only."""
    if os.geteuid():
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    bind = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,bind,ro", folder]]
    if any(subprocess.run(c, check=False, capture_output=True).returncode for c in bind):
        pytest.skip("root may write everywhere here, and may not mount")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("name", ["data", "reports"])
def test_a_folder_that_is_read_only_is_named_and_once_it_is_open_the_build_goes_on(
    site, run_here, name
):
    site.reset()
    folder = site.folder / name
    folder.mkdir(exist_ok=True)
    with read_only(folder):
        code, _, said = run(site)
    assert code == 1
    assert "E412 A folder or file cannot be written." in said
    assert "Traceback" not in said
    if name == "data":
        assert run_here()[0] == 0
        assert is_equal(site)


@contextmanager
def locked(path, kind="EXCLUSIVE"):
    with closing(connect(path, isolation_level=None)) as other:
        other.execute(f"BEGIN {kind}")
        yield


@contextmanager
def written(warehouse):
    """Write a warehouse as another program does."""
    if not isinstance(warehouse, Server):
        with locked(warehouse, "IMMEDIATE"):
            yield
        return
    with psycopg.connect(warehouse.address) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [opening.TURN])
        yield


def test_a_status_locked_by_another_program_stops_no_build_and_is_right_after_the_next(
    site, run_here
):
    site.reset(built=True)
    (site.places.reports / QUARTER / "publish.html").write_text("edited")
    with locked(site.places.status):
        code, ran, said = run(site)
    assert (code, ran) == (0, [(stage, "done") for stage in STAGES[4:]])
    assert said.count("cannot be written now (another program is writing it)") == 1
    assert run_here()[1] == []
    assert states(site) == ["done"] * len(STAGES)
    assert is_equal(site)


@BOTH
def test_a_warehouse_that_another_program_writes_for_long_is_named_and_the_former_state_stays(
    site, run_here
):
    site.reset(built=True)
    deliver(site.places, QUARTER, "impatient")
    with written(site.places.warehouse):
        code, ran, said = run(site)
    assert (code, ran[-1]) == (1, ("load", "failed"))
    assert f"E210 {site.places.warehouse.name} is being written by another build." in said
    assert states(site) == ["done", "done", "failed", *["skipped"] * 3]
    assert loaded(site.places.warehouse) == {QUARTER: "first"}
    assert published_quarters(site.places.published) == [QUARTER]
    assert run_here()[:2] == (0, [(stage, "done") for stage in STAGES[2:]])
    assert loaded(site.places.warehouse) == {QUARTER: "impatient"}


@BOTH
def test_a_warehouse_that_another_program_writes_for_a_moment_is_waited_for(site):
    site.reset(built=True)
    deliver(site.places, QUARTER, "second")
    with written(site.places.warehouse):
        build = site.start()
        wait_for(lambda: states(site)[2] == "running")
        time.sleep(1)
        assert loaded(site.places.warehouse) == {QUARTER: "first"}
    assert build.wait(120) == 0
    assert loaded(site.places.warehouse) == {QUARTER: "second"}
    assert states(site) == ["done"] * len(STAGES)


@contextmanager
def disk_of_its_own(site):
    """Let the built project lie on a small disk of its own."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", site.folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small disk: a full one cannot be tried")
    try:
        shutil.copytree(site.built, site.folder, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", site.folder], check=True)


@pytest.mark.parametrize(
    ("when", "stage"),
    [("before", "load"), ("before", "publish"), ("after", "visualize")],
    ids=["during load", "during publish", "during the export of a report"],
)
def test_a_disk_that_is_full_is_named_and_once_there_is_room_the_build_goes_on(site, when, stage):
    flag = site.places.data / f"full-{when}-{stage}"
    with disk_of_its_own(site):
        (site.places.reports / QUARTER / f"{stage}.html").write_text("edited")
        flag.touch()
        code, ran, said = run(site)
        assert (code, ran) == (1, [(stage, "failed")])
        assert "E411 The disk is full" in said
        assert "Traceback" not in said
        assert loaded(site.places.warehouse) == {QUARTER: "first"}
        assert published_quarters(site.places.published) == [QUARTER]
        flag.unlink()
        (site.places.data / "ballast").unlink()
        later = STAGES[STAGES.index(stage) :]
        assert run(site)[:2] == (0, [(stage, "done") for stage in later])
        assert states(site) == ["done"] * len(STAGES)
        assert is_equal(site)
        assert [*left_over(site)] == []


def test_a_backup_taken_while_a_build_runs_is_made_good_by_one_more_build(site, run_here, tmp_path):
    site.reset()
    build, taken = site.start(), []
    while build.poll() is None:
        taken.append(tmp_path / f"backup-{len(taken)}")
        backup(site.places, taken[-1])
        time.sleep(0.2)
    held = [loaded(folder / "private/warehouse.db") for folder in taken]
    assert all(now in ({}, {QUARTER: "first"}) for now in held)
    chosen = taken[len(taken) // 2]
    site.reset()
    restore(site.places, chosen)
    assert loaded(site.places.warehouse) == held[len(taken) // 2]
    assert run_here()[:2] == (0, [(stage, "done") for stage in STAGES])
    assert is_equal(site)


@BOTH
def test_of_two_builds_of_a_quarter_the_second_waits_and_then_has_nothing_to_do(site):
    site.reset()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: run(site), range(2)))
    assert [code for code, *_ in found] == [0, 0]
    assert sorted(len(ran) for _, ran, _ in found) == [0, len(STAGES)]
    waited = next(said for _, ran, said in found if not ran)
    assert f"{QUARTER} is being built by process " in waited
    assert is_equal(site)


@BOTH
def test_two_quarters_may_be_built_at_once(site, run_here):
    site.reset()
    deliver(site.places, "2026Q4", "another")
    with ThreadPoolExecutor(2) as pool:
        quarters = [(), ("--env--quarter", "2026Q4")]
        found = list(pool.map(lambda more: run(site, *more), quarters))
    assert [(code, len(ran)) for code, ran, _ in found] == [(0, len(STAGES))] * 2
    assert loaded(site.places.warehouse) == {QUARTER: "first", "2026Q4": "another"}
    assert published_quarters(site.places.published) == [QUARTER, "2026Q4"]
    assert run_here()[1] == []
    compare = {stage for stage, _ in run_here("--env--quarter", "2026Q4")[1]}
    assert compare <= {"model", "publish", "visualize"}  # if the earlier one was loaded later
    assert run_here("--env--quarter", "2026Q4")[1] == []
