"""docs/schedulers.md and deploy/systemd/: every command is run, as they say, without systemd."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml

import example
from exams.cli import main
from exams.places import STAGES, Places
from exams.status import stage_status
from orchestrate_project import deliver, make_project
from serving import ROOT, free_port

UNITS = sorted((ROOT / "deploy/systemd").glob("exams-*"))
SERVICES = [unit.name for unit in UNITS if unit.suffix == ".service"]
PUBLIC = ["exams-api.service", "exams-dashboard.service"]
PAGE = (ROOT / "docs/schedulers.md").read_text()
BIN = Path(sys.executable).parent
QUARTER = "2026Q3"
PATIENCE = 120  # seconds, on a machine that has much else to do


def lines(name, key):
    """Return the values of `key` in a unit, in order."""
    text = (ROOT / "deploy/systemd" / name).read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.M)


def paths(name, key):
    """Return the folders that a unit names, as they lie below the project's."""
    named = [path.lstrip("-") for line in lines(name, key) for path in line.split()]
    return [path.removeprefix("/srv/exams/") for path in named]


# The units themselves


def test_there_are_a_timer_and_the_services():
    services = ["api", "build", "dashboard", "schedule"]
    assert [f"exams-{name}.service" for name in services] == SERVICES
    assert [unit.name for unit in UNITS if unit.suffix != ".service"] == ["exams-build.timer"]


def verified(folder, unit):
    there = folder / unit.name
    text = unit.read_text().replace("/srv/exams/.venv/bin", str(BIN))
    there.write_text(text.replace("/srv/exams", str(ROOT)))
    command = ["systemd-analyze", "verify", there]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path):
    for unit in UNITS:  # the service first: the timer needs it
        assert verified(tmp_path, unit) == ""
    wrong = tmp_path / "exams-wrong.service"
    wrong.write_text(UNITS[0].read_text().replace("ProtectSystem", "ProtectSytem"))
    (tmp_path / "wrong").mkdir()
    assert "ProtectSytem" in verified(tmp_path / "wrong", wrong)


EDITED = re.compile(r"`systemctl edit (exams-\w+\.service)`(?:(?!```).)+```ini\n(.+?)```", re.S)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_what_the_page_changes_of_a_unit(tmp_path):
    edits = EDITED.findall(PAGE)
    assert [name for name, _ in edits] == ["exams-dashboard.service", "exams-build.service"]
    for name, change in edits:
        beside = tmp_path / f"{name}.d"
        beside.mkdir()
        for text, wrong in ((change, False), (change.replace("=", "x=", 1), True)):
            (beside / "override.conf").write_text(text.replace("/srv/exams/.venv/bin", str(BIN)))
            said = verified(tmp_path, ROOT / "deploy/systemd" / name)
            assert bool(said) is wrong, said


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_gain_nothing_and_write_only_what_it_makes(name):
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert lines(name, key) == ["yes"], key
    assert lines(name, "ProtectSystem") == ["strict"]
    assert lines(name, "CapabilityBoundingSet") == [""]
    assert (lines(name, "IPAddressDeny"), lines(name, "IPAddressAllow")) == (["any"], ["localhost"])
    assert paths(name, "ReadWritePaths") == ([] if name in PUBLIC else ["data", "reports"])
    assert lines(name, "DynamicUser" if name in PUBLIC else "User")


@pytest.mark.parametrize("name", PUBLIC)
def test_nothing_private_exists_for_a_service_that_others_reach(name, tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    private = [places.warehouse.parent, places.ledger.parent, places.deliveries]
    private += [places.interim(QUARTER, "extract").parents[1], places.models(QUARTER).parent]
    hidden = [tmp_path / path for path in paths(name, "InaccessiblePaths")]
    assert all(any(p.is_relative_to(h) for h in hidden) for p in private)


def test_the_timer_ticks_when_env_yaml_says():
    settings = yaml.safe_load((ROOT / "env.yaml").read_text())
    minute, hour, day, months, _ = settings["schedule"].split()
    months = ",".join(f"{int(month):02}" for month in months.split(","))
    when = f"*-{months}-{int(day):02} {int(hour):02}:{int(minute):02}:00"
    assert lines("exams-build.timer", "OnCalendar") == [f"{when} {settings['time_zone']}"]


def parsed(command):
    """Let click read a command; it ends in UsageError if there is none like it."""
    _, name, *arguments = shlex.split(command)
    main.commands[name].make_context(name, arguments)


def test_every_command_of_page_and_units_exists():
    told = re.findall(r"(?:^|`|/bin/|&& )(exams (?:[a-z]+)(?: [^`|&>\n]+)?)", PAGE, re.M)
    told += [line.rpartition("/bin/")[2] for name in SERVICES for line in lines(name, "ExecStart")]
    assert len(told) > 15
    for command in told:
        parsed(command)
    with pytest.raises(KeyError):
        parsed("exams bild --due")


# What they run


CLOSED = """
mount --bind /tmp /tmp; mount --bind {project} {project}
for path in {written}; do mount --bind $path $path; done
for path in {hidden}; do mount -t tmpfs -o mode=000 none $path; done
mount -o remount,ro,bind /; mount -o remount,ro,bind {project}
exec "$@"
"""


# Some systems let us have the namespace and mount nothing in it.
PROBE = ["unshare", "-rm", "sh", "-ec", "mount --bind /tmp /tmp; mount -o remount,ro,bind /"]


def called(name, project, home, command=()):
    """Return what runs the command of a unit, or another one, and the unit's environment.

    Its project and its home lie elsewhere here. Where the system lets us, only those folders can
    be written that the unit names, and what is to be inaccessible is empty.
    """
    (line,) = lines(name, "ExecStart")
    command = command or line.replace("/srv/exams/.venv/bin", str(BIN)).split()
    given = dict(value.split("=", 1) for value in lines(name, "Environment"))
    state = home / given["HOME"].removeprefix("%S/") if "HOME" in given else home
    state.mkdir(parents=True, exist_ok=True)
    environment = given | ({"HOME": str(state)} if "HOME" in given else {})
    environment["PATH"] = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
    if subprocess.run(PROBE, check=False, capture_output=True).returncode:
        return command, environment
    written = [project / path for path in paths(name, "ReadWritePaths")]
    hidden = [project / path for path in paths(name, "InaccessiblePaths")]
    script = CLOSED.format(
        project=project,
        written=" ".join(str(path) for path in written),
        hidden=" ".join(str(path) for path in hidden if path.exists()),
    )
    return ["unshare", "-rm", "sh", "-ec", script, "sh", *command], environment


def run(places, home, command=()):
    """Run a command as exams-build.service would; return what it ends with and prints."""
    project = places.data.parent
    command, environment = called("exams-build.service", project, home, command)
    here = {"cwd": project, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(command, check=False, **here)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def beside(places):
    """Return what lies in a project beside data and reports, with the time of its last change."""
    folder = places.data.parent
    out = (places.data, places.reports)
    found = [p for p in folder.rglob("*") if not any(p.is_relative_to(o) for o in out)]
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Run the page's commands in a new project; return its places and what each printed."""
    places = make_project(tmp_path_factory.mktemp("srv") / "exams")
    places.reports.mkdir()
    deliver(places, QUARTER, "first")
    former, home = beside(places), tmp_path_factory.mktemp("home")
    blocks = re.findall(r"```sh\n(.+?)```", PAGE, re.S)
    said = [run(places, home, ["sh", "-ec", block]) for block in blocks]
    assert beside(places) == former
    return places, said


@pytest.mark.slow
def test_the_commands_of_the_page_do_what_it_says(built):
    _, ((intake, first), (figures, second), (watching, third)) = built
    assert (intake, figures, watching) == (0, 0, 0)
    assert re.findall(rf"{QUARTER}  (\w+) +done", first) == list(STAGES[:3])
    assert f"load of {QUARTER} is done." in second
    assert re.findall(rf"{QUARTER}  (\w+) +done", second) == list(STAGES[3:])
    plan, _, status = third.partition("\n")
    assert (plan, json.loads(status)["ok"]) == ("1 quarter is up to date.", True)


@pytest.mark.slow
def test_the_service_that_builds_builds_what_is_due(built, tmp_path):
    places, _ = built
    (places.reports / QUARTER / "visualize.html").write_text("edited")
    code, said = run(places, tmp_path)
    assert (code, re.findall(rf"{QUARTER}  (\w+) +done", said)) == (0, ["visualize"])
    assert {run["state"] for run in stage_status(places.status)} == {"done"}


@contextmanager
def service(name, project, home, *more):
    """Run the command of a unit as it says; give the first line that it prints."""
    command, environment = called(name, project, home)
    process = subprocess.Popen(
        [*command, *more], cwd=project, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process, process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@pytest.mark.slow
def test_the_service_of_the_schedule_ticks_and_ends_at_sigterm(built, tmp_path):
    places, _ = built
    with service("exams-schedule.service", places.data.parent, tmp_path) as (process, line):
        assert line.startswith("Next tick: ")
    assert process.returncode == 0


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Return the folder of a project with published figures, and private files."""
    folder = tmp_path_factory.mktemp("srv") / "shown"
    places = example.make(folder)
    for name in ("pipeline.yaml", "env.yaml"):
        shutil.copy(ROOT / name, folder)
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks/dashboard.ipynb", folder / "notebooks")
    places.deliveries.mkdir()
    places.warehouse.write_text("private")
    return folder


def answer(address):
    """Ask until the service answers; return status and text."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with closing(urlopen(address, timeout=PATIENCE)) as found:
                return found.status, found.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            assert time.monotonic() < end, "it does not answer"
            time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        (
            "exams-api.service",
            "published/mean_by_group.csv?quarter=2026Q1",
            ",algebra,1000",
        ),
        ("exams-dashboard.service", "?page=home&quarter=2026Q1", "2026Q1"),
    ],
)
def test_a_service_that_others_reach_needs_nothing_private(shown, tmp_path, name, path, content):
    port = free_port()
    with service(name, shown, tmp_path, "--port", str(port)) as (_, line):
        assert f"http://127.0.0.1:{port}/" in line
        status, text = answer(f"http://127.0.0.1:{port}/{path}")
        assert status == 200
        assert content in text
        with socket.socket() as probe:  # of this machine alone
            probe.bind(("127.0.0.2", port))
