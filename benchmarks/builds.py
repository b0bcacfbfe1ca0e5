"""Whole builds of small quarters, beside papermill alone and beside the import of Ploomber.

    python benchmarks/builds.py idle | cold | further [--pairs 5] [--quarters 8]

idle     a quarter that is up to date             beside  python -c "import ploomber"
cold     a quarter of which nothing is there      beside  its notebooks and reports, by papermill
further  each further one of several quarters     beside  its notebooks, by papermill

Whole processes in turns whose order alternates; what a further quarter costs is what several
take longer than one, divided by how many more they are. Each run becomes a line of JSON in
benchmarks/results/builds/MODE.jsonl; benchmarks/page.py makes docs/performance.md of them.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from process import cost

from exams.quarters import shift

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results/builds"
BIN = ROOT / ".venv/bin"
NEWEST = "2026Q3"
ROWS = 1_000
MADE = ("data/private", "data/published", "data/status", "reports")


class Run(NamedTuple):
    """A command, the project it runs in, and whether what it makes is removed before."""

    command: list[object]
    folder: Path
    anew: bool = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--quarters", type=int, default=8, help="of which all but one are further")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = MODES[wish.mode](Path(scratch), wish.quarters)
        lines = [*measured(runs, wish.pairs)]
    text = "".join(json.dumps({"quarters": wish.quarters, **line}) + "\n" for line in lines)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{wish.mode}.jsonl").write_text(text, encoding="utf-8")


def idle(scratch: Path, _: int) -> dict[str, Run]:
    root = make_project(scratch / "one", 1)
    build = Run([BIN / "ploomber", "build"], root, anew=False)
    cost(build.command, root)
    return {"build": build, "beside": Run([BIN / "python", "-c", "import ploomber"], root, False)}


def cold(scratch: Path, _: int) -> dict[str, Run]:
    root = make_project(scratch / "one", 1)
    return {
        "build": Run([BIN / "ploomber", "build"], root),
        "beside": Run([BIN / "python", HERE / "notebooks.py", root, "--report"], root),
    }


def further(scratch: Path, quarters: int) -> dict[str, Run]:
    one, all_ = make_project(scratch / "one", 1), make_project(scratch / "all", quarters)
    build, papermill = [BIN / "exams", "build", "--due"], [BIN / "python", HERE / "notebooks.py"]
    return {
        "build one": Run(build, one),
        "build": Run(build, all_),
        "beside one": Run([*papermill, one], one),
        "beside": Run([*papermill, all_], all_),
    }


MODES = {"idle": idle, "cold": cold, "further": further}


def make_project(folder: Path, quarters: int) -> Path:
    """Make a project that has files of so many quarters."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    for name in ("pipeline.yaml", "env.yaml"):
        shutil.copy(ROOT / name, folder)
    settings = (folder / "env.yaml").read_text(encoding="utf-8")
    kept = [line for line in settings.splitlines() if not line.startswith("quarter:")]
    (folder / "env.yaml").write_text("\n".join([*kept, f"quarter: {NEWEST}", ""]))
    for by in range(quarters):
        inbox = folder / "data/deliveries" / shift(NEWEST, -by)
        inbox.mkdir(parents=True)
        rows = ROWS + by  # so that no two have the same bytes, which would be refused
        cost([BIN / "python", HERE / "delivery.py", rows, inbox / "all.csv"])
    shutil.copy(ROOT / "data/contract.yaml", folder / "data")
    return folder


def measured(runs: dict[str, Run], pairs: int) -> Iterator[dict[str, object]]:
    """Yield a line for each run: what, turn, seconds, cpu, peak (MB)."""
    for turn in range(1, pairs + 1):
        for what in list(runs) if turn % 2 else reversed(runs):
            run = runs[what]
            for made in MADE if run.anew else ():
                shutil.rmtree(run.folder / made, ignore_errors=True)
            spent = cost(run.command, run.folder)
            print(f"turn {turn}: {what} {spent.seconds:.2f} s, CPU {spent.cpu:.2f} s", flush=True)
            yield {"what": what, "turn": turn, **spent._asdict()}


if __name__ == "__main__":
    main()
