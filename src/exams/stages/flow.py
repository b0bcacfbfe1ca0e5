"""The three stages of intake in one process, each a few parts ahead of the next."""

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from exams.contract import Contract
from exams.intake.flow import ahead
from exams.places import Places
from exams.stages.extract import extracting, find_files
from exams.stages.load import Loaded, loading
from exams.stages.transform import transforming

_GIVING_WAY = 10  # of 19: what others of this process leave, but not nothing
Item = TypeVar("Item")


def run(places: Places, quarter: str, contract: Contract, limit: int) -> Loaded:
    """Extract, transform and load `quarter`: the same steps as those of the notebooks.

    limit: bytes that a file may have when it is unpacked.
    """
    raw, clean = (places.interim(quarter, stage) for stage in ("extract", "transform"))
    found = find_files(places, quarter, contract, limit)
    read = extracting(found, raw, limit)
    judged = transforming(ahead(_giving_way(read)), raw, contract, clean)
    items = ahead(_giving_way(judged))
    return loading(items, clean, contract, places.warehouse, quarter, found.repeats)


def _giving_way(items: Iterable[Item]) -> Iterator[Item]:
    """Let the thread that makes `items`, and those it starts, give way to the others.

    The last stage can write to the warehouse with one thread only: the end waits for that one.
    """
    if sys.platform == "linux":  # where each thread has a priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _GIVING_WAY)
    yield from items
