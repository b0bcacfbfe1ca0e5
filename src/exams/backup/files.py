"""The files of a backup: its manifest, checksums, and databases that are looked into."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from exams.errors import ExamsError
from exams.files import sha256
from exams.progress import track
from exams.schema import quoted

MANIFEST = "manifest.json"
JOURNALS = ("-journal", "-wal", "-shm")  # of a database, beside it
_PIECE = 1 << 20

Entry = dict[str, Any]  # path below the data folder, bytes, sha256; rows by table of a database


def verify(folder: Path) -> list[Entry]:
    """Return the files of a backup; raise E416 unless each is, byte by byte, what was written.

    Databases are opened, too: their integrity is checked and their rows are counted.
    """
    files = _manifest(folder)
    for entry in track(files, len(files), "verify", ""):
        path = folder / entry["path"]
        try:
            whole = digest(path) == (entry["bytes"], entry["sha256"])
            if whole and "rows" in entry:
                whole = _is_sound(path) and rows(path) == entry["rows"]
        except (OSError, sqlite3.DatabaseError):
            whole = False
        if not whole:
            what = f"{entry['path']} in the backup {folder.name} is not what was written there."
            raise ExamsError("E416", what, "Use an older backup, and look after that disk.")
    return files


def _manifest(folder: Path) -> list[Entry]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    match found:
        case {"format": 1, "files": [*files]} if all(map(_is_inside, files)):
            return files
    what = f"{folder.name} is no backup that this release can read."
    raise ExamsError("E416", what, "Name a folder that `exams backup` has written.")


def _is_inside(entry: object) -> bool:
    match entry:
        case {"path": str(path), "bytes": int(), "sha256": str()}:
            hidden = any(part.startswith(".") for part in Path(path).parts)  # as .. and locks are
            return not (Path(path).is_absolute() or hidden)
    return False


def is_delivery(entry: Entry) -> bool:
    """Say whether a file of a backup is a delivered one."""
    return Path(entry["path"]).is_relative_to("deliveries")


def rows(database: Path) -> dict[str, int]:
    """Return the rows of each table."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    with _opened(database) as connection:
        names = [name for (name,) in connection.execute(query)]
        count = "SELECT count(*) FROM {}"
        return {n: connection.execute(count.format(quoted(n))).fetchone()[0] for n in names}


def _is_sound(database: Path) -> bool:
    with _opened(database) as connection:
        return connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)


def _opened(database: Path) -> closing[sqlite3.Connection]:
    address = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    return closing(sqlite3.connect(address, uri=True))


def digest(path: Path) -> tuple[int, str]:
    """Return the size of a file in bytes, and its SHA-256."""
    return path.stat().st_size, sha256(path)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file to a new one that nobody else may read; it is on the disk then."""
    with source.open("rb") as read, target.open("xb") as written:
        os.fchmod(written.fileno(), 0o600)
        shutil.copyfileobj(read, written, _PIECE)
        written.flush()
        os.fsync(written.fileno())


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Raise E415 where something cannot be written."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        why = getattr(error, "strerror", None) or str(error)
        remedy = "Is there room, and may this user write there?"
        raise ExamsError("E415", f"{name} cannot be written: {why}.", remedy) from error
