"""Carries benchmarks/cluster.py to 1,000 files of 10,000,000 rows: python benchmarks/scale.py

Two things are done. The build's own part is run at full size on two workers whose calls return at
once what real ones would (`pretended`): that gives the build's time for each call, and its memory.
And the calls are laid out on any number of workers (`simulated`), with the times that cluster.py
has measured. Results go into docs/scale.md, between the marks of their names.
"""

import heapq
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from subprocess import run

import numpy as np

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs/scale.md"
FILES, MILLIONS = 1_000, 10  # of rows a file
PARTS = 7  # of a million rows, as cluster.py counts them
ROWS = 10**6 // PARTS  # of a part
LOAD, HASH = 0.55, 0.04  # CPU s per million rows, docs/performance.md
MERGE = 0.05  # s to add up eight cubes
BYTES = {"delivered": 56, "raw": 34, "clean": 20}  # of a row
WORKERS = (1, 2, 8, 32, 128, 512)
SPREAD = 0.2  # standard deviation of what a call takes, of its mean


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps(pretended(int(sys.argv[1]))))
        return
    from page import filled

    driver = [at_size(files) for files in (FILES // 10, FILES)]
    measured = json.loads((HERE / "results/cluster.json").read_text())
    text = PAGE.read_text(encoding="utf-8")
    text = filled(text, "driver", driver_table(driver))
    text = filled(text, "simulation", simulation_table(measured, driver[-1]["per_call"]))
    PAGE.write_text(text, encoding="utf-8")


def at_size(files: int) -> dict[str, float]:
    command = [sys.executable, __file__, str(files)]
    return json.loads(run(command, capture_output=True, text=True, check=True).stdout)


# The build at full size, its workers idle.


def pretend_extract(_deliveries, _out, number, arrival, layout, _limit):
    from exams.intake.parts import Extracted, part_name
    from exams.intake.reading.delivery import delivery_from

    names = tuple(part_name(number, place, mark="-0a1b2c3d") for place in range(PARTS * MILLIONS))
    return Extracted(delivery_from(number, arrival, layout), len(names) * ROWS, 0, names)


def pretend_judge(_raw, _out, _contract, _key, _delivery, names, _repeats):
    from exams.intake.judging.columns import Tally
    from exams.stages.there import Batch

    return Batch(tuple(names), "one.npz", (), Tally(clean=len(names) * ROWS))


def pretend_merge(out, contract, _names):
    from exams.statistics.cube import Cube

    Cube.empty(contract).save(out.folder / "one.npz")
    return "one.npz"


def pretended(files: int) -> dict[str, float]:
    """Run extract and transform on so many files that are not there; return what that costs here.

    calls, seconds and CPU seconds for each, and the peak memory of this process in MB.
    """
    import cluster as bench

    from exams.contract import read_contract
    from exams.intake.reading.arrivals import Arrival
    from exams.intake.reading.layout import inspect
    from exams.stages import spread
    from exams.stages.extract import Found, extract
    from exams.stages.transform import transform

    spread.extract_file, spread.judge_parts = pretend_extract, pretend_judge
    spread.merge_cubes = pretend_merge
    contract = read_contract(HERE.parent / "data/contract.yaml")
    with tempfile.TemporaryDirectory() as scratch, bench.workers(2):
        sample = Path(scratch, "a.csv")
        run([sys.executable, HERE / "delivery.py", "10", sample], check=True)
        layout = inspect(sample, sample.name, contract, bench.LIMIT)
        arrivals = (Arrival(sample, f"{n:04}.csv", 10**8, f"{n:064x}") for n in range(files))
        found = Found(tuple((arrival, layout) for arrival in arrivals), (), ())
        raw, clean = (Path(scratch, bench.QUARTER, stage) for stage in ("extract", "transform"))
        wall, cpu = time.perf_counter(), time.process_time()
        read = extract(found, raw, bench.LIMIT)
        judged = transform(raw, contract, clean)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    calls = len(calls_of(len(read)))
    peak = getrusage(RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    parts = sum(len(j.parts) for j in judged)
    return {"files": files, "parts": parts, "calls": calls, "peak": peak, "seconds": wall} | {
        "per_call": cpu / calls
    }


# Any number of workers.


def calls_of(files: int, extract: float = 0, transform: float = 0) -> list[tuple[str, float]]:
    """Return stage and seconds of each call; extract and transform: of a million rows."""
    group = 16 / PARTS  # millions of rows
    full, rest = divmod(MILLIONS, group)  # the last call of a file has fewer
    found = [("extract", extract * MILLIONS)] * files
    groups = [("transform", transform * size) for size in [group] * int(full) + [rest]]
    found += groups * files
    cubes = len(found) - files
    while cubes > 1:
        cubes = -(-cubes // 8)
        found += [("cubes", MERGE)] * cubes
    return found


def simulated(
    calls: Sequence[tuple[str, float]], workers: int, per_call: float
) -> dict[str, float]:
    """Return when each stage is done: calls go to whoever is free first, the build sends each."""
    random = np.random.default_rng(1)
    free, now, ends = [0.0] * workers, 0.0, dict[str, float]()
    for stage in dict.fromkeys(stage for stage, _ in calls):
        sent = now = max(free)
        free = [now] * workers
        for seconds in (seconds for of, seconds in calls if of == stage):
            sent += per_call
            begin = max(heapq.heappop(free), sent)
            heapq.heappush(free, begin + seconds * max(random.normal(1, SPREAD), 0.2))
        ends[stage] = max(free) - now
    return ends


def simulation_table(measured: dict, per_call: float) -> Iterator[str]:
    """Yield, by number of workers, what each stage takes, and what passes through the storage."""
    from page import table

    extract, transform = (_of_one(measured, stage) for stage in ("extract", "transform"))
    calls = calls_of(FILES, extract, transform)
    rows, moved = FILES * MILLIONS, BYTES["delivered"] + 2 * BYTES["raw"] + BYTES["clean"]
    for_load = LOAD * rows
    lines = []
    for workers in WORKERS:
        ends = simulated(calls, workers, per_call)
        spread = sum(ends.values())
        lines.append(
            [
                f"{workers:,}",
                *(_time(ends[stage]) for stage in ("extract", "transform", "cubes")),
                _time(HASH * rows),
                _time(for_load),
                _time(HASH * rows + spread + for_load),
                f"{moved * rows * 1e6 / spread / 1e9:,.1f} GB/s",
            ]
        )
    head = ["workers", "extract", "transform", "cubes", "hashes", "load", "sum", "shared folder"]
    return table(head, lines)


def _of_one(measured: dict, stage: str) -> float:
    """Return the CPU seconds of a worker for a million rows of a stage, the least of all turns."""
    found = [turn for turn in measured["turns"] if turn["way"] == "one worker"]
    rows = measured["files"] * measured["rows"] / 1e6
    return min(turn["by_stage"][stage] for turn in found) / rows


def driver_table(found: Sequence[dict[str, float]]) -> Iterator[str]:
    from page import table

    rows = [
        [
            f"{line['files']:,}",
            f"{line['parts']:,}",
            f"{line['calls']:,}",
            f"{line['per_call'] * 1e3:.1f} ms",
            f"{line['peak']:.0f} MB",
        ]
        for line in found
    ]
    return table(["files", "parts", "calls", "CPU of the build a call", "peak memory"], rows)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    main()
