"""The three stages of intake in one process, each a few parts ahead of the next."""

from exams.contract import Contract
from exams.intake.flow import ahead
from exams.places import Places
from exams.stages.extract import extracting, find_files
from exams.stages.load import Loaded, loading
from exams.stages.transform import transforming


def run(places: Places, quarter: str, contract: Contract, limit: int) -> Loaded:
    """Extract, transform and load `quarter`: the same steps as those of the notebooks.

    limit: bytes that a file may have when it is unpacked.
    """
    raw, clean = (places.interim(quarter, stage) for stage in ("extract", "transform"))
    found = find_files(places, quarter, contract, limit)
    read = extracting(found, raw, limit)
    judged = transforming(ahead(read), raw, contract, clean)
    return loading(ahead(judged), clean, contract, places.warehouse, quarter, found.repeats)
