"""The command `exams`: what it says, and its exit codes."""

import sqlite3
import subprocess
import sys
from types import ModuleType

import pytest
from click.testing import CliRunner
from given import SMALL, write_contract

from exams import cli, project
from exams.cli import main
from exams.commands import where_lines
from exams.errors import ExamsError


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "inner").mkdir()
    write_contract(project.places(tmp_path))
    monkeypatch.chdir(tmp_path / "inner")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def test_a_refused_file_ends_in_two_lines_and_exit_code_2(root):
    result = run("deliver", "none.csv", "--quarter", "2019Q1")
    assert result.exit_code == 2
    assert result.stderr == (
        "E021 There is no file none.csv.\n"
        "Nothing was delivered. Check the path. "
        "A name with spaces needs quotes of its own: FILES=\"'a b.csv'\".\n"
    )
    assert result.stdout == ""


def test_other_errors_of_a_user_end_in_exit_code_1(monkeypatch, root):
    def refuse(*_):
        raise ExamsError("E301", "Nothing is published yet.", "Run `make run`.")

    monkeypatch.setattr("exams.project.places", refuse)
    assert run("where").exit_code == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(30, "Read-only file system", "4711"), "E412 A folder or file cannot be written."),
        (sqlite3.OperationalError("database or disk is full"), "E411 The disk is full"),
    ],
)
def test_what_the_system_refuses_a_command_is_said_in_words(monkeypatch, root, error, words):
    def refuse(*_):
        raise error

    monkeypatch.setattr("exams.project.places", refuse)
    result = run("where")
    assert result.exit_code == 1
    assert result.stderr.startswith(words)
    assert "4711" not in result.stderr


def test_a_look_that_fails_ends_no_watch(monkeypatch, capsys):
    def look():
        raise ExamsError("E407", "status.db cannot be read now.", "Try again.")

    def leave(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("exams.cli.time.sleep", leave)
    cli._watch(look)
    assert "E407 status.db cannot be read now. Try again." in capsys.readouterr().out


def test_outside_a_project_every_command_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["build", "--due"], ["sample"], ["lab"], ["where"], ["status"], ["dashboard"]):
        result = run(*command)
        assert result.exit_code == 2, command
        assert result.stderr.startswith("E003 There is no pipeline.yaml here")


def test_build_without_a_choice_is_wrong_usage(root):
    result = run("build")
    assert result.exit_code == 2
    assert "Say --due, or --quarter 2019Q1." in result.stderr


def test_build_is_told_the_root_and_the_quarters_and_its_end_is_the_exit_code(root, monkeypatch):
    calls = []
    told = ModuleType("exams.orchestrate.build")
    told.build_due = lambda *given: calls.append(given) or 1
    told.build_quarter = lambda *given: calls.append(given) or given[0] > "2019Q1"
    monkeypatch.setitem(sys.modules, "exams.orchestrate", ModuleType("exams.orchestrate"))
    monkeypatch.setitem(sys.modules, "exams.orchestrate.build", told)
    assert run("build", "--due").exit_code == 1
    assert run("build", "--quarter", "2019Q1", "--quarter", "2019Q2").exit_code == 1
    assert run("build", "--quarter", "2019Q2").exit_code == 0
    assert run("build", "--quarter", "2019").exit_code == 2
    assert run("build", "--due", "--until", "load").exit_code == 1
    assert run("build", "--due", "--until", "the end").exit_code == 2
    once = ("2019Q2", root, "visualize")
    first, due = ("2019Q1", root, "visualize"), (root, [], "visualize")
    assert calls == [due, first, once, once, (root, [], "load")]


def test_quarters_are_built_in_order_and_once_however_they_are_given(root, monkeypatch):
    calls = []
    told = ModuleType("exams.orchestrate.build")
    told.build_due = lambda root, quarters, until: calls.append(quarters) or 0
    told.build_quarter = lambda quarter, root, until: calls.append(quarter) or True
    monkeypatch.setitem(sys.modules, "exams.orchestrate", ModuleType("exams.orchestrate"))
    monkeypatch.setitem(sys.modules, "exams.orchestrate.build", told)
    given = [f"--quarter={quarter}" for quarter in ("2019Q2", "2019Q1", "2019Q2")]
    assert run("build", *given).exit_code == 0
    assert run("build", "--due", *given).exit_code == 0
    assert calls == ["2019Q1", "2019Q2", ["2019Q1", "2019Q2"]]


def test_a_file_is_delivered_from_a_folder_inside_the_project(root):
    (root / "inner/a.csv").write_text("track,points\nnorth,1\n")
    result = run("deliver", "a.csv", "--quarter", "2019Q1")
    assert (result.exit_code, result.stdout) == (0, "2019Q1: a.csv is delivered.\n")
    assert (root / "data/deliveries/2019Q1/a.csv").read_text() == "track,points\nnorth,1\n"


def test_a_file_with_too_much_for_the_quarantine_ends_in_exit_code_2(root):
    write_contract(project.places(root), {**SMALL, "max_quarantined": 0})
    (root / "inner/a.csv").write_text("track,points\nnorth,11\n")
    result = run("deliver", "a.csv", "--quarter", "2019Q1")
    assert (result.exit_code, result.stderr[:4]) == (2, "E208")
    assert not (root / "data/deliveries").exists()


def test_the_folders_are_those_of_env_yaml(root):
    (root / "env.yaml").write_text("quarter: 2019Q1\ndata: elsewhere/data\nreports: out\n")
    places = project.places(root)
    assert (places.data, places.reports) == (root / "elsewhere/data", root / "out")


def test_folders_that_env_yaml_does_not_name_are_the_usual_ones(root):
    (root / "env.yaml").write_text("quarter: 2019Q1\n")
    assert project.places(root).data == root / "data"


@pytest.mark.parametrize("value", ["5", "", "[a]", "''"])
def test_a_folder_in_env_yaml_that_is_none_is_named(root, value):
    (root / "env.yaml").write_text(f"data: {value}\n")
    with pytest.raises(ExamsError, match=r"E004 env\.yaml: data is no folder\."):
        project.places(root)


def test_an_env_yaml_that_is_not_utf_8_is_refused(root):
    (root / "env.yaml").write_bytes(b"data: gr\xf6\xdfe\n")
    with pytest.raises(ExamsError, match=r"E004 env\.yaml is not YAML"):
        project.places(root)


def test_a_mistake_in_env_yaml_names_its_line(root):
    (root / "env.yaml").write_text("quarter: 2019Q1\ndata: [\n")
    with pytest.raises(ExamsError, match=r"E004 env\.yaml line 3 is not YAML"):
        project.places(root)


def test_help_loads_no_module_of_weight():
    code = "import sys, exams.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"pandas", "numpy", "ploomber", "papermill", "nbformat", "jupyter_server", "altair"}
    assert heavy & set(loaded.stdout.split()) == set()


def test_the_report_is_that_of_the_newest_quarter_or_of_the_one_asked_for(root):
    assert where_lines(root)[:2] == ["Report:     none yet", "Site:       none yet"]
    for quarter in ("2026Q3", "2019Q1"):
        (root / "reports" / quarter).mkdir(parents=True)
        (root / "reports" / quarter / "visualize.html").touch()
    assert where_lines(root)[0] == "Report:     reports/2026Q3/visualize.html"
    lines = where_lines(root, "2019Q1")
    assert lines[0] == "Report:     reports/2019Q1/visualize.html"
    assert len(lines) == 4


def test_the_static_site_is_named_once_there_is_one(root):
    site = root / "reports" / "site" / "index.html"
    site.parent.mkdir(parents=True)
    site.touch()
    assert where_lines(root)[1] == "Site:       reports/site/index.html"
    (root / "env.yaml").write_text(f"reports: {root.parent / 'elsewhere'}\n")
    assert where_lines(root)[1] == "Site:       none yet"


def test_how_files_are_taken_in_stands_in_env_yaml_or_is_the_usual(root):
    assert project.intake({}) == (4_000_000_000, "fail")
    (root / "env.yaml").write_text("largest_file: 1_000\nrefused_files: skip\n")
    assert project.intake(project.settings(root)) == (1000, "skip")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"largest_file": "4 GB"}, "largest_file is no number of bytes"),
        ({"largest_file": 0}, "largest_file is no number of bytes"),
        ({"largest_file": True}, "largest_file is no number of bytes"),
        ({"refused_files": "ignore"}, "refused_files is neither fail nor skip"),
        ({"refused_files": None}, "refused_files is neither fail nor skip"),
    ],
)
def test_a_setting_of_the_intake_that_means_nothing_is_named(setting, words):
    with pytest.raises(ExamsError, match=rf"E004 env\.yaml: {words}\."):
        project.intake(setting)


def test_where_work_is_done_stands_in_env_yaml_or_is_this_process(root):
    assert project.workers({}) == ("process", "", "")
    text = 'executor: dask\nscheduler: "tls://host:8786"\nstorage: s3://bucket/exams/\n'
    (root / "env.yaml").write_text(text)
    found = ("dask", "tls://host:8786", "s3://bucket/exams")
    assert project.workers(project.settings(root)) == found


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"executor": "spark"}, "executor is neither process nor dask"),
        ({"scheduler": "host"}, "scheduler is no address"),
        ({"scheduler": None}, "scheduler is no address"),
        ({"storage": "/srv/exams"}, "storage is no address"),
    ],
)
def test_a_setting_of_the_workers_that_means_nothing_is_named(setting, words):
    with pytest.raises(ExamsError, match=rf"E004 env\.yaml: {words}\."):
        project.workers(setting)
