"""Writes a backup."""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from importlib.metadata import version
from os import walk
from pathlib import Path

from exams.backup.files import (
    JOURNALS,
    MANIFEST,
    Entry,
    copy_file,
    digest,
    is_delivery,
    rows,
    verify,
    writing,
)
from exams.errors import ExamsError
from exams.files import UNREADABLE, draft_of, settled, sweep, write_atomic
from exams.moments import moment
from exams.orchestrate.stopping import terminable
from exams.places import Places, made, private
from exams.progress import track

# Made anew by a build; made by hand in JupyterLab; set aside by a restore.
_LEFT_OUT = (Path("private/interim"), Path("scratch"), Path("private/former"))
_SQLITE = b"SQLite format 3\0"
_ON_SERVER = "The warehouse lies on a server, which needs a backup of its own: docs/postgresql.md."


def backup(places: Places, target: Path) -> list[str]:
    """Write a backup to the folder `target`, which is new or empty; return what it holds.

    It appears whole, after it was read back and compared, or not at all. Raise E419 if the
    folder cannot be one, E415 if it cannot be written, E416 if it is not read back as written.
    """
    target = target.absolute()
    _check_target(places, target)
    with terminable():
        return _written(places, target)


def _written(places: Places, target: Path) -> list[str]:
    draft = draft_of(target)
    try:
        with writing(target.name):
            sweep(made(target.parent))
            draft.mkdir(mode=0o700)
            files = sorted(_saved(places.data, draft), key=lambda entry: str(entry["path"]))
            manifest = {
                "format": 1,
                "made": moment(),
                "release": version("exams"),
                "files": files,
            }
            write_atomic(draft / MANIFEST, json.dumps(manifest, indent=1))
        verify(draft)
        with writing(target.name):
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [*contents(files), *([_ON_SERVER] if places.server else [])]


def contents(files: Sequence[Entry]) -> list[str]:
    """Return a line for each database of a backup, and one for all of its files."""
    lines = [
        f"{entry['path']}: {sum(entry['rows'].values()):,} rows in {len(entry['rows'])} tables"
        for entry in files
        if "rows" in entry
    ]
    size = sum(entry["bytes"] for entry in files) / 1e6
    delivered = sum(map(is_delivery, files))
    return [*lines, f"{len(files)} files, {delivered} of them deliveries; {size:,.1f} MB"]


def _check_target(places: Places, target: Path) -> None:
    what = ""
    if target.resolve().is_relative_to(places.data):
        what = f"{target.name} lies in the data folder."
    elif target.is_mount():
        what = f"{target.name or target} is a whole disk."
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        what = f"{target.name} is there already."
    if what:
        raise ExamsError("E419", what, "Name a new folder on another disk.")


def _saved(data: Path, draft: Path) -> Iterator[Entry]:
    """Copy what belongs into a backup to `draft`; yield an entry for each file."""
    found = sorted(_to_save(data), key=_turn)
    for path in track(found, len(found), "backup", ""):
        target = draft / path
        private(target.parent)
        database = _is_database(data / path)
        with suppress(FileNotFoundError):  # taken away meanwhile: so it is not part of it
            (_copy_database if database else copy_file)(data / path, target)
            size, sha256 = digest(target)
            entry: Entry = {"path": path.as_posix(), "bytes": size, "sha256": sha256}
            yield entry | ({"rows": rows(target)} if database else {})


def _turn(path: Path) -> int:
    """Return when a file is copied, as builds go on meanwhile.

    The ledger after the publication: what was published is in the ledger, then, as it is written
    first. The deliveries last: nothing is loaded whose file is missing.
    """
    order = ("published", "private", "status", "contracts", "deliveries")
    return order.index(path.parts[0]) if path.parts[0] in order else 0


def _to_save(data: Path) -> Iterator[Path]:
    """Yield the files of the data folder that belong into a backup, relative to it."""
    for folder, inner, names in walk(data, followlinks=True):
        here = Path(folder).relative_to(data)
        inner[:] = [n for n in sorted(inner) if not _is_hidden(n) and here / n not in _LEFT_OUT]
        for name in sorted(names):
            useless = _is_hidden(name) or name.endswith(JOURNALS) or UNREADABLE in name
            if not useless and (data / here / name).is_file():
                yield here / name


def _is_hidden(name: str) -> bool:
    return name.startswith(".")  # locks, drafts


def _is_database(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE
    return False


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that others may write meanwhile: as it is at one moment.

    A writer that keeps others out is waited for; as long, Ctrl-C has to be heard: in `progress`.
    """
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"{settled(source).as_uri()}?mode=ro", uri=True)) as read,
        closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written, progress=lambda *_: None)
        written.execute("PRAGMA journal_mode = DELETE")  # one file, whatever the source has
