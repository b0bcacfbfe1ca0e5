"""extract, transform and load of one quarter in one process: python benchmarks/stages.py DATA.

DATA is a data folder with contract.yaml and deliveries/2026Q3/.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from exams.contract import Contract, contract_of
from exams.places import Places
from exams.stages.extract import extract, find_files
from exams.stages.flow import run
from exams.stages.load import load
from exams.stages.transform import transform

QUARTER = "2026Q3"
LIMIT = 100_000_000_000  # bytes


def whole(data: Path) -> None:
    """Run the three stages at the same time, each a few parts ahead of the next."""
    places, contract = _opened(data)
    run(places, QUARTER, contract, LIMIT)


def steps(data: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the stages by name as the notebooks call them, one after the other."""
    places, contract = _opened(data)
    raw, clean = (places.interim(QUARTER, stage) for stage in ("extract", "transform"))
    yield "extract", lambda: extract(find_files(places, QUARTER, contract, LIMIT), raw, LIMIT)
    yield "transform", lambda: transform(raw, contract, clean)
    yield "load", lambda: load(clean, contract, places.warehouse, QUARTER)


def _opened(data: Path) -> tuple[Places, Contract]:
    places = Places.of(data, data / "reports")
    return places, contract_of(places, QUARTER)


if __name__ == "__main__":
    whole(Path(sys.argv[1]))
