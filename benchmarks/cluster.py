"""extract and transform on two workers of one thread each, beside one process of one thread.

    python benchmarks/cluster.py --files 20 --rows 1000000 --pairs 3

Each way runs in a process of its own, in turns whose order alternates; the files are hashed
anew each time. The workers have been started before, as those of a cluster have. A run waits up to
20 s for the machine to be idle, and what others take of it meanwhile is noted. Results go to
benchmarks/results/cluster.json; benchmarks/page.py writes them into docs/performance.md.
benchmarks/scale.py carries them to more files.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from subprocess import run
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
QUARTER = "2026Q3"
LIMIT = 100_000_000_000  # bytes
WAYS = {"process": 0, "one worker": 1, "two workers": 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the generated files here")
    parser.add_argument("--way", choices=WAYS, help="run this way once, and print what it cost")
    wish = parser.parse_args()
    if wish.way:
        print(json.dumps(spent(wish.folder, WAYS[wish.way])))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = wish.folder or Path(scratch)
        deliver(folder, wish.files, wish.rows)
        turns = [line for turn in range(1, wish.pairs + 1) for line in in_turn(folder, turn)]
        fewer = max(wish.files // 4, 1)
        deliver(folder, fewer, wish.rows)
        less = once(folder, "two workers")
    found = {"files": wish.files, "rows": wish.rows, "cores": os.cpu_count(), "turns": turns}
    found |= {"fewer": {"files": fewer, "peak": less["peak"]}}
    results = HERE / "results/cluster.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(found, indent=1), encoding="utf-8")


def in_turn(folder: Path, turn: int) -> Iterator[dict[str, Any]]:
    for way in list(WAYS) if turn % 2 else reversed(WAYS):
        cost = once(folder, way)
        told = f"{cost['seconds']:.2f} s, CPU {cost['cpu']:.2f} s, {cost['peak']:.0f} MB"
        print(f"turn {turn}: {way} {told}, others {cost['others']:.0%}", flush=True)
        yield {"way": way, "turn": turn, **cost}


def once(folder: Path, way: str) -> dict[str, float]:
    (folder / "private/.deliveries.json").unlink(missing_ok=True)  # where hashes are noted
    os.sync()
    settle()
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    return json.loads(run(command, capture_output=True, text=True, check=True).stdout)


def machine() -> tuple[float, float]:
    """Return the CPU seconds that this machine has been busy and idle, all cores together."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return tuple(part / os.sysconf("SC_CLK_TCK") for part in (sum(ticks) - idle, idle))


def settle() -> None:
    """Wait until the machine has been nearly idle for two seconds, at most 20 s."""
    for _ in range(10):
        busy, idle = machine()
        time.sleep(2)
        now = machine()
        if now[0] - busy < 0.05 * (sum(now) - busy - idle):
            return


def deliver(folder: Path, files: int, rows: int) -> None:
    """Lay a data folder with so many files of the same records, each in an order of its own."""
    shutil.rmtree(inbox := folder / "deliveries" / QUARTER, ignore_errors=True)
    inbox.mkdir(parents=True)
    shutil.copy(ROOT / "data/contract.yaml", folder)
    first = folder / f"{rows}.csv"
    if not first.is_file():
        run([sys.executable, HERE / "delivery.py", str(rows), first], check=True)
    head, _, body = first.read_bytes().partition(b"\n")
    for number in range(files):
        at = body.index(b"\n", number * len(body) // files) + 1
        with (inbox / f"{number:03}.csv").open("wb") as file:
            file.writelines([head, b"\n", memoryview(body)[at:], memoryview(body)[:at]])


def spent(folder: Path, number: int) -> dict[str, float]:
    """Return seconds by stage, and the peak memory of the driver, with so many workers or none."""
    from exams.contract import contract_of
    from exams.intake.flow import one_thread
    from exams.places import Places
    from exams.stages.extract import extract, find_files
    from exams.stages.transform import transform

    places = Places.of(folder, folder / "reports")
    contract = contract_of(places, QUARTER)
    raw, clean = (places.interim(QUARTER, stage) for stage in ("extract", "transform"))
    here = workers(number) if number else one_core()
    with here as clocks, nullcontext() if number else one_thread():
        before, idle_before, begin = clocks(), machine(), time.perf_counter()
        extract(find_files(places, QUARTER, contract, LIMIT), raw, LIMIT)
        middle, between = clocks(), time.perf_counter()
        judged = transform(raw, contract, clean)
        end, idle_after, after = time.perf_counter(), machine(), clocks()
    driver, scheduler, *others = spans(before, after)
    busy, idle = (now - then for then, now in zip(idle_before, idle_after, strict=True))
    return {
        "seconds": end - begin,
        "cpu": driver + sum(others) / max(number, 1),
        "driver": driver,
        "others": max(busy - driver - scheduler - sum(others), 0) / (busy + idle),
        "by_stage": {  # CPU seconds of all workers
            "extract": sum(spans(before, middle)[2:]),
            "transform": sum(spans(middle, after)[2:]),
        },
        "extract": between - begin,
        "transform": end - between,
        "peak": getrusage(RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "received": sum(j.received for j in judged),
        "parts": sum(len(j.parts) for j in judged),
    }


def spans(before: list[float], after: list[float]) -> list[float]:
    return [now - then for then, now in zip(before, after, strict=True)]


@contextmanager
def one_core() -> Iterator[Callable[[], list[float]]]:
    """Let this process run on one core: what it starts as a thread takes turns with it."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    yield lambda: [time.process_time(), 0.0]
    os.sched_setaffinity(0, every)


@contextmanager
def workers(number: int) -> Iterator[Callable[[], list[float]]]:
    """Start workers of one thread each, in processes beside a scheduler in one of its own.

    Yield what returns the CPU seconds so far of this process, the scheduler and each worker.
    """
    from distributed import Client, SubprocessCluster

    from exams import cluster

    kind = {"n_workers": number, "threads_per_worker": 1, "dashboard_address": None}
    with (
        SubprocessCluster(**kind, silence_logs=50) as started,
        Client(started, set_as_default=False) as client,
    ):
        client.wait_for_workers(number)
        client.run(__import__, "exams.stages.there")
        asked = {cluster.EXECUTOR: "dask", cluster.SCHEDULER: started.scheduler_address}
        os.environ |= asked | {cluster.STORAGE: ""}
        yield lambda: [
            time.process_time(),
            client.run_on_scheduler(time.process_time),
            *client.run(time.process_time).values(),
        ]


if __name__ == "__main__":
    main()
