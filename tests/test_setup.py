"""The newcomer's commands: make, .venv, environment.yml."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TARGETS = {
    "bench",
    "dashboard",
    "fuzz",
    "help",
    "lab",
    "lint",
    "run",
    "screenshots",
    "setup",
    "soak",
    "test",
}


def make(folder, *arguments, **env):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**inherited, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def clone(tmp_path):
    """Return a folder with the Makefile and what it depends on, but no .venv."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "share").mkdir()
    return tmp_path


def python(folder, *, new=True, with_sqlite=True, with_venv=True):
    """Write an executable that answers, as an interpreter would, what the Makefile asks."""
    path = folder / "python"
    path.write_text(
        "#!/bin/sh\n"
        f'case "$2" in *sqlite_version_info*) exit {0 if with_sqlite else 1};; '
        f"*version_info*) exit {0 if new else 1};; "
        f"*ensurepip*) exit {0 if with_venv else 1};; esac\n"
        "echo 'a line nobody should see'; exit 9\n"
    )
    path.chmod(0o755)
    return path


def complaint(result):
    """Return the lines that a user sees, apart from make's own last one."""
    lines = (result.stdout + result.stderr).splitlines()
    return [line for line in lines if not line.startswith("make: ***")]


def test_help_is_the_default_and_lists_every_target(clone):
    listed = {line.split()[1]: line for line in make(clone).stdout.splitlines()}
    declared = re.findall(r"^\.PHONY: (\w+)$", (ROOT / "Makefile").read_text(), re.M)
    assert set(listed) == set(declared) == TARGETS
    assert all(len(line.split(maxsplit=2)) == 3 for line in listed.values())
    assert make(clone).stdout == make(clone, "help").stdout


def test_a_missing_python_is_one_line(clone):
    result = make(clone, "setup", "PYTHON=/no/such/python3")
    assert result.returncode != 0
    (line,) = complaint(result)
    assert line.startswith("/no/such/python3 was not found: install Python 3.11")


def test_a_python_that_is_too_old_is_one_line(clone):
    path = python(clone, new=False)
    result = make(clone, "setup", f"PYTHON={path}")
    assert result.returncode != 0
    assert complaint(result) == [
        f"{path} is older than Python 3.11: say make PYTHON=/path/to/python3.11."
    ]


def test_an_sqlite_that_is_too_old_is_one_line(clone):
    path = python(clone, with_sqlite=False)
    result = make(clone, "setup", PYTHON=str(path))
    assert result.returncode == 2
    assert complaint(result) == [
        f"{path} has an SQLite older than 3.36 (which the loader needs):"
        " say make PYTHON=... for another one."
    ]


def test_a_missing_python3_venv_is_one_line(clone):
    path = python(clone, with_venv=False)
    result = make(clone, "setup", f"PYTHON={path}")
    assert result.returncode != 0
    assert complaint(result) == [f"{path} cannot make environments: apt-get install python3-venv."]
    assert not (clone / ".venv").exists()


def ready(clone, script):
    """Make a .venv that counts as ready, where `exams` is a shell script."""
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/exams").write_text("#!/bin/sh\n" + script)
    (clone / ".venv/bin/exams").chmod(0o755)
    (clone / ".venv/ready").touch()


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        ([], ["sample", "build --due", "where"]),
        (["QUARTER=2019Q1"], ["build --quarter 2019Q1", "where --quarter 2019Q1"]),
        (
            ["QUARTER=2019Q1", "FILES=a.csv b.csv"],
            [
                "deliver --quarter 2019Q1 -- a.csv b.csv",
                "build --quarter 2019Q1",
                "where --quarter 2019Q1",
            ],
        ),
    ],
)
def test_run_builds_what_is_asked_for(clone, arguments, commands):
    ready(clone, 'echo "$@"\n')
    result = make(clone, "run", *arguments)
    assert (result.returncode, result.stdout.splitlines()) == (0, commands)


def test_files_without_a_quarter_are_one_line_and_nothing_runs(clone):
    ready(clone, 'echo "$@"\n')
    result = make(clone, "run", "FILES=a.csv")
    assert result.returncode == 2
    assert complaint(result) == ["QUARTER is missing: make run QUARTER=2019Q1 FILES=..."]


def test_a_failed_build_fails_run_and_names_no_report(clone):
    ready(clone, '[ "$1" != build ] || exit 1; echo "$@"\n')
    result = make(clone, "run")
    assert (result.returncode, result.stdout.splitlines()) == (2, ["sample"])


def test_nothing_is_installed_again_until_the_lock_changes(clone):
    ready(clone, "")
    assert make(clone, "-q", ".venv/ready").returncode == 0
    later = (clone / ".venv/ready").stat().st_mtime + 60
    os.utime(clone / "requirements.lock", (later, later))
    assert make(clone, "-q", ".venv/ready").returncode == 1


def test_the_lock_pins_uv_with_hashes_that_make_can_cut_out():
    script = re.search(r"awk '(/\^uv==.*)' requirements\.lock", (ROOT / "Makefile").read_text())
    program = script[1].replace("$$", "$")
    cut = subprocess.run(
        ["awk", program, ROOT / "requirements.lock"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert re.fullmatch(r"uv==[\d.]+ \\", cut[0])
    assert len(cut) > 1
    assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in cut[1:])


def test_conda_installs_the_same_lock():
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    python_, pip, files = content["dependencies"]
    assert re.fullmatch(r"python=3\.\d+", python_)
    assert pip == "pip"
    assert files == {"pip": ["-r requirements.lock"]}


def test_ci_runs_the_tests_and_may_not_skip_the_browser():
    script = (ROOT / ".ci/run").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert script.splitlines()[-1] == "make test"
    assert "set -euo pipefail" in script
    assert "export CI=true" in script
