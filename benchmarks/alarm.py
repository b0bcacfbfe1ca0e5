"""How often the alarm on change is right: simulated quarters of the sample, with known shifts.

    PYTHONPATH=tests python benchmarks/alarm.py

Per size and shift, 200 pairs of quarters: in how many is there an alarm? Without a shift it is
false; with one, the share is the power. Beside the share stand its standard error and, for a
shift of one score, the power in theory. Written to benchmarks/results/alarm.json; one case with
more pairs: --sizes 1000 --shifts 0.2 --pairs 2000 (the first 200 of them are the same).
"""

import argparse
import json
from itertools import product
from math import sqrt

import numpy as np
import pandas as pd
from intake import HERE
from scipy import stats

from cubes import cube_of
from exams.contract import Contract, read_contract
from exams.samples import draw
from exams.statistics.change import mean_changes

DATA = HERE.parent / "data"
SIZES = (300, 1_000, 3_000)
SHIFTS = (0.0, 0.1, 0.2)  # standard deviations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--shifts", type=float, nargs="*", default=SHIFTS)
    wish = parser.parse_args()
    contract = read_contract(DATA / "contract.yaml")
    sample = json.loads((DATA / "sample.json").read_text("utf-8"))
    many = draw(sample, 100_000, np.random.default_rng(1), {})
    sd = {s.name: float(many[s.name].std()) for s in contract.scores}
    cases = [
        (shift, number) for shift in wish.shifts for number in ((1, len(sd)) if shift else (0,))
    ]
    rows = []
    for size, (shift, number) in product(wish.sizes, cases):
        random = np.random.default_rng([size, round(shift * 100), number])
        moved = {name: shift * sd[name] for name in list(sd)[:number]}
        alarms = [pair(sample, contract, random, size, moved) for _ in range(wish.pairs)]
        found = {"rows": size, "shift": shift, "scores": number, "pairs": wish.pairs}
        share = sum(alarms) / wish.pairs
        error = sqrt(share * (1 - share) / wish.pairs)
        theory = power(size, shift, contract) if number == 1 else None
        rows.append(found | {"alarms": sum(alarms), "error": error, "theory": theory})
        print(*found.values(), f"{share:.1%} +- {error:.1%}", theory, sep="\t", flush=True)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results/alarm.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


def power(size: int, shift: float, contract: Contract) -> float:
    """Return the power in theory for a shift of one score, leaving the others aside.

    It must be found by the first step of Holm's correction, two-sided, and be large enough.
    """
    rule, tests = contract.alarm, len(contract.reported)
    sure = stats.t.ppf(1 - rule.p / (2 * tests), 2 * size - 2)
    large = rule.effect * sqrt(size / 2)
    return float(stats.norm.sf(max(sure, large) - shift * sqrt(size / 2)))


def pair(
    sample: dict, contract: Contract, random: np.random.Generator, size: int, moved: dict
) -> bool:
    now, former = (
        cube_of(pd.DataFrame(draw(sample, size, random, by)), contract) for by in (moved, {})
    )
    return bool(mean_changes(now, former)["alarm"].any())


if __name__ == "__main__":
    main()
