"""extract, transform and load of one quarter in one process: python benchmarks/stages.py DATA.

DATA is a data folder with contract.yaml and deliveries/2026Q3/. What is measured is named here
alone.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from exams.contract import read_contract
from exams.places import Places

QUARTER = "2026Q3"


def places_of(data: Path) -> Places:
    return Places.of(data, data / "reports")


def whole(places: Places) -> None:
    """Run the three stages as one, as the product does it in one process."""
    for _, step in steps(places):
        step()


def steps(places: Places) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the stages by name, each to be called when its turn comes."""
    from exams.stages.extract import extract, find_deliveries
    from exams.stages.load import load
    from exams.stages.transform import transform

    inbox, rules = places.delivery(QUARTER), read_contract(places.contract)
    raw, clean = (places.interim(QUARTER, stage) for stage in ("extract", "transform"))
    yield "extract", lambda: extract(inbox, find_deliveries(inbox), rules, raw)
    yield "transform", lambda: transform(raw, rules, clean)
    yield "load", lambda: load(clean, rules, places.warehouse, QUARTER)


if __name__ == "__main__":
    whole(places_of(Path(sys.argv[1])))
