"""Three validated stages beside a bare `sqlite3 .import` of the same file.

Whole processes in alternating pairs; the ratio of each pair, and its median. Usage:
python benchmarks/intake.py [RECORDS] [PAIRS]
"""

import csv
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from exams import samples

ROOT = Path(__file__).parents[1]
DIRTY = 0.02
STAGES = """
import sys
from pathlib import Path
from exams.contract import read_contract
from exams.stages.extract import extract, find_deliveries
from exams.stages.load import load
from exams.stages.transform import transform
contract, inbox, work = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
rules = read_contract(contract)
extract(inbox, find_deliveries(inbox), rules, work / "raw")
transform(work / "raw", rules, work / "clean")
load(work / "clean", rules, work / "warehouse.db", inbox.name)
"""


def write_delivery(path: Path, records: int) -> None:
    """Write a generated delivery; 2 % of its records have a score beyond its bounds."""
    sample = json.loads((ROOT / "data/sample.json").read_text(encoding="utf-8"))
    random = np.random.default_rng(1)
    columns = samples.draw(sample, records, random, {})
    last = list(columns)[-1]
    columns[last] = np.where(random.random(records) < DIRTY, 999, columns[last])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(c.tolist() for c in columns.values()), strict=True))


def seconds(*command: object) -> float:
    begin = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    records, pairs = (int(word) for word in [*sys.argv[1:], "1000000", "5"][:2])
    if shutil.which("sqlite3") is None:
        sys.exit("The command sqlite3 is missing: apt-get install sqlite3.")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        inbox = work / "2026Q3"
        inbox.mkdir()
        write_delivery(inbox / "all.csv", records)
        stages = (sys.executable, "-c", STAGES, ROOT / "data/contract.yaml", inbox, work)
        bare = ("sqlite3", work / "bare.db", ".mode csv", f".import {inbox / 'all.csv'} t")
        seconds(*stages)  # the first run also makes what later ones replace
        ratios = []
        for number in range(1, pairs + 1):
            (work / "bare.db").unlink(missing_ok=True)
            mine, theirs = seconds(*stages), seconds(*bare)
            ratios.append(mine / theirs)
            print(f"pair {number}: stages {mine:.2f} s, import {theirs:.2f} s", flush=True)
    print(f"{records:,} records: {statistics.median(ratios):.2f} x a bare import (median)")


if __name__ == "__main__":
    main()
