"""Deletes a delivery on demand: its file, its records, and every part that was made of it.

What stays is a line in the history of deliveries: which file it was, how many records it had, who
had it deleted and when. Backups are beyond reach: docs/governance.md says what to do with them.
"""

import getpass
import shutil
from collections.abc import Iterable
from pathlib import Path

from exams import project
from exams.errors import ExamsError, printable
from exams.files import UNREADABLE, shown
from exams.intake.reading.arrivals import delivered
from exams.moments import moment
from exams.orchestrate import locks
from exams.orchestrate.build import build_quarter
from exams.orchestrate.withdraw import take_away
from exams.places import Places, visible
from exams.progress import say
from exams.scratch import scratch_of
from exams.warehouse.forget import corrected_by, note_forgotten, scrub
from exams.warehouse.history import Delivered, read_current, read_deliveries
from exams.warehouse.ledger import forget_values
from exams.warehouse.store import exists
from exams.warehouse.withdraw import withdraw_quarter

_SHORTEST = 8  # digits of a hash that are enough to name it
Lying = list[tuple[str, str]]  # quarter and file of the same bytes


def forget(root: Path, places: Places, prefix: str) -> tuple[list[str], bool]:
    """Delete the delivery whose SHA-256 starts with `prefix`, in every quarter, and rebuild.

    Return lines for a person, and whether every quarter was built again. Called again after it
    was interrupted, it goes on. Raise E335 if no delivery, E336 if several start so.
    """
    history = read_deliveries(places.warehouse) if exists(places.warehouse) else []
    lying = _lying(places)
    sha256 = _chosen(prefix, {*(d.sha256 for d in history), *lying})
    rows = [d for d in history if d.sha256 == sha256]
    files = lying.get(sha256, [])
    loaded = [d for d in rows if not d.removed]
    corrections = corrected_by(places.warehouse, sha256) if loaded else []
    failed = []
    for quarter in sorted({*(q for q, _ in files), *(d.quarter for d in loaded)}):
        names = [file for q, file in files if q == quarter]
        if not _rebuilt(root, places, quarter, sha256, names):
            failed.append(quarter)
    for quarter in {d.quarter for d in rows}:
        _clear_parts(places, quarter, sha256)
    shutil.rmtree(scratch_of(places).data / "private", ignore_errors=True)
    seen = {(d.quarter, d.file) for d in rows}
    now = moment()
    unseen = [pair for pair in files if pair not in seen]
    note_forgotten(places.warehouse, sha256, unseen, getpass.getuser(), now)
    scrub(places.warehouse)
    forget_values(places.ledger, {d.quarter for d in rows})
    return _said(places, sha256, rows, unseen, corrections, failed), not failed


def _lying(places: Places) -> dict[str, Lying]:
    """Return what lies in the folders of all quarters, by SHA-256."""
    found: dict[str, Lying] = {}
    for quarter in places.delivered_quarters():
        for file, sha256 in delivered(places, quarter):
            found.setdefault(sha256, []).append((quarter, file))
    return found


def _chosen(prefix: str, known: Iterable[str]) -> str:
    """Return the one hash that starts with `prefix`."""
    start = prefix.strip().lower()
    found = sorted(sha256 for sha256 in known if sha256 and sha256.startswith(start))
    if len(start) < _SHORTEST or not found:
        what = f"No delivery has a SHA-256 that starts with {prefix[:64]!r}."
        listed = f"`exams status --history` lists them; give {_SHORTEST} digits or more."
        raise ExamsError("E335", what, listed)
    if len(found) > 1:
        what = f"{len(found)} deliveries have a SHA-256 that starts with {start}."
        raise ExamsError("E336", what, f"Give more digits: {', '.join(s[:16] for s in found)}.")
    return found[0]


def _rebuilt(root: Path, places: Places, quarter: str, sha256: str, names: list[str]) -> bool:
    """Delete the files of a quarter and build it without them; say whether that went well.

    Where the quarter cannot even be loaded, all of it leaves the warehouse: the records of the
    delivery go in any case.
    """
    folder = places.delivery(quarter)
    try:
        locks.hold(places, quarter)
        for file in visible(folder) if folder.is_dir() else []:
            if printable(file.name) in names:
                file.unlink()
        shutil.rmtree(places.interim(quarter, "extract").parent)
        if not (folder.is_dir() and visible(folder)):
            take_away(places, quarter, project.timing(project.settings(root)))
            say(f"{quarter}  no file is left: it is withdrawn")
            return True
        if build_quarter(quarter, root):
            return True
        if sha256 in _loaded(places, quarter):
            withdraw_quarter(places.warehouse, quarter)
        return False
    finally:
        locks.release()


def _loaded(places: Places, quarter: str) -> list[str]:
    """Return the SHA-256 of the deliveries that are loaded of a quarter."""
    return [d.sha256 for d in read_current(places.warehouse, quarter)]


def _clear_parts(places: Places, quarter: str, sha256: str) -> None:
    """Delete what `exams quarantine --csv` has written of a delivery."""
    for file in places.corrections(quarter).glob(f"*-{sha256[:8]}.*"):
        file.unlink()


def _said(
    places: Places,
    sha256: str,
    rows: list[Delivered],
    unseen: Lying,
    corrections: list[str],
    failed: list[str],
) -> list[str]:
    lines = [
        f"{d.quarter} {d.file}: {d.received:,} records are forgotten"
        f" ({d.loaded:,} loaded, {d.quarantined:,} quarantined, {d.resolved:,} resolved)."
        for d in rows
    ]
    lines += [f"{quarter} {file} is forgotten; it was never loaded." for quarter, file in unseen]
    lines += [f"The history keeps its hash, {sha256[:12]}, and that you had it deleted."]
    if corrections:
        names = ", ".join(corrections)
        lines.append(f"Records of it were delivered again in {names}: forget that, too?")
    again = "could not be built: what is published of it is as it was. Mend it and build."
    lines += [f"{quarter} {again}" for quarter in failed]
    private = places.private
    kept = [private / "former", *private.glob(f"*{UNREADABLE}*")]
    held = [str(shown(path)) for path in kept if path.exists()]
    also = f" So may {', '.join(held)}." if held else ""
    return [*lines, f"Backups may hold it still: see docs/governance.md.{also}"]
