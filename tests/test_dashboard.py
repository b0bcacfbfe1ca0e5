"""The dashboard: what it says of each quarter, and how it starts."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

import example
from exams import status, web
from exams.dashboard.kernel import answer, find_places
from exams.dashboard.now import now
from exams.dashboard.payload import payload
from exams.dashboard.serve import serve
from exams.errors import ExamsError
from exams.moments import moment
from exams.places import Places
from exams.quarters import Timing
from exams.ticks import Ticks, write_ticks
from serving import ROOT


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    return example.make(tmp_path_factory.mktemp("office"))


# What is shown


def test_newest_quarter_is_shown_until_another_is_asked_for(places):
    assert payload(places)["quarter"] == "2026Q3"
    assert payload(places, "2026Q1")["quarter"] == "2026Q1"
    assert payload(places)["quarters"] == ["2026Q3", "2026Q2", "2026Q1", "2025Q4"]


def test_quarters_with_a_refused_file_are_named(places):
    found = payload(places)
    assert found["incomplete"] == [example.INCOMPLETE]
    assert found["publication"]["refused"] == 0
    assert payload(places, example.INCOMPLETE)["publication"]["refused"] == 1


def test_no_viewer_learns_which_machine_ran_a_stage(places):
    runs = now(places, Timing())["runs"]
    assert runs and all(not {"host", "pid"} & set(run) for run in runs)


def test_unknown_quarter_or_path_gives_the_newest(places):
    assert payload(places, "../2026Q1")["quarter"] == "2026Q3"


def test_nothing_published_is_no_error(tmp_path):
    empty = payload(Places.of(tmp_path / "data", tmp_path / "reports"))
    assert (empty["quarter"], empty["quarters"], empty["charts"]) == (None, [], [])


def test_charts_come_with_page_in_order_and_without_nan(places):
    charts = payload(places, "2026Q3")["charts"]
    assert [(*c["page"], c["name"]) for c in charts[:3]] == [
        ("home", "groups"),
        ("home", "risk"),
        ("etl", "quarantine"),
    ]
    assert charts[0]["spec"]["data"]["values"][2]["share"] is None
    assert "NaN" not in json.dumps(charts)


def test_page_that_has_everything_gets_nothing_new(places):
    stamp, seen = payload(places)["stamp"], now(places, Timing())["stamp"]
    known = {"quarter": None, "have": stamp, "seen": seen}
    assert answer(places, known) == {"payload": None, "now": None}
    assert answer(places, known | {"have": "older"})["payload"]["stamp"] == stamp
    assert answer(places, known | {"seen": None})["now"]["stamp"] == seen


def test_charts_that_a_build_takes_away_while_they_are_read_are_no_error(tmp_path, monkeypatch):
    places = example.make(tmp_path)
    read = web.finite_json

    def taken_away(text):
        for chart in places.charts(example.NEWEST).iterdir():
            chart.unlink()
        return read(text)

    monkeypatch.setattr(web, "finite_json", taken_away)
    found = payload(places)
    assert (found["quarter"], found["charts"]) == (example.NEWEST, [])


def test_status_change_is_something_new_and_brings_no_figures_again(tmp_path):
    places = example.make(tmp_path)
    stamp, seen = payload(places)["stamp"], now(places, Timing())["stamp"]
    status.start(places.status, "2026Q4", "transform")
    found = answer(places, {"quarter": None, "have": stamp, "seen": seen})
    assert found["payload"] is None
    assert ("2026Q4", "transform", "running") in [
        (run["quarter"], run["stage"], run["state"]) for run in found["now"]["runs"]
    ]


def test_what_is_wrong_comes_in_words_with_what_its_code_means(places):
    found = now(places, Timing(grace_days=10_000))
    [wrong] = found["trouble"]
    assert (wrong["quarter"], wrong["stage"], wrong["code"]) == ("2026Q4", "transform", "E104")
    assert [said["remedy"] for said in found["codes"]["E104"]] == [
        "Put it into data/deliveries/…/."
    ]


def test_next_tick_and_quarters_with_files_are_told_by_the_schedule(tmp_path):
    places = example.make(tmp_path)
    assert now(places, Timing())["schedule"] is None
    ticks = Ticks("production", "0 2 1 1,4,7,10 *", "UTC", "host", 1, moment())
    ticks = replace(ticks, next_tick="2999-01-01T02:00:00+00:00", delivered=["2027Q1"])
    write_ticks(places, ticks)
    found = now(places, Timing())
    assert set(found["schedule"]) & {"host", "pid", "heartbeat"} == set()
    assert found["schedule"]["next_tick"] == "2999-01-01T02:00:00+00:00"
    assert {q["quarter"]: (q["state"], q["files"]) for q in found["quarters"]} == {
        **dict.fromkeys(example.QUARTERS, ("done", False)),
        "2026Q4": ("failed", False),
        "2027Q1": ("pending", True),
    }


def test_quarter_is_late_once_its_days_of_grace_are_over(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    status.start(places.status, "2019Q1", "extract")
    for days, late in ((10, True), (100_000, False)):
        [quarter] = now(places, Timing(grace_days=days))["quarters"]
        assert (quarter["quarter"], quarter["late"]) == ("2019Q1", late)
    [wrong] = now(places, Timing(grace_days=10))["trouble"]
    assert wrong["what"] == "It is not published. It was due by 2019-04-10."


@pytest.mark.parametrize(
    "question",
    [
        None,
        [],
        "2026Q3",
        {"report": None},
        {"report": ["2026Q3"]},
        {"report": "../2026Q3"},
        {"report": "2026Q3", "quarter": "2026Q3"},
        {"quarter": {"a": 1}},
        {"quarter": "2026Q3/.."},
        {"quarter": None, "have": 3},
        {"have": "x" * 65},
        {"code": "1 + 1"},
        {"__class__": "x"},
    ],
)
def test_what_is_no_question_is_refused(places, question):
    assert answer(places, question) == {"error": "This was no question."}


def test_report_is_handed_out_for_published_quarters_only(places):
    (places.report("2026Q3") / "visualize.html").write_text("<h1>Report</h1>")
    outside = places.reports.parent / "visualize.html"
    outside.write_text("outside")
    assert answer(places, {"report": "2026Q3"}) == {"report": "<h1>Report</h1>"}
    (places.report("2019Q1") / "visualize.html").write_text("not published")
    assert answer(places, {"report": "2019Q1"}) == {
        "error": "E305 This quarter has no report. Build it again."
    }


def test_model_card_is_handed_out_for_published_quarters_only(places):
    for quarter in ("2026Q3", "2019Q1"):
        (places.report(quarter) / "model_card.html").write_text("<h1>Card</h1>")
    assert payload(places)["has_card"]
    assert answer(places, {"card": "2026Q3"}) == {"card": "<h1>Card</h1>"}
    assert answer(places, {"card": "2019Q1"}) == {
        "error": "E305 This quarter has no model card. Build it again."
    }
    assert answer(places, {"card": "../2026Q3"}) == {"error": "This was no question."}


def test_unreadable_database_gives_words_not_a_traceback(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    places.published.write_bytes(b"not a database, nor anything like one")
    found = answer(places, {"quarter": None, "have": None})
    assert found["error"].startswith("E303 published.db cannot be read. Move it away and run")


def test_unforeseen_error_gives_words_without_its_message(tmp_path, monkeypatch):
    def fail(_):
        raise ValueError("4711")

    monkeypatch.setattr("exams.dashboard.kernel.stamp", fail)
    found = answer(Places.of(tmp_path / "data", tmp_path / "reports"), {"quarter": None})
    assert found == {"error": "The figures cannot be read at the moment."}


def test_kernel_needs_no_pandas_or_altair():
    heavy = "('pandas', 'numpy', 'altair', 'yaml')"
    code = f"import exams.dashboard, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_kernel_looks_at_nothing_private_and_opens_databases_to_read(places):
    """Everything that the code of the page opens, as Python itself tells."""
    code = f"""
import sys
seen = []
events = ("open", "sqlite3.connect", "os.listdir", "os.scandir", "os.mkdir", "os.chmod")
sys.addaudithook(lambda event, args: event in events and seen.append((event, str(args[0]))))
from exams.dashboard.kernel import answer
from exams.places import Places
places = Places.of({str(places.data)!r}, {str(places.reports)!r})
answer(places, {{"quarter": None}})
answer(places, {{"report": "2026Q3"}})
private = tuple(str(places.data / name) for name in ("private", "deliveries"))
print([path for event, path in seen if path.startswith(private)])
print({{path[path.rfind('?') :] for event, path in seen if event == "sqlite3.connect"}})
print([name for name in sys.modules if name.startswith(("exams.warehouse", "exams.intake"))])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["[]", "{'?mode=ro'}", "[]"]
    assert not (places.data / "private").exists()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose env.yaml names other folders than usual; one stands in its notebooks/."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "env.yaml").write_text("data: here\nreports: there\n")
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("EXAMS_DATA", raising=False)
    monkeypatch.delenv("EXAMS_REPORTS", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "given, data, reports",
    [
        ({}, "here", "there"),
        ({"EXAMS_DATA": "x"}, "x", "there"),
        ({"EXAMS_REPORTS": "y"}, "here", "y"),
        ({"EXAMS_DATA": "x", "EXAMS_REPORTS": "y"}, "x", "y"),
    ],
)
def test_folders_are_those_of_the_environment_else_of_env_yaml(
    project, monkeypatch, given, data, reports
):
    for name, folder in given.items():
        monkeypatch.setenv(name, str(project / folder))
    assert find_places() == Places(project / data, project / reports)


# How it starts


@pytest.fixture
def start(tmp_path, monkeypatch, capsys):
    """Return a function that serves at an address; it returns the command, its environment
    and what is printed, and starts nothing."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    called = []
    monkeypatch.setattr(os, "execve", lambda _, command, env: called.extend([command, env]))

    def starts(host, port=0):
        called.clear()
        serve(tmp_path, tmp_path, host, port)
        return *called, capsys.readouterr().out

    return starts


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_taken_port_is_said_in_one_line(start, family, host):
    with socket.socket(family) as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ExamsError, match=f"E304 Port {port} of {host} cannot be used"):
            start(host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_this_machine_no_token_is_asked_for_unless_one_is_set(start, monkeypatch, host):
    _, environment, said = start(host)
    assert environment["JUPYTER_TOKEN"] == ""
    assert "token" not in said
    monkeypatch.setenv("JUPYTER_TOKEN", "let me in")
    _, environment, said = start(host)
    assert environment["JUPYTER_TOKEN"] == "let me in"
    assert "/?token=let%20me%20in " in said


def test_make_dashboard_takes_the_host_from_its_call():
    command = ["make", "-n", "dashboard", "HOST=0.0.0.0"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'exams dashboard --host "0.0.0.0"' in said


def test_beyond_this_machine_a_token_is_made_and_printed(start):
    _, environment, said = start("0.0.0.0")
    assert len(environment["JUPYTER_TOKEN"]) >= 32
    assert f"?token={environment['JUPYTER_TOKEN']} " in said


def test_an_address_of_version_6_stands_in_brackets(start):
    command, _, said = start("::1", 8899)
    assert "http://[::1]:8899/ " in said
    assert "--Voila.ip=::1" in command
