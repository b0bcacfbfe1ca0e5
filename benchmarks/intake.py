"""The three stages beside a bare `sqlite3 .import` of the same file, and beside other tools.

    python benchmarks/intake.py --rows 1000000 --pairs 5 --beside build duckdb

Whole processes, everything included, in turns whose order alternates. Our runs replace an
earlier load each time. Each run becomes a line of JSON in benchmarks/results/ROWS.jsonl;
benchmarks/page.py makes docs/performance.md of them.
"""

import argparse
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from process import cost

HERE = Path(__file__).parent
ROOT = HERE.parent
QUARTER = "2026Q3"
PRODUCT = ROOT / ".venv/bin"
OTHERS = ROOT / ".venv-bench/bin"
TOOLS = ("duckdb", "pandas", "sqlite-utils", "dlt")


class Run(NamedTuple):
    """A command, the folder it runs in, and the result that is removed before it runs."""

    command: list[object]
    folder: Path | None = None
    anew: Path | None = None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--beside", nargs="*", default=[], choices=["build", *TOOLS])
    parser.add_argument("--folder", type=Path, help="keep the generated file here, to use it again")
    return parser.parse_args()


def main() -> None:
    wish = arguments()
    if shutil.which("sqlite3") is None:
        sys.exit("The command sqlite3 is missing: apt-get install sqlite3.")
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        source = delivery(wish.folder or work, wish.rows)
        runs = {"stages": stages(work / "stages", source), "import": bare(work, source)}
        if "build" in wish.beside:
            runs["build"] = build(work / "build", source)
        runs |= {tool: beside(tool, work, source) for tool in TOOLS if tool in wish.beside}
        for run in runs.values():
            if run.anew is None:
                cost(run.command, run.folder)  # uncounted: makes what later ones replace
        results = HERE / "results" / f"{wish.rows}.jsonl"
        results.parent.mkdir(exist_ok=True)
        lines = [*measured(runs, wish.pairs), facts(work / "stages", source)]
    text = "".join(json.dumps({"rows": wish.rows, **line}) + "\n" for line in lines)
    results.write_text(text, encoding="utf-8")


def delivery(folder: Path, rows: int) -> Path:
    """Return a generated file of so many records, made unless it lies there already."""
    path = folder / f"{rows}.csv"
    if not path.is_file():
        draft = path.with_suffix(".draft")
        cost([PRODUCT / "python", HERE / "delivery.py", rows, draft])
        draft.rename(path)
    return path


def stages(data: Path, source: Path) -> Run:
    return Run([PRODUCT / "python", HERE / "stages.py", scratch_data(data, source)])


def build(data: Path, source: Path) -> Run:
    places = ["--env--data", scratch_data(data, source), "--env--reports", data / "reports"]
    force = ["--partially", "load", "--force", "--env--quarter", QUARTER]
    return Run([PRODUCT / "ploomber", "build", *force, *places], ROOT)


def scratch_data(data: Path, source: Path) -> Path:
    """Return a data folder with the shipped contract and the file as its only delivery."""
    inbox = data / "deliveries" / QUARTER
    inbox.mkdir(parents=True)
    shutil.copy(ROOT / "data/contract.yaml", data)
    try:
        os.link(source, inbox / "all.csv")
    except OSError:  # another file system
        shutil.copy(source, inbox / "all.csv")
    return data


def bare(work: Path, source: Path) -> Run:
    made = work / "bare.db"
    return Run(["sqlite3", made, ".mode csv", f".import {source} t"], anew=made)


def beside(tool: str, work: Path, source: Path) -> Run:
    made = work / f"{tool}.db"
    return Run([OTHERS / "python", HERE / "tools.py", tool, source, made], anew=made)


def measured(runs: dict[str, Run], pairs: int) -> Iterator[dict[str, object]]:
    """Yield a line for each run: what, turn, seconds, cpu, peak (MB)."""
    for turn in range(1, pairs + 1):
        for what in list(runs) if turn % 2 else reversed(runs):
            run = runs[what]
            if run.anew:
                run.anew.unlink(missing_ok=True)
            spent = cost(run.command, run.folder)
            print(f"turn {turn}: {what} {spent.seconds:.2f} s, {spent.peak:.0f} MB", flush=True)
            yield {"what": what, "turn": turn, **spent._asdict()}


def facts(data: Path, source: Path) -> dict[str, object]:
    """Return what else the page says: sizes in MB (table: its indexes included), the machine."""
    size = (
        "SELECT sum(pgsize) FROM dbstat"
        " WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name GLOB 'result_*')"
    )
    with closing(sqlite3.connect(data / "private/warehouse.db")) as connection:
        table = connection.execute(size).fetchone()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "what": "facts",
        "table": table / 1e6,
        "file": source.stat().st_size / 1e6,
        "cores": os.cpu_count(),
        "memory": round(memory / 1e9),
    }


if __name__ == "__main__":
    main()
