"""How things stand, as `exams status --json` gives it."""

from datetime import UTC, datetime, timedelta

import pytest

from exams import published, status
from exams.moments import moment
from exams.places import STAGES, Places
from exams.quarters import Timing
from exams.situation import situation, state_of
from exams.ticks import Failing, Ticks, read_ticks, write_ticks

NOW = datetime(2026, 8, 10, 12, tzinfo=UTC)
TIMING = Timing(grace_days=30)


@pytest.fixture
def places(tmp_path):
    return Places.of(tmp_path / "data", tmp_path / "reports")


def ran(places, quarter, *ends, **more):
    """Note runs of the first stages of a quarter that came to these ends."""
    for stage, end in zip(STAGES, ends, strict=False):
        status.start(places.status, quarter, stage)
        status.end(places.status, quarter, stage, end, **(more if end == "failed" else {}))


def publish(places, quarter):
    nothing = {table.name: [] for table in published.CONTENT}
    places.published.parent.mkdir(parents=True, exist_ok=True)
    published.publish(places.published, quarter, nothing, ("contract", "1"))


def deliver(places, quarter):
    folder = places.delivery(quarter)
    folder.mkdir(parents=True)
    (folder / "a.csv").touch()


def schedule(places, **changes):
    ticks = Ticks("production", "0 2 1 1,4,7,10 *", "UTC", "host", 1, moment(NOW))
    write_ticks(places, Ticks(**{**vars(ticks), **changes}))


def entry(found, quarter):
    return next(entry for entry in found["quarters"] if entry["quarter"] == quarter)


def run(state, reason=None):
    return {"state": state, "reason": reason}


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([run("done")] * 6, "done"),
        ([run("done", status.WITHDRAWN)] * 6, "withdrawn"),
        ([run("done")] * 5 + [None], "pending"),
        ([None] * 6, "pending"),
        ([run("done"), run("running"), *[run("pending")] * 4], "running"),
        ([run("done"), run("failed"), *[run("skipped")] * 4], "failed"),
        ([run("done"), run("interrupted"), *[run("skipped")] * 4], "interrupted"),
        ([run("done"), *[run("skipped")] * 5], "interrupted"),
    ],
)
def test_the_state_of_a_quarter_follows_from_those_of_its_stages(runs, state):
    assert state_of(runs) == state


def test_where_nothing_has_happened_all_is_right(places):
    assert situation(places, TIMING, NOW) == {
        "ok": True,
        "as_of": "2026-08-10T12:00:00+00:00",
        "quarters": [],
        "trouble": [],
        "last_error": None,
        "schedule": None,
    }


def test_a_published_quarter_is_all_right_and_one_that_waits_for_its_build_too(places):
    ran(places, "2026Q2", *["done"] * 6)
    publish(places, "2026Q2")
    deliver(places, "2026Q3")
    found = situation(places, TIMING, NOW)
    assert (found["ok"], found["trouble"]) == (True, [])
    assert [(q["quarter"], q["state"], q["late"]) for q in found["quarters"]] == [
        ("2026Q2", "done", False),
        ("2026Q3", "pending", False),
    ]


def test_a_failure_is_told_with_code_and_words_and_is_the_last_error(places):
    ran(places, "2026Q3", "failed", reason_code="E120", reason="It cannot be read.")
    ran(places, "2026Q4", "done", "failed", reason_code=None, reason="ValueError in cell [3].")
    found = situation(places, TIMING, NOW)
    assert found["ok"] is False
    assert [(w["quarter"], w["stage"], w["code"], w["what"]) for w in found["trouble"]] == [
        ("2026Q3", "extract", "E120", "It cannot be read."),
        ("2026Q4", "transform", None, "ValueError in cell [3]."),
    ]
    assert found["last_error"]["what"] == "ValueError in cell [3]."


def test_an_interrupted_stage_is_told_and_so_is_a_process_that_ended_before_its_first(places):
    ran(places, "2026Q3", "done", "interrupted")
    ran(places, "2026Q4", "skipped")
    kinds = [
        (w["quarter"], w["kind"], w["stage"]) for w in situation(places, TIMING, NOW)["trouble"]
    ]
    assert kinds == [("2026Q3", "interrupted", "transform"), ("2026Q4", "interrupted", None)]


@pytest.mark.parametrize(
    ("day", "late"),
    [("2026-07-30", []), ("2026-07-31", ["2026Q2"]), ("2026-10-31", ["2026Q2", "2026Q3"])],
)
def test_a_quarter_is_late_once_its_days_of_grace_are_over(places, day, late):
    publish(places, "2026Q1")
    found = situation(places, TIMING, datetime.fromisoformat(f"{day}T12:00+00:00"))
    assert [q["quarter"] for q in found["quarters"] if q["late"]] == late
    assert [w["what"] for w in found["trouble"]][:1] == (
        ["No file has come. It was due by 2026-07-30."] if late else []
    )
    assert found["last_error"] is None


def test_the_day_is_that_of_the_time_zone(places):
    publish(places, "2026Q1")
    night = datetime(2026, 7, 30, 23, tzinfo=UTC)
    assert situation(places, TIMING, night)["ok"]
    assert not situation(places, TIMING._replace(time_zone="Asia/Tokyo"), night)["ok"]


def test_an_early_quarter_is_late_only_if_it_has_files(places):
    publish(places, "2026Q2")  # nothing is expected of the quarters before the newest
    assert situation(places, TIMING, NOW)["ok"]
    deliver(places, "2020Q1")
    (wrong,) = situation(places, TIMING, NOW)["trouble"]
    assert (wrong["quarter"], wrong["kind"], wrong["what"]) == (
        "2020Q1",
        "late",
        "Its files have come, but it is not published. It was due by 2020-04-30.",
    )


def test_a_withdrawn_quarter_is_not_late(places):
    for stage in STAGES:
        status.start(places.status, "2020Q1", stage)
        status.end(places.status, "2020Q1", stage, "done", reason=status.WITHDRAWN)
    assert situation(places, TIMING, NOW)["ok"]


def test_a_running_schedule_tells_its_next_tick_and_what_it_leaves_alone(places):
    deliver(places, "2026Q3")
    failing = {"2026Q3": Failing(3, "2026-08-10T13:00:00+00:00", "ab")}
    schedule(places, next_tick="2026-10-01T02:00:00+00:00", failing=failing)
    assert read_ticks(places).failing == failing
    found = situation(places, TIMING, NOW)
    assert found["schedule"]["state"] == "running"
    assert found["schedule"]["next_tick"] == "2026-10-01T02:00:00+00:00"
    told = entry(found, "2026Q3")
    assert (told["failures"], told["retry"]) == (3, "2026-08-10T13:00:00+00:00")


def test_a_quarter_that_fails_before_a_stage_begins_is_trouble_until_it_is_built(places):
    deliver(places, "2026Q3")
    ran(places, "2026Q3", *["done"] * 6)
    for year, kinds in (("2999", ["failed"]), ("2019", [])):
        since = f"{year}-08-10T11:00:00+00:00"
        schedule(places, failing={"2026Q3": Failing(2, "2026-08-10T13:00:00+00:00", "ab", since)})
        found = situation(places, TIMING, NOW)
        assert [w["kind"] for w in found["trouble"]] == kinds
        assert [w["since"] for w in found["trouble"]] == [since] * len(kinds)


def test_a_schedule_whose_last_sign_is_from_the_future_has_died(places):
    schedule(places, heartbeat=moment(NOW + timedelta(minutes=4)))  # the clock was set back
    assert situation(places, TIMING, NOW)["schedule"]["state"] == "dead"


def test_a_schedule_that_has_died_is_trouble_and_one_that_was_ended_is_none(places):
    schedule(places, heartbeat=moment(NOW - timedelta(minutes=4)), next_tick=moment(NOW))
    found = situation(places, TIMING, NOW)
    assert (found["ok"], found["schedule"]["state"]) == (False, "dead")
    assert found["schedule"]["next_tick"] is None
    assert [w["kind"] for w in found["trouble"]] == ["schedule"]
    schedule(places, heartbeat=moment(NOW - timedelta(days=9)), ended=moment(NOW))
    found = situation(places, TIMING, NOW)
    assert (found["ok"], found["schedule"]["state"]) == (True, "ended")


def test_a_tick_that_could_not_look_for_quarters_is_trouble(places):
    schedule(places, error="E405 No quarter has a file.", last_tick=moment(NOW))
    (wrong,) = situation(places, TIMING, NOW)["trouble"]
    assert (wrong["kind"], wrong["what"]) == ("schedule", "E405 No quarter has a file.")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"failing": 3}', '{"mode": "test", "failing": {}}']
)
def test_a_broken_note_of_the_schedule_is_as_none(places, text):
    places.schedule.write_text(text)
    assert read_ticks(places) is None


def test_schedules_that_share_the_stages_are_told_of_as_one(places):
    parts = (STAGES[:3], STAGES[3:])
    old, new = (moment(NOW - timedelta(seconds=s)) for s in (20, 10))
    failing = [{"2026Q1": Failing(n, moment(NOW), "", since)} for n, since in ((1, new), (2, old))]
    deliver(places, "2026Q1")
    more = {"stages": parts[0], "last_tick": old, "failing": failing[0], "error": "E405 No file."}
    schedule(places, heartbeat=old, next_tick=moment(NOW), delivered=["2026Q1"], **more)
    schedule(places, heartbeat=new, stages=parts[1], last_tick=new, failing=failing[1], host="ml")
    found = situation(places, TIMING, NOW)
    assert entry(found, "2026Q1")["failures"] == 1
    assert [wrong["what"] for wrong in found["trouble"] if wrong["kind"] == "schedule"] == [
        "E405 No file."
    ]
    told = found["schedule"]
    assert (told["state"], told["host"], told["last_tick"]) == ("running", "host", new)
    assert told["next_tick"] == moment(NOW)


@pytest.mark.parametrize(
    ("ends", "state", "host"),
    [
        ({}, "dead", "etl"),  # silent for ten minutes
        ({"etl": "ended"}, "running", "ml"),
        ({"etl": "ended", "ml": "ended"}, "ended", "ml"),
    ],
)
def test_of_schedules_that_share_the_stages_the_one_that_died_is_named(places, ends, state, host):
    for name, stages, minutes in (("etl", STAGES[:3], 10), ("ml", STAGES[3:], 0)):
        beat = moment(NOW - timedelta(minutes=minutes))
        schedule(places, host=name, stages=stages, heartbeat=beat, ended=ends.get(name))
    told = situation(places, TIMING, NOW)["schedule"]
    assert (told["state"], told["host"]) == (state, host)


def test_a_schedule_that_others_have_taken_the_place_of_is_of_the_past(places):
    for stages, minutes in ((STAGES, 10), (STAGES[:3], 1), (STAGES[3:], 0)):
        schedule(places, stages=stages, heartbeat=moment(NOW - timedelta(minutes=minutes)))
    assert situation(places, TIMING, NOW)["schedule"]["state"] == "running"
    schedule(places, heartbeat=moment(NOW))  # and back again: those two have died since
    later = NOW + timedelta(minutes=2)
    assert situation(places, TIMING, later)["schedule"]["state"] == "running"
