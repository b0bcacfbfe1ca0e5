"""Withdraws a quarter whose folder holds no file any more: the folder is the truth."""

import shutil
from collections.abc import Iterator

from exams import datapackage, published, site, static_site, status
from exams.errors import ExamsError
from exams.places import STAGES, Places
from exams.quarters import Timing, is_quarter
from exams.warehouse import store
from exams.warehouse.withdraw import withdraw_quarter


def vanished(places: Places) -> list[str]:
    """Return the quarters of which something is left without a file, oldest first.

    Raise E405 if no quarter at all has a file though some were loaded: that is rather a folder
    out of reach than the end of all results.
    """
    delivered = places.delivered_quarters()
    loaded = sorted(set(_loaded(places)))
    if loaded and not delivered:
        raise ExamsError(
            "E405",
            f"No quarter has a file, though results up to {loaded[-1]} are loaded.",
            "Nothing was withdrawn. Is the disk of the deliveries there? If all results are to go,"
            " remove the folders private, published and reports.",
        )
    return sorted({*loaded, *_in_folders(places)} - {*delivered})


def withdraw(places: Places, quarter: str, timing: Timing) -> bool:
    """Take away all that is left of a quarter without a file; say whether there was anything."""
    if quarter not in vanished(places):
        return False
    take_away(places, quarter, timing)
    return True


def take_away(places: Places, quarter: str, timing: Timing) -> None:
    """Take away all that is left of a quarter.

    Its records and figures leave the warehouse, the publication, the list, the static site and
    the reports; the history of its deliveries stays. The caller holds the quarter's lock. The
    folder of its reports goes last: as long as it is there, the next build withdraws the quarter
    once more.
    """
    reports = places.report(quarter)
    withdraw_quarter(places.warehouse, quarter)
    published.withdraw(places.published, quarter)
    if places.published.is_file():
        site.write_index(places)
        datapackage.write_package(places)
    else:
        places.index.unlink(missing_ok=True)
        datapackage.remove_package(places)
    static_site.write_site(places, timing=timing)
    parts = places.interim(quarter, STAGES[0]).parent
    for folder in (parts, places.corrections(quarter), places.models(quarter)):
        shutil.rmtree(folder)
    for stage in STAGES:
        status.start(places.status, quarter, stage)
        status.end(places.status, quarter, stage, "done", rows_out=0, reason=status.WITHDRAWN)
    shutil.rmtree(reports)


def _loaded(places: Places) -> Iterator[str]:
    yield from store.loaded(places.warehouse)
    yield from published.published_quarters(places.published)
    for receipt in places.reports.glob("*/load.receipt.json"):
        if is_quarter(receipt.parent.name):
            yield receipt.parent.name


def _in_folders(places: Places) -> Iterator[str]:
    """Yield the quarters with reports or parts, of a build that failed, say."""
    for folder in (places.reports, places.private / "interim"):
        if folder.is_dir():
            yield from (f.name for f in folder.iterdir() if is_quarter(f.name) and f.is_dir())
