"""How long disclosure control takes, and how much it hides: python benchmarks/disclosure.py.

`--quarters 40`: generated quarters of about 1,000 records of the shipped contract, protected and
attacked one after the other. `--file CSV`: what is hidden of one delivery. The share that is lost
is of the information of counts: the sum of log2(2 + n) over all cells that are not zero.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from exams.contract import Contract, read_contract
from exams.disclosure import protect, secure
from exams.places import Places
from exams.samples import write_quarter
from exams.stages import model
from exams.stages.extract import extract, find_files
from exams.stages.load import load
from exams.stages.transform import transform
from exams.statistics.cells import ALL

ROOT = Path(__file__).parents[1]
LIMIT = 100_000_000
Frames = Mapping[str, pd.DataFrame]


def figures(places: Places, contract: Contract, quarter: str) -> dict[str, pd.DataFrame]:
    """Load a delivered quarter and return the figures that disclosure control protects."""
    raw, clean = (places.interim(quarter, stage) for stage in ("extract", "transform"))
    extract(find_files(places, quarter, contract, LIMIT), raw, LIMIT)
    transform(raw, contract, clean)
    load(clean, contract, places.warehouse, quarter)
    cube = model.read_cube(places.warehouse, contract, quarter)
    made = {"mean_by_group": model.mean_by_group(cube)}
    made["mean_by_crossing"] = model.mean_by_crossing(cube)
    made["at_risk_by_group"] = model.at_risk_by_group(cube)
    made["level_by_group"] = model.level_by_group(cube)
    made["levels"] = model.levels(made["level_by_group"])
    made["histogram"] = model.histogram(cube)
    made["modal_level"] = model.modal_level(made["level_by_group"])
    made["gaps"] = model.gaps(made["mean_by_group"])
    made["score_gaps"] = model.score_gaps(cube)
    made["adjusted_gaps"] = model.adjusted_gaps(cube)
    return {name: frame.assign(quarter=quarter) for name, frame in made.items()}


def lost(true: Frames, shown: Frames) -> pd.DataFrame:
    """Return cells, hidden, and the share of the information that is lost, by kind of count."""
    columns = {
        "groups": ("mean_by_group", "n"),
        "crossings": ("mean_by_crossing", "n"),
        "at risk": ("at_risk_by_group", "at_risk"),
        "score levels": ("levels", "n"),
        "of groups": ("level_by_group", "n"),
        "bins": ("histogram", "n"),
    }
    rows = []
    for kind, (table, column) in columns.items():
        n = true[table][column].to_numpy(float)
        bits = np.where(n > 0, np.log2(2 + n), 0.0)
        away = (shown[table]["suppressed"] == 1).to_numpy()
        rows.append((kind, int((n > 0).sum()), int(away.sum()), bits.sum(), bits[away].sum()))
    found = pd.DataFrame(rows, columns=["kind", "cells", "hidden", "bits", "lost"])
    whole = (
        found.drop(columns="kind")
        .sum()
        .to_frame()
        .T.assign(kind=ALL)
        .astype({"cells": int, "hidden": int})
    )
    found = pd.concat([found, whole], ignore_index=True)
    percent = (100 * found["lost"] / found["bits"]).round(2)
    return found.assign(percent=percent).drop(columns=["bits", "lost"]).set_index("kind")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--quarters", type=int, default=40)
    ask.add_argument("--file", type=Path)
    ask.add_argument("--rows", type=int, help="only the first so many records of the file")
    given = ask.parse_args()
    contract = read_contract(ROOT / "data/contract.yaml")
    with TemporaryDirectory() as folder:
        places = Places.of(f"{folder}/data", f"{folder}/reports")
        if given.file:
            target = places.delivery("2019Q1")
            target.mkdir(parents=True)
            lines = given.file.read_text().splitlines(keepends=True)
            lines = lines[: 1 + given.rows] if given.rows else lines
            (target / "file.csv").write_text("".join(lines))
            true = figures(places, contract, "2019Q1")
            tables, verdict = secure(protect(true, contract), contract)
            print(lost(true, tables).to_string())
            print(f"{verdict.hidden} hidden counts, narrowest range {verdict.narrowest:.0f}")
        else:
            _time(places, contract, given.quarters)


def _time(places: Places, contract: Contract, quarters: int) -> None:
    made = []
    sample = json.loads((ROOT / "data/sample.json").read_text("utf-8"))
    for number in range(quarters):
        quarter = f"{2000 + number // 4}Q{number % 4 + 1}"
        list(write_quarter(sample, quarter, places.delivery(quarter)))
        made.append(figures(places, contract, quarter))
    protecting = attacking = 0.0
    for true in made:
        start = time.process_time()
        tables = protect(true, contract)
        middle = time.process_time()
        secure(tables, contract)
        protecting += middle - start
        attacking += time.process_time() - middle
    hidden = sum(int(t["suppressed"].sum()) for t in tables.values())
    print(f"{quarters} quarters: protected in {protecting:.1f} s, attacked in {attacking:.1f} s")
    print(f"{hidden} rows of the last quarter are hidden")


if __name__ == "__main__":
    main()
