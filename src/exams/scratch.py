"""data/scratch: a working copy in which stages are run by hand."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Lock

from exams.files import read_note, replacing, settled, write_atomic
from exams.places import STAGES, Places, made
from exams.progress import BY_HAND
from exams.warehouse.copying import copy_to_file, fingerprint

_ONE_AT_A_TIME = Lock()


def scratch_of(places: Places) -> Places:
    """Return the places of the working copy that belongs to `places`."""
    data = places.data / "scratch"
    return Places(data, data / "reports")


def prepare_scratch(places: Places, quarter: str) -> Places:
    """Bring the working copy up to date for `quarter`, and return its places.

    Contracts and deliveries are links to the real ones. Interim parts, databases and receipts
    are copies, renewed when the real ones are newer: what was made by hand since stays.
    Nothing real is ever written.
    """
    scratch = scratch_of(places)
    with _ONE_AT_A_TIME:
        made(scratch.data)
        for real in (places.contract, places.contracts, places.deliveries):
            _link(scratch.data / real.name, real)
        _copy_interim(places, scratch, quarter)
        scratch.mark_as_copy()
        _copy_warehouse(places, scratch)
        for database in (scratch.ledger, scratch.published, scratch.status):
            _copy_database(places.data / database.relative_to(scratch.data), database)
        for receipt in (places.reports / quarter).glob("*.receipt.json"):
            _copy_file(receipt, scratch.report(quarter) / receipt.name)
    return scratch


def parameters(scratch: Places, quarter: str, stage: str) -> dict[str, object]:
    """Return what a stage's notebook is to be filled in with to run in `scratch`."""
    before = STAGES.index(stage) - 1
    former = STAGES[before] if before >= 0 else None
    return {
        "quarter": quarter,
        "data": str(scratch.data),
        "reports": str(scratch.reports),
        "code": BY_HAND,
        "inputs": BY_HAND,
        "upstream": {former: _products(scratch, quarter, former)} if former else None,
        "product": _products(scratch, quarter, stage),
    }


def _products(scratch: Places, quarter: str, stage: str) -> dict[str, str]:
    ends = {"nb_ipynb": ".ipynb", "nb_html": ".html", "receipt": ".receipt.json"}
    return {key: str(scratch.report(quarter) / (stage + end)) for key, end in ends.items()}


def _link(link: Path, real: Path) -> None:
    if link.exists() or not real.exists():
        return  # a contract of one's own in the working copy stays
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(real, link.parent))


def _copy_interim(places: Places, scratch: Places, quarter: str) -> None:
    copy = scratch.interim(quarter, STAGES[0]).parent
    real = places.data / copy.relative_to(scratch.data)
    for folder in sorted(real.iterdir()) if real.is_dir() else []:
        target = copy / folder.name
        if _folder_age(folder) > _folder_age(target):
            draft = copy / f".{folder.name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(folder, draft)  # keeps times and modes
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)


def _folder_age(folder: Path) -> int:
    """Return when anything in `folder` last changed, a removal too; 0 if it is empty."""
    parts = [folder, *folder.rglob("*")] if folder.is_dir() else []
    return max((p.stat().st_mtime_ns for p in parts), default=0) if len(parts) > 1 else 0


def _copy_file(real: Path, copy: Path) -> None:
    if not copy.exists() or real.stat().st_mtime_ns > copy.stat().st_mtime_ns:
        shutil.copy2(real, copy)


def _copy_warehouse(places: Places, scratch: Places) -> None:
    if isinstance(places.warehouse, Path):
        _copy_database(places.warehouse, scratch.private / "warehouse.db")
        return
    note = scratch.private / ".warehouse.json"
    state = {"state": fingerprint(places.warehouse)}
    if read_note(note) != state:
        copy_to_file(places.warehouse, scratch.private / "warehouse.db")
        write_atomic(note, json.dumps(state))


def _copy_database(real: Path, copy: Path) -> None:
    age = _database_age(settled(real))
    if age <= _database_age(copy):
        return
    with replacing(copy) as draft:
        with (
            closing(sqlite3.connect(f"{real.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(draft)) as target,
        ):
            source.backup(target)
        shutil.copymode(real, draft)
        for log in ("-wal", "-shm"):  # they belong to the copy that is replaced
            copy.with_name(copy.name + log).unlink(missing_ok=True)
    os.utime(copy, ns=(age, age))


def _database_age(path: Path) -> int:
    """Return when the database last changed, in its log or itself; 0 if there is none."""
    log = path.with_name(path.name + "-wal")
    files = [f for f in (path, log) if f.is_file() and f.stat().st_size]
    return max((f.stat().st_mtime_ns for f in files), default=0)
