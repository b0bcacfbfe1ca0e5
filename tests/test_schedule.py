"""The schedule: what a tick builds, what it leaves alone, and how it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

import example
import orchestrate_project as project
from exams import schedule, status
from exams.errors import ExamsError
from exams.moments import moment
from exams.orchestrate import locks
from exams.places import STAGES
from exams.project import timing
from exams.quarters import Timing
from exams.schedule import Schedule, missed, pause, run_schedule
from exams.status import stage_status
from exams.ticks import Failing, Ticks, read_ticks, write_ticks
from waiting import wait_for

PRODUCTION = Timing().schedule
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def places(tmp_path, monkeypatch):
    places = project.make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return places


@pytest.fixture
def builds(monkeypatch):
    """Let builds end as told, quarter by quarter, and return what was asked for."""

    def build(_, quarters, stages):
        builds.asked.append([*quarters])
        return {quarter: builds.ends.get(quarter, "built") for quarter in quarters}

    builds = SimpleNamespace(asked=[], ends={})
    monkeypatch.setattr(schedule, "build_each", build)
    return builds


def started(places, mode="test", **changes):
    ticks = Ticks(mode, "* * * * *", "UTC", "host", 1, moment(), **changes)
    return Schedule(places.data.parent, places, ticks)


def trigger(expression=PRODUCTION, zone=BERLIN):
    return schedule._trigger(expression, zone)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_as_shipped_it_ticks_at_two_on_the_first_day_of_each_quarter_in_local_time():
    following = trigger().get_next_fire_time(None, utc("2026-11-29T12:00"))
    assert following == datetime(2027, 1, 1, 2, tzinfo=BERLIN)
    assert trigger().get_next_fire_time(None, following + MINUTE).isoformat() == (
        "2027-04-01T02:00:00+02:00"
    )


@pytest.mark.parametrize(
    ("last", "now", "is_missed"),
    [
        ("2026-10-01T00:00:05", "2026-12-31T12:00", False),
        ("2026-10-01T00:00:05", "2027-01-01T01:00:00", True),
        ("2025-10-01T00:00:05", "2027-01-01T12:00", True),
    ],
)
def test_a_tick_is_missed_if_one_was_due_since_the_last(last, now, is_missed):
    assert missed(trigger(), moment(utc(last)), utc(now)) is is_missed


def test_the_pause_doubles_up_to_a_day():
    pauses = [pause(timedelta(minutes=15), times) for times in (1, 2, 3, 7, 8, 5000)]
    minutes = [15, 30, 60, 960, 1440, 1440]
    assert pauses == [timedelta(minutes=m) for m in minutes]


def test_a_tick_builds_every_quarter_that_has_files_and_is_written_down(places, builds):
    for quarter in ("2026Q2", "2026Q1"):
        project.deliver(places, quarter, "x")
    started(places).tick()
    assert builds.asked == [["2026Q1", "2026Q2"]]
    noted = read_ticks(places)
    assert (noted.failing, noted.error) == ({}, None)
    assert noted.last_tick is not None


def test_a_tick_lets_the_static_site_follow_though_it_built_nothing(places, builds):
    made = example.make(places.data.parent / "office")  # whatever is published
    shutil.copy(made.published, places.published)
    started(places).tick()
    text = (places.site / "data" / "now.js").read_text()
    told = json.loads(text[len("exams.give(") : -len(");\n")])
    assert told["schedule"]["last_tick"] == read_ticks(places).last_tick


def test_a_failing_quarter_is_left_alone_longer_each_time_and_the_others_go_on(
    places, builds, capsys
):
    for quarter in ("2026Q1", "2026Q2"):
        project.deliver(places, quarter, "x")
    builds.ends["2026Q1"] = "failed"
    at_work = started(places)
    at_work.tick()
    at_work.tick()
    assert builds.asked == [["2026Q1", "2026Q2"], ["2026Q2"]]
    assert "2026Q1  left alone until " in capsys.readouterr().out
    for times in (1, 2, 3):
        entry = at_work.ticks.failing["2026Q1"]
        assert entry.times == times
        assert datetime.fromisoformat(entry.retry) > datetime.now(UTC)
        rested = Failing(times, moment(datetime.now(UTC) - MINUTE), entry.inputs)
        at_work._note(failing={"2026Q1": rested})
        at_work.tick()
    assert builds.asked[2:] == [["2026Q1", "2026Q2"]] * 3
    assert read_ticks(places).failing["2026Q1"].times == 4
    assert at_work.clock.get_job("retry").trigger.run_date == datetime.fromisoformat(
        at_work.ticks.failing["2026Q1"].retry
    )


def test_new_files_end_the_pause_and_a_success_the_count(places, builds):
    project.deliver(places, "2026Q1", "x")
    builds.ends["2026Q1"] = "failed"
    at_work = started(places)
    at_work.tick()
    project.deliver(places, "2026Q1", "corrected")
    at_work.tick()
    assert at_work.ticks.failing["2026Q1"].times == 1
    builds.ends.clear()
    project.deliver(places, "2026Q1", "right")
    at_work.tick()
    assert builds.asked == [["2026Q1"]] * 3
    assert at_work.ticks.failing == {}
    assert at_work.clock.get_job("retry") is None


def test_a_tick_that_cannot_look_for_quarters_says_so_and_the_schedule_goes_on(
    places, builds, capsys
):
    (places.report("2026Q1") / "load.receipt.json").touch()  # loaded, and no file anywhere
    at_work = started(places)
    at_work.tick()
    assert read_ticks(places).error.startswith("E405 No quarter has a file")
    assert "E405" in capsys.readouterr().out
    project.deliver(places, "2026Q1", "x")
    at_work.tick()
    assert (read_ticks(places).error, builds.asked) == (None, [["2026Q1"]])


def test_a_tick_that_ends_in_an_error_is_tried_again_after_a_pause(places, builds, monkeypatch):
    at_work = started(places, mode="production")
    monkeypatch.setattr(schedule, "due_quarters", fail)
    at_work.tick()
    noted = read_ticks(places)
    again = moment(datetime.fromisoformat(noted.last_tick) + timedelta(minutes=15))
    assert at_work.clock.get_job("retry").trigger.run_date == datetime.fromisoformat(again)
    assert noted.next_tick <= again
    monkeypatch.setattr(schedule, "due_quarters", lambda _: [])
    at_work.tick()
    assert at_work.clock.get_job("retry") is None


def fail(*_):
    raise ExamsError("E212", "The warehouse's server cannot be reached.", "Start it.")


def test_several_ticks_that_come_during_another_are_one(places):
    at_work = started(places)
    for _ in range(3):
        at_work._offer()
    assert at_work._waiting.qsize() == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "E411 The disk is full"),
        (ValueError("471147114711"), "ValueError in schedule.py line "),
    ],
)
def test_whatever_goes_wrong_in_a_tick_is_noted_and_the_schedule_goes_on(
    places, monkeypatch, capsys, error, words
):
    def fail(*_):
        raise error

    project.deliver(places, "2026Q1", "x")
    monkeypatch.setattr(schedule, "build_each", fail)
    at_work = started(places)
    at_work.tick()
    noted = read_ticks(places)
    assert noted.error.startswith(words)
    assert noted.last_tick is not None
    out = capsys.readouterr().out
    assert words in out
    assert "471147114711" not in out


def test_a_note_that_cannot_be_written_ends_no_schedule(places, builds, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(schedule, "write_ticks", full)
    at_work = started(places)
    at_work.tick()
    assert at_work.ticks.last_tick is not None
    assert "E411 The disk is full" in capsys.readouterr().err


def test_a_schedule_that_dies_does_not_say_that_it_was_ended(places, monkeypatch):
    def die(self):
        raise RuntimeError

    at_work = started(places)
    at_work._note()
    monkeypatch.setattr(Schedule, "_work", die)
    monkeypatch.setattr(at_work.clock, "shutdown", lambda wait: None)
    with pytest.raises(RuntimeError):
        at_work.run()
    assert read_ticks(places).ended is None


@pytest.mark.parametrize(("last", "caught"), [(None, True), ("2999-01-01T00:00:00+00:00", False)])
def test_a_first_tick_that_was_missed_is_caught_up_as_well(places, monkeypatch, last, caught):
    begun = moment(datetime.now(UTC) - timedelta(days=1))
    at_work = started(places, begun=begun, last_tick=last)
    monkeypatch.setattr(at_work, "tick", ended)
    monkeypatch.setattr(at_work._waiting, "get", lambda: ended() if not caught else None)
    with pytest.raises(KeyboardInterrupt):
        at_work._work()
    assert at_work._waiting.qsize() == caught
    at_work._over.set()
    at_work.clock.shutdown(wait=False)


def ended(*_):
    raise KeyboardInterrupt


def test_the_next_tick_follows_a_clock_that_was_set_back(places):
    at_work = started(places)
    far = datetime.now(UTC) + timedelta(days=1)
    job = at_work.clock.add_job(at_work._offer, at_work.trigger, id="tick")
    at_work.clock.start(paused=True)
    job.modify(next_run_time=far)
    at_work.keep_time()
    assert at_work.clock.get_job("tick").next_run_time < datetime.now(UTC) + 2 * MINUTE
    at_work.clock.shutdown(wait=False)


def test_a_pause_ends_where_the_clock_was_set_back(places, builds):
    project.deliver(places, "2026Q1", "x")
    at_work = started(places)
    for days, asked in ((1, []), (2, [["2026Q1"]])):
        retry = moment(datetime.now(UTC) + timedelta(days=days) - MINUTE)
        at_work._note(failing={"2026Q1": Failing(1, retry, at_work._inputs("2026Q1"))})
        at_work.tick()
        assert builds.asked == asked


def test_a_second_schedule_and_a_wrong_mode_do_not_start(places):
    other = locks.exclusive(places.schedule.with_name(".schedule-load.lock"))
    with other, pytest.raises(ExamsError, match="E418"):
        run_schedule(places.data.parent, {})
    with pytest.raises(ExamsError, match="E413 EXECUTION_MODE is neither"):
        run_schedule(places.data.parent, {"EXECUTION_MODE": "prod"})


def test_a_wrong_cron_expression_is_explained(places):
    (places.data.parent / "env.yaml").write_text("schedule: 0 25 1 * *\n")
    with pytest.raises(ExamsError, match=r"E413 env\.yaml: schedule is no cron expression"):
        run_schedule(places.data.parent, {})


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"schedule": "daily"}, "schedule is no cron expression"),
        ({"schedule": 5}, "schedule is no cron expression"),
        ({"schedule": "0 2 * * 1"}, "schedule has a number as day of the week"),
        ({"time_zone": "Berlin"}, "time_zone is no time zone"),
        ({"time_zone": 1}, "time_zone is no time zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone is no time zone"),
        ({"grace_days": -1}, "grace_days is no number of days"),
        ({"grace_days": "30 days"}, "grace_days is no number of days"),
    ],
)
def test_a_setting_of_the_schedule_that_means_nothing_is_named(setting, words):
    with pytest.raises(ExamsError, match=rf"E004 env\.yaml: {words}"):
        timing(setting)


def test_settings_of_the_schedule_may_be_left_out():
    assert timing({"grace_days": 0}) == Timing(PRODUCTION, "UTC", 0)


# Two schedules that share the stages


LATER = STAGES[3:]


def followed(places, **changes):
    return started(places, stages=LATER, **changes)


def load(places, quarter, state):
    status.start(places.status, quarter, "load")
    status.end(places.status, quarter, "load", state)


def test_later_stages_of_a_quarter_wait_until_the_status_of_load_is_done(places, builds, capsys):
    for quarter, state in (("2026Q1", "done"), ("2026Q2", "failed"), ("2026Q3", None)):
        project.deliver(places, quarter, "x")
        if state:
            load(places, quarter, state)
    at_work = followed(places)
    at_work.tick()
    assert builds.asked == [["2026Q1"]]
    assert re.findall(r"(\w+)  waits for load", capsys.readouterr().out) == ["2026Q2", "2026Q3"]
    at_work.look()
    assert at_work._waiting.qsize() == 0
    load(places, "2026Q2", "done")
    at_work.look()
    assert at_work._waiting.qsize() == 1
    at_work.tick()
    assert builds.asked[1:] == [["2026Q1", "2026Q2"]]


def test_a_quarter_whose_files_have_changed_since_its_load_waits_for_the_next_one(places, builds):
    project.deliver(places, "2026Q1", "x")
    load(places, "2026Q1", "done")  # of former files: the build finds that extract is due
    builds.ends["2026Q1"] = "waits"
    at_work = followed(places)
    at_work.tick()
    at_work.look()
    assert at_work._waiting.qsize() == 0
    load(places, "2026Q1", "done")
    at_work.look()
    assert at_work._waiting.qsize() == 1


def test_a_quarter_whose_files_come_back_while_others_are_built_waits_for_its_load(places, builds):
    project.deliver(places, "2026Q1", "x")
    load(places, "2026Q1", "done")
    (places.report("2025Q4") / "load.receipt.json").touch()  # had files, and has none now
    builds.ends["2025Q4"] = "waits"  # it has some when its turn comes
    at_work = followed(places)
    at_work.tick()
    assert (at_work.ticks.error, [*at_work._waits]) == (None, ["2025Q4"])
    load(places, "2025Q4", "done")
    at_work.look()
    assert at_work._waiting.qsize() == 1


def test_a_quarter_without_files_is_withdrawn_by_the_schedule_that_publishes(places, builds):
    project.deliver(places, "2026Q1", "x")
    load(places, "2026Q1", "done")
    (places.report("2025Q4") / "load.receipt.json").touch()
    started(places, stages=STAGES[:3]).tick()
    followed(places).tick()
    assert builds.asked == [["2026Q1"], ["2025Q4", "2026Q1"]]


def test_what_waited_when_a_schedule_ended_is_looked_at_when_it_starts(places, monkeypatch):
    at_work = followed(places, last_tick=moment())
    monkeypatch.setattr(at_work, "tick", ended)
    with pytest.raises(KeyboardInterrupt):
        at_work._work()
    at_work._over.set()
    at_work.clock.shutdown(wait=False)


def test_schedules_that_share_stages_run_side_by_side_and_those_that_do_not_are_refused(places):
    def tries(stages):
        with pytest.raises(ExamsError) as found:
            run_schedule(places.data.parent, {}, stages)
        return found.value.code

    (places.data.parent / "env.yaml").write_text("schedule: 0 25 1 * *\n")  # ends it, if it starts
    with locks.exclusive(places.schedule.with_name(".schedule-load.lock")):
        assert [tries(s) for s in (LATER, STAGES[:3], STAGES)] == ["E413", "E418", "E418"]


@pytest.mark.slow
def test_of_two_schedules_one_loads_and_the_other_goes_on_from_there(places):
    project.deliver(places, "2026Q1", "x")
    intake, figures = started(places, stages=STAGES[:3]), followed(places)
    figures.tick()
    assert stage_status(places.status) == []
    intake.tick()
    assert [r["stage"] for r in stage_status(places.status)] == list(STAGES[:3])
    figures.tick()
    assert [r["state"] for r in stage_status(places.status)] == ["done"] * 6
    project.deliver(places, "2026Q1", "corrected")  # load is done, but for the former file
    former = stage_status(places.status)
    figures.tick()
    assert (stage_status(places.status), [*figures._waits]) == (former, ["2026Q1"])
    for quarter in ("2026Q2", "2026Q3"):
        project.deliver(places, quarter, "x")
    intake.tick()
    figures.tick()
    runs = stage_status(places.status)
    assert [run["state"] for run in runs] == ["done"] * 18
    assert runs[3]["started"] > former[3]["started"]
    assert figures._waits == {}


# How it ends


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "slow"])
def test_sigterm_ends_a_schedule_while_it_waits_and_while_it_builds(places, text):
    if text:
        project.deliver(places, "2026Q1", text)
        yesterday = moment(datetime.now(UTC) - timedelta(days=1))
        write_ticks(places, Ticks("test", "", "UTC", "", 1, yesterday, yesterday))  # one is missed
    with subprocess.Popen(
        [sys.executable, "-m", "exams.cli", "schedule"],
        env=os.environ | {"EXECUTION_MODE": "test"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(lambda: is_at_work(places, text))
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[-1] == "The schedule has ended."
    noted = read_ticks(places)
    assert (noted.mode, noted.pid) == ("test", process.pid)
    assert noted.ended is not None
    if text:
        assert noted.last_tick == yesterday  # so that the tick is caught up
        states = [run["state"] for run in stage_status(places.status)]
        assert states == ["done", "interrupted", *["skipped"] * 4]
        assert locks.hold(places, "2026Q1", wait=False)
        locks.release()


def is_at_work(places, text):
    if text:
        return "running" in [r["state"] for r in stage_status(places.status)][1:2]
    noted = read_ticks(places)
    return noted is not None and noted.next_tick is not None
