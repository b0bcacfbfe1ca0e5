"""Puts a backup back."""

import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from exams.backup.files import JOURNALS, Entry, copy_file, digest, is_delivery, verify, writing
from exams.errors import ExamsError
from exams.files import draft_of, shown, sweep
from exams.orchestrate import locks
from exams.orchestrate.stopping import terminable
from exams.places import Places, made, private, received
from exams.progress import track


def restore(places: Places, source: Path) -> list[str]:
    """Put the backup `source` back; return what that did.

    Files of deliveries are added where they are missing, never replaced: what was delivered since
    stays. Of everything else, what differs is replaced and kept in data/private/former/<time>/.
    Raise E416 if the backup is not whole, E417 while a build runs or waits; nothing has changed
    then. If it is interrupted later on, nothing is built (E414) until it has been run again.
    """
    files = verify(source)
    with terminable(), locks.alone(places) as free:
        if not free:
            what = "A build is running, or waits for another one."
            raise ExamsError("E417", what, "Nothing was restored; try again when it is done.")
        with writing(places.data.name):
            return _restored(places, source, files)


def _is_private(entry: Entry) -> bool:
    return is_delivery(entry) or Path(entry["path"]).is_relative_to("private")


def _restored(places: Places, source: Path, files: Sequence[Entry]) -> list[str]:
    """Copy what differs beside its place, then move all of it there."""
    differs = [entry for entry in files if not _is_there(places.data / entry["path"], entry)]
    kept = [e for e in differs if is_delivery(e) and (places.data / e["path"]).exists()]
    todo = [entry for entry in differs if entry not in kept]
    drafts: dict[Path, Path] = {}
    try:
        for entry in track(todo, len(todo), "restore", ""):
            path = places.data / entry["path"]
            _make_folders(places, entry)
            sweep(path.parent)
            drafts[path] = draft = draft_of(path)
            copy_file(source / entry["path"], draft)
            draft.chmod(0o600 if _is_private(entry) else 0o644)
        with locks.restoring(places):
            former = _put(places, drafts)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    lines = [f"{entry['path']} is put back." for entry in todo]
    lines += [f"{entry['path']} is another file by now: left as it is." for entry in kept]
    lines += [f"What was replaced lies in {shown(former)}."] if former else []
    return lines or ["Nothing differs from the backup."]


def _make_folders(places: Places, entry: Entry) -> None:
    made(places.data)
    opened = received if is_delivery(entry) else private if _is_private(entry) else made
    for folder in [*reversed(Path(entry["path"]).parents)][1:]:
        opened(places.data / folder)


def _is_there(path: Path, entry: Entry) -> bool:
    try:
        return digest(path) == (entry["bytes"], entry["sha256"])
    except OSError:
        return False


def _put(places: Places, drafts: Mapping[Path, Path]) -> Path | None:
    """Move the drafts to their places; return the folder of what they replaced, if any."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%f}"  # two in a second lie apart
    former = places.data / "private" / "former" / now
    for path, draft in drafts.items():
        aside = former / path.relative_to(places.data)
        if path.exists():
            _keep(path, private(aside.parent) / aside.name)
        for end in JOURNALS:  # SQLite would play it into the database that is put back
            journal = path.with_name(path.name + end)
            if journal.exists():
                _keep(journal, private(aside.parent) / journal.name)
                journal.unlink()
        draft.replace(path)
    return former if former.is_dir() else None


def _keep(path: Path, aside: Path) -> None:
    try:
        os.link(path, aside)
    except OSError:  # another disk
        shutil.copyfile(path, aside)
