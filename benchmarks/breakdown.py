"""Where the time goes: CPU seconds per million records of each stage, one after the other.

    python benchmarks/breakdown.py --rows 1000000

Below the stages stand the least that their parts can cost: reading the bytes with SHA-256, and
parsing the file with the options of the reader. Written to benchmarks/results/breakdown.json.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from intake import HERE, QUARTER, delivery, scratch_data
from pyarrow import csv
from stages import steps

START = time.process_time()  # what the imports above have cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the generated file here, to use it again")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source = delivery(wish.folder or Path(scratch), wish.rows)
        data = scratch_data(Path(scratch) / "data", source)
        first = stage_times(data)
        spent = stage_times(data)  # replaces what the first has loaded
        file = data / "deliveries" / QUARTER / "all.csv"
        least = {"sha256": cpu(lambda: digest(file)), "parse": cpu(lambda: parse(file))}
    spent["replace"] = max(spent["load"] - first["load"], 0.0)
    per_million = {name: s / wish.rows * 1e6 for name, s in (spent | least).items()}
    result = {"rows": wish.rows, "start": START, **per_million}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results/breakdown.json").write_text(json.dumps(result), encoding="utf-8")
    print(*(f"{name} {value:.2f}" for name, value in result.items()), sep="\n")


def cpu(step: Callable[[], object]) -> float:
    begin = time.process_time()
    step()
    return time.process_time() - begin


def stage_times(data: Path) -> dict[str, float]:
    return {name: cpu(step) for name, step in steps(data)}


def digest(file: Path) -> None:
    with file.open("rb") as opened:
        hashlib.file_digest(opened, "sha256")


def parse(file: Path) -> None:
    with file.open("rb") as opened:
        names = opened.readline().decode().strip().split(",")
    reader = csv.open_csv(
        file,
        csv.ReadOptions(block_size=8 << 20, use_threads=False),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.binary()))
        ),
    )
    for _ in reader:
        pass


if __name__ == "__main__":
    main()
