"""Kills builds at random instants; one more build must make of them what an undisturbed one makes.

`make soak KILLS=200` kills builds of the real notebooks; tests/test_recovery.py a few of notebooks
that only pass text on.
"""

import argparse
import fcntl
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import nbformat

import orchestrate_project
from exams.orchestrate import forking
from exams.orchestrate.products import products
from exams.places import STAGES, WAREHOUSE, Places, Server, Warehouse
from exams.samples import write_samples
from exams.status import stage_status
from postgres import Cluster
from stores import lines_of

ROOT = Path(__file__).parents[1]
QUARTER = "2026Q3"
TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z)?|\d+ \w+ \d{4}, \d\d:\d\d"
)
EXECUTED = re.compile(r"(<td><code>\w{8}</code></td>\n)<td><code>\w{8}</code></td>")
LINE = re.compile(r"(\d{4}Q\d)  (\w+) +(\w+) +(\d+\.\d) s(?:  (.*))?")
ASIDE = ("status.db", ".deliveries.json")  # when things happened, and whose files were seen when
TARGETS = ("parent", "kernel", "both", "forking")  # the last: what kernels are forked from
FORKING = forking.__file__


@dataclass(frozen=True)
class Kill:
    """What a kill hit, and what followed. `wrong`: what one more build did not put right."""

    instant: float  # seconds after the build had begun
    target: str
    hit: str  # stage and state, as the status told right after
    ran: tuple[str, ...]  # stages that the next build ran
    wrong: tuple[str, ...]


class Site:
    """A project that is reset to the state before its first build as often as one likes."""

    def __init__(
        self, folder: Path, make: Callable[[Path], Places], server: Cluster | None = None
    ) -> None:
        self.folder, self.template = folder / "project", folder / "template"
        self.server, address = server, server.new_database() if server else ""
        self.places = replace(make(self.folder), server=address)
        key = self.places.data / "private" / "key"
        key.parent.mkdir(mode=0o700, exist_ok=True)
        key.write_bytes(b"k" * 32)  # fingerprints of two builds are the same
        shutil.copytree(self.folder, self.template, symlinks=True)
        self.temporary = [folder / "tmp", folder / "runtime"]
        for each in self.temporary:
            each.mkdir()
        names = ("TMPDIR", "JUPYTER_RUNTIME_DIR")
        self.env = os.environ | dict(zip(names, map(str, self.temporary), strict=True))
        self.env[WAREHOUSE] = address
        begin = time.monotonic()
        done = self.build()
        self.seconds = time.monotonic() - begin
        assert done.returncode == 0, done.stdout + done.stderr
        self.expected = snapshot(self.places)
        self.built = folder / "built"
        shutil.copytree(self.folder, self.built, symlinks=True)
        if server:
            server.keep(address)

    def reset(self, *, built: bool = False) -> None:
        """Make the project what it was before its first build, or `built` as after it."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.built if built else self.template, self.folder, symlinks=True)
        if self.server:
            self.server.renew(self.places.server, kept=built)

    def build(self) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(),
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> subprocess.Popen:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(self.command(), cwd=self.folder, env=self.env, **quiet)

    def command(self) -> list[str]:
        return [sys.executable, orchestrate_project.__file__, "build", "--env--quarter", QUARTER]

    def kernels(self) -> list[int]:
        """Return this site's kernels: those that talk through its temporary folder, and forked."""
        own = f"{self.temporary[0]}/"
        started = [pid for pid in _pids() if any(w.startswith(own) for w in _words(pid))]
        return started + [p for p in self._processes() if _words(_parent(p)) == _words(p)]

    def forking(self) -> list[int]:
        """Return the process that this site's kernels are forked from, if there is one."""
        return [pid for pid in self._processes() if _words(_parent(pid)) != _words(pid)]

    def _processes(self) -> list[int]:
        """Return that process, and the kernels that were forked from it."""
        own, found = f"TMPDIR={self.temporary[0]}", []
        for pid in _pids():
            with suppress(OSError):
                if FORKING in _words(pid):
                    environment = Path(f"/proc/{pid}/environ").read_text(errors="replace")
                    found += [pid] if own in environment.split("\0") else []
        return found


def _pids() -> list[int]:
    return [int(process.name) for process in Path("/proc").glob("[0-9]*")]


def _words(pid: int) -> list[str]:
    """Return the command of a process; forked ones have that of their parent."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    return []


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def small_project(folder: Path) -> Places:
    """Make a project whose notebooks only pass text on."""
    places = orchestrate_project.make_project(folder)
    orchestrate_project.deliver(places, QUARTER, "first")
    return places


def real_project(folder: Path) -> Places:
    """Make a project of the real notebooks and contract, with a sample delivery."""
    folder.mkdir(parents=True)
    for name in ("pipeline.yaml", "env.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    places = Places.of(folder / "data", folder / "reports")
    places.data.mkdir()
    for name in ("contract.yaml", "sample.json"):
        shutil.copy(ROOT / "data" / name, places.data)
    write_samples(places, date(2026, 10, 5))
    for other in places.deliveries.iterdir():
        if other.name != QUARTER:
            shutil.rmtree(other)
    return places


def kill(site: Site, instant: float, target: str) -> Kill:
    """Kill a build of a fresh project after `instant` seconds, build once more, and compare."""
    site.reset()
    build = site.start()
    with suppress(subprocess.TimeoutExpired):
        build.wait(instant)
    aims = {"kernel": site.kernels, "both": site.kernels, "forking": site.forking}
    others = aims[target]() if target in aims else []
    if build.poll() is None and (target in ("parent", "both") or not others):
        build.kill()
    for pid in others:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    build.wait(120)
    after = {run["stage"]: run["state"] for run in stage_status(site.places.status)}
    done = site.build()
    ran = tuple(m[2] for m in map(LINE.fullmatch, done.stdout.splitlines()) if m)
    complaints = [done.stdout + done.stderr] if done.returncode else []
    complaints += differences(site.expected, snapshot(site.places))
    complaints += [*left_over(site), *untruths(site.places, after, ran)]
    return Kill(
        instant,
        target if others or target == "parent" else "parent, no kernel yet",
        _hit(after),
        ran,
        tuple(complaints),
    )


def _hit(states: dict[str, str]) -> str:
    """Return the stage that was hit, and its state."""
    if not states:
        return "before the first stage"
    stage = next((s for s in STAGES if states[s] != "done"), None)
    return f"{stage} {states[stage]}" if stage else "after the last stage"


def snapshot(places: Places) -> dict[str, object]:
    """Return all that a build makes, without the times at which it made it."""
    found: dict[str, object] = {"files": files(places)}
    found["warehouse"], found["published"] = dump(places.warehouse), dump(places.published)
    for stage in STAGES:
        notebook, report, receipt = products(places, QUARTER, stage)
        found[notebook.name] = outputs(notebook)
        found[receipt.name] = json.loads(receipt.read_text()) if receipt.exists() else None
        found[report.name] = timeless(report.read_text()) if report.exists() else None
    pages = [places.index, *places.charts(QUARTER).iterdir()]
    return found | {page.name: timeless(page.read_text()) for page in pages if page.exists()}


def timeless(page: str) -> str:
    """Return a page without times, and without hashes of executed notebooks, which hold times."""
    return EXECUTED.sub(r"\1executed", TIME.sub("time", page))


def files(places: Places) -> list[str]:
    """Return the files of data and reports."""
    every = [f for folder in (places.data, places.reports) for f in folder.rglob("*")]
    names = [str(f.relative_to(places.data.parent)) for f in every if f.is_file()]
    return sorted(name for name in names if not name.endswith(ASIDE))


def dump(path: Warehouse) -> list[str]:
    """Return a database as statements; a server's as rows."""
    if isinstance(path, Server):
        return [TIME.sub("time", line) for line in lines_of(path)]
    if not path.is_file():
        return []
    with closing(sqlite3.connect(path)) as connection:
        return [TIME.sub("time", line) for line in connection.iterdump()]


def outputs(notebook: Path) -> list[object]:
    """Return the outputs of a notebook."""
    if not notebook.exists():
        return []
    cells = nbformat.read(notebook, as_version=4).cells
    return [TIME.sub("time", json.dumps(cell.get("outputs"))) for cell in cells]


def differences(expected: dict[str, object], found: dict[str, object]) -> Iterator[str]:
    """Yield in words what is not as expected."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            yield f"{name} differs"
    lost, more = (set(expected["files"]), set(found["files"]))
    yield from (f"{name} is left over" for name in sorted(more - lost))


def left_over(site: Site) -> Iterator[str]:
    """Yield temporary files, kernels and locks that are left."""
    yield from (f"{f} is left" for folder in site.temporary for f in folder.rglob("*"))
    end = time.monotonic() + 5
    while site.kernels() + site.forking() and time.monotonic() < end:
        time.sleep(0.1)
    yield from (f"process {pid} is left" for pid in site.kernels() + site.forking())
    for path in (site.places.data / "private").glob(".*.lock"):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield f"{path.name} is held"


def untruths(places: Places, after: dict[str, str], ran: tuple[str, ...]) -> Iterator[str]:
    """Yield what the status tells wrongly: right after the kill, and after one more build."""
    if open_ := {"pending", "running"} & set(after.values()):
        yield f"{open_} of a build that was killed"
    if lies := [s for s in ran if after.get(s) == "done"]:
        yield f"{lies} were told to be done, and were not"
    skipped = [s for s in STAGES if after.get(s) != "done" and s not in ran]
    if [after.get(s) for s in skipped] not in ([], ["interrupted"]):  # one: at its very end
        yield f"{skipped} were done, and not told to be"
    with closing(sqlite3.connect(places.status)) as connection:
        rows = connection.execute(
            "SELECT stage, state, started, ended, reason FROM stage_run ORDER BY id"
        ).fetchall()
    latest = {stage: state for stage, state, *_ in rows}
    if latest != dict.fromkeys(STAGES, "done"):
        yield f"latest states: {latest}"
    for stage, state, started, ended, reason in rows:
        if state in ("pending", "running") or ended is None:
            yield f"a run of {stage} is {state} for ever"
        if state in ("interrupted", "failed", "skipped") and not reason:
            yield f"{stage} is {state} without a reason"
        if started and ended and ended < started:
            yield f"a run of {stage} ended before it began"


def kills(site: Site, count: int, seed: int) -> Iterator[Kill]:
    """Yield `count` kills at random instants of a build, of each target in turn."""
    instants = random.Random(seed)
    for number in range(count):
        yield kill(site, instants.uniform(0, site.seconds), TARGETS[number % len(TARGETS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="notebooks that only pass text on")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), small_project if given.small else real_project)
        print(f"An undisturbed build takes {site.seconds:.1f} s; seed {given.seed}.", flush=True)
        wrong = 0
        for number, found in enumerate(kills(site, given.kills, given.seed), 1):
            ran = f"then {' '.join(found.ran) or 'nothing'} ran"
            said = "; ".join(found.wrong)[:2000] or "equal"
            print(
                f"{number:>4}  {found.instant:5.2f} s  {found.target:<21}  {found.hit:<24}"
                f"  {ran}: {said}",
                flush=True,
            )
            wrong += bool(found.wrong)
        print(f"{given.kills} kills, {wrong} not made good.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
