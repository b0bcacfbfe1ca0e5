"""The schedule: at each tick, every quarter that is due is built, oldest first.

Two schedules may share the stages: the later ones of a quarter wait until the status says that
the stage before them is done.

APScheduler tells when; the work is done in the main thread, which signals can stop. A tick that
comes while another is at work waits, and several of them are one.
"""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Full, Queue
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from exams import project
from exams.errors import ExamsError
from exams.moments import moment
from exams.orchestrate import locks
from exams.orchestrate.build import build_each, due_quarters
from exams.orchestrate.failures import explain_exception
from exams.orchestrate.fingerprint import inputs
from exams.orchestrate.showing import show
from exams.orchestrate.stopping import terminable
from exams.orchestrate.waiting import latest_of
from exams.places import STAGES, Places
from exams.processes import HOST
from exams.progress import say
from exams.ticks import BEAT, Failing, Ticks, noted, read_noted, write_ticks

MODE = "EXECUTION_MODE"
EVERY_MINUTE = "* * * * *"
FIRST_PAUSE = {"test": timedelta(minutes=1), "production": timedelta(minutes=15)}
LONGEST_PAUSE = timedelta(days=1)
LOOK = 5  # seconds between two looks at the stage that others run
_TICK, _RETRY, _LOOK = "tick", "retry", "look"


def run_schedule(
    root: Path, environment: Mapping[str, str] = os.environ, stages: Sequence[str] = STAGES
) -> None:
    """Run those of `stages` that are due at each tick, until SIGTERM or Ctrl-C.

    In EXECUTION_MODE test that is every minute, in production (the usual) as env.yaml says. Raise
    E413 for another mode or a wrong cron expression, E418 if a schedule of these stages runs.
    """
    root = project.find_root(root)
    places, timing = project.places(root), project.timing(project.settings(root))
    mode = environment.get(MODE) or "production"
    if mode not in FIRST_PAUSE:
        what = f"{MODE} is neither test nor production."
        raise ExamsError("E413", what, "Set it to test or to production, or unset it.")
    expression = EVERY_MINUTE if mode == "test" else timing.schedule
    with ExitStack() as held:
        files = [places.schedule.with_name(f".schedule-{stage}.lock") for stage in stages]
        if not all(held.enter_context(locks.exclusive(file)) for file in files):
            what = "A schedule runs already for this data folder."
            raise ExamsError("E418", what, "`exams status` says where; stop it first.")
        former = read_noted(noted(places, stages))
        ticks = Ticks(
            mode=mode,
            expression=expression,
            time_zone=timing.time_zone,
            host=HOST,
            pid=os.getpid(),
            heartbeat=moment(),
            begun=(former.begun if former else None) or moment(),
            last_tick=former.last_tick if former else None,
            failing=former.failing if former else {},
            stages=stages,
        )
        Schedule(root, places, ticks).run()


class Schedule:
    """One schedule at work. `ticks` is what it has done and will do, and what others may read."""

    def __init__(self, root: Path, places: Places, ticks: Ticks) -> None:
        self.root, self.places, self.ticks = root, places, ticks
        self.zone = ZoneInfo(ticks.time_zone)
        self.trigger = _trigger(ticks.expression, self.zone)
        self.clock = BackgroundScheduler(
            timezone=self.zone, job_defaults={"coalesce": True, "misfire_grace_time": None}
        )
        self._waiting: Queue[None] = Queue(maxsize=1)
        self._noting = threading.Lock()
        place = STAGES.index(ticks.stages[0])
        self._before = STAGES[place - 1] if place else ""  # the stage that others run
        self._waits: dict[str, dict[str, Any]] = {}  # by quarter, the run of it that was seen
        self._over = threading.Event()

    def run(self) -> None:
        """Work until SIGTERM or Ctrl-C."""
        self.clock.add_job(self._offer, self.trigger, id=_TICK)
        if self._before:
            self.clock.add_job(self.look, "interval", seconds=LOOK, id=_LOOK)
        self._set_retry()
        ended = None
        try:
            with terminable():
                self._work()
        except (KeyboardInterrupt, SystemExit):  # the latter from a build that was stopped
            say("The schedule has ended.")
            ended = moment()
        finally:
            self._over.set()
            self.clock.shutdown(wait=False)
            self._note(ended=ended)
            self._show()

    def _work(self) -> None:
        self.clock.start()
        self._note()
        self._show()
        threading.Thread(target=self._live, daemon=True).start()
        since = self.ticks.last_tick or self.ticks.begun
        if since and missed(self.trigger, since, datetime.now(UTC)):
            say("A tick was missed; it is caught up now.")
            self._offer()
        else:
            say(f"Next tick: {self._local(self.ticks.next_tick)}.")
            if self._before:  # what waited for others when it ended, nobody has noted
                self._offer()
        while True:
            self._waiting.get()
            self.tick()

    def _live(self) -> None:
        """Give signs of life, and see to it that the clock of the machine is followed."""
        while not self._over.wait(BEAT):
            self._note()
            self.keep_time()

    def keep_time(self) -> None:
        """Let the next tick be the next one by the clock as it is now: it may have been set back.

        APScheduler, which sleeps until the next tick, is woken: it may have been set forward.
        """
        job = self.clock.get_job(_TICK)
        upcoming = self.trigger.get_next_fire_time(None, datetime.now(self.zone))
        if job and upcoming and upcoming < job.next_run_time:
            job.modify(next_run_time=upcoming)
        self.clock.wakeup()

    def tick(self) -> None:
        """Build what is due, but for quarters that keep failing and are to be left alone.

        Whatever goes wrong is noted, and the schedule goes on.
        """
        say(f"Tick, {self._local(moment())}.")
        now, failing, error = datetime.now(UTC), self.ticks.failing, None
        self._waits = {}
        try:
            every, seen = self._quarters(), self._seen()
            alone = {q for q in every if q in failing and self._rests(q, failing[q], now)}
            for quarter in sorted(alone):
                say(f"{quarter}  left alone until {self._local(failing[quarter].retry)}")
            early = {q for q, run in seen.items() if run.get("state") != "done"} - alone
            for quarter in sorted(early):
                say(f"{quarter}  waits for {self._before}")
            left = [quarter for quarter in every if quarter not in alone | early]
            ends = build_each(self.root, left, self.ticks.stages) if left or not every else {}
            early |= {quarter for quarter, end in ends.items() if end == "waits"}
            self._waits = {quarter: seen.get(quarter, {}) for quarter in early}
            kept = {quarter: failing[quarter] for quarter in alone}
            failing = kept | self._failed(ends)
        except Exception as stopped:
            error = _in_words(stopped)
            say(error)
        self._note(last_tick=moment(now), failing=failing, error=error)
        self._set_retry()
        self._show()
        say(f"Next tick: {self._local(self.ticks.next_tick)}.")

    def look(self) -> None:
        """Let a quarter that waits for others have its turn once they have done that."""
        waits = self._waits
        runs = latest_of(self.places, self._before, waits)
        if any(run != waits[q] and run.get("state") == "done" for q, run in runs.items()):
            self._offer()

    def _quarters(self) -> list[str]:
        """Return the quarters to look at; those without files are for whoever publishes."""
        publishes = "publish" in self.ticks.stages
        return due_quarters(self.places) if publishes else self.places.delivered_quarters()

    def _seen(self) -> dict[str, dict[str, Any]]:
        """Return, for each quarter with files, the run of the stage that others run."""
        if not self._before:
            return {}
        return latest_of(self.places, self._before, self.places.delivered_quarters())

    def _show(self) -> None:
        """Let the static site tell of the tick, also where nothing was due."""
        with suppress(ExamsError, OSError):  # a site that is not written stops no schedule
            show(self.places, project.timing(project.settings(self.root)))

    def _rests(self, quarter: str, entry: Failing, now: datetime) -> bool:
        left = datetime.fromisoformat(entry.retry) - now  # more than a day: the clock was set back
        return timedelta() < left <= LONGEST_PAUSE and entry.inputs == self._inputs(quarter)

    def _failed(self, ends: Mapping[str, str]) -> dict[str, Failing]:
        now, first = datetime.now(UTC), FIRST_PAUSE[self.ticks.mode]
        found = {}
        for quarter in (q for q, end in ends.items() if end == "failed"):
            former, seen = self.ticks.failing.get(quarter), self._inputs(quarter)
            times = former.times + 1 if former and former.inputs == seen else 1
            found[quarter] = Failing(times, moment(now + pause(first, times)), seen, moment(now))
        return found

    def _inputs(self, quarter: str) -> str:
        found = inputs("extract", quarter, str(self.places.data), str(self.places.reports))
        return json.dumps(found, sort_keys=True)

    def _offer(self) -> None:
        with suppress(Full):  # one waits already
            self._waiting.put_nowait(None)

    def _set_retry(self) -> None:
        """Let a quarter that failed be tried again, whenever the next tick may be."""
        with suppress(JobLookupError):
            self.clock.remove_job(_RETRY)
        if retries := self._retries(self.ticks):
            self.clock.add_job(self._offer, "date", run_date=min(retries), id=_RETRY)

    def _retries(self, ticks: Ticks) -> list[str]:
        """Return when quarters that failed are tried again, and a tick that ended in an error."""
        times = [entry.retry for entry in ticks.failing.values()]
        if ticks.error and ticks.last_tick:
            again = datetime.fromisoformat(ticks.last_tick) + FIRST_PAUSE[ticks.mode]
            times.append(moment(again))
        return times

    def _note(self, **changes: Any) -> None:
        """Write down a sign of life, the changes, and when the next tick is."""
        with self._noting:
            told = bool(changes)
            now = datetime.now(self.zone)
            changes |= {"heartbeat": moment(now), "delivered": self._delivered()}
            ticks = replace(self.ticks, **changes)
            upcoming = self.trigger.get_next_fire_time(None, now)
            times = self._retries(ticks) + ([moment(upcoming)] if upcoming else [])
            self.ticks = replace(ticks, next_tick=min(times, default=None))
            try:
                write_ticks(self.places, self.ticks)
            except OSError as error:  # a full disk, say, ends no schedule
                if told:
                    say(_in_words(error), "stderr")

    def _delivered(self) -> list[str] | None:
        try:
            return self.places.delivered_quarters()
        except ExamsError:
            return None

    def _local(self, text: str | None) -> str:
        if text is None:
            return "never"
        return f"{datetime.fromisoformat(text).astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone}"


def pause(first: timedelta, times: int) -> timedelta:
    """Return how long a quarter is left alone that failed `times` in a row: doubled each time."""
    return min(first * 2 ** min(times - 1, 20), LONGEST_PAUSE)


def missed(trigger: CronTrigger, since: str, now: datetime) -> bool:
    """Say whether a tick was due after `since`: the last one, or when the schedule first began."""
    following = trigger.get_next_fire_time(None, datetime.fromisoformat(since))
    return following is not None and following <= now


def _in_words(error: Exception) -> str:
    return " ".join(filter(None, explain_exception(error)))


def _trigger(expression: str, zone: ZoneInfo) -> CronTrigger:
    try:
        return CronTrigger.from_crontab(expression, zone)
    except ValueError as error:
        what = f"env.yaml: schedule is no cron expression: {error}."
        raise ExamsError("E413", what, "Write `schedule: 0 2 1 1,4,7,10 *`.") from None
