"""Files that appear whole or not at all, and databases that can no longer be read."""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from exams.processes import birth, is_gone

UNREADABLE = ".unreadable"
_DRAFT = ".draft"
_NAME = re.compile(rf"\.(?P<mark>[\w-]+)\.(?P<pid>\d+)\.[0-9a-f]+\{_DRAFT}")
_LEFT = 24 * 3600  # seconds


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write `content` (text: as UTF-8) so that a reader sees the old file or the new one."""
    with replacing(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def closed(path: Path) -> Path:
    """Return the path of a file, created if need be, that its owner alone may read (0600)."""
    if not path.exists():
        path.touch(mode=0o600)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_note(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if there is none, or it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def states(files: Iterable[Path]) -> str:
    """Return a text that changes when one of `files` is written, replaced or removed."""
    return hashlib.sha256(
        "\n".join(f"{file} {_state(file)}" for file in files).encode()
    ).hexdigest()


def _state(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "gone"
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; wait until it is free.

    It is closed to other users: whoever may read it could hold it, and nothing would be published.
    """
    with closed(path).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a hidden draft that takes the place of `path` if all goes well.

    Two processes may write the same file: the later one wins. In a folder that is closed to other
    users (0700), the draft is closed to them, too (0600), before anything is in it.
    """
    draft = draft_of(path)
    try:
        if not path.parent.stat().st_mode & 0o077:
            closed(draft)
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Return the hidden path at which this process may make what is to become `path`.

    The name is its own and tells whose it is (see `sweep`). It is short: that of `path` may be as
    long as the system allows.
    """
    mine = f"{birth(os.getpid()) or 'draft'}.{os.getpid()}.{secrets.token_hex(4)}"
    return path.with_name(f".{mine}{_DRAFT}")


def sweep(folder: Path) -> None:
    """Remove the drafts in `folder`, files and folders, of processes that were killed.

    Of another computer or container nothing is known: there, a draft of yesterday counts as left.
    What has another kind of name than `draft_of` gives is not ours.
    """
    for draft in folder.glob(f".*{_DRAFT}*") if folder.is_dir() else ():
        if (name := _NAME.match(draft.name)) is None:
            continue
        with suppress(OSError):  # it is done in this moment
            old = time.time() - draft.stat().st_mtime > _LEFT
            if old or is_gone("", int(name["pid"]), name["mark"]):
                _remove(draft)


def _remove(draft: Path) -> None:
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft)
    else:
        draft.unlink()


def set_aside(database: Path) -> bool:
    """Rename an SQLite file that cannot be opened as such; say whether that was needed."""
    try:
        address = f"{database.resolve().as_uri()}?mode=rw"  # a journal is played in first
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            return False
        move_aside(database)
        return True
    return False


def move_aside(database: Path) -> None:
    """Rename a damaged SQLite file.

    Its journal goes with it: SQLite would play it into the next file of that name.
    """
    for end in ("", "-journal", "-wal", "-shm"):
        former = database.with_name(database.name + end)
        with suppress(FileNotFoundError):
            former.rename(database.with_name(database.name + UNREADABLE + end))


def settled(database: Path) -> Path:
    """Return `database`, in which a writer that was killed has left nothing half done.

    Who only reads cannot undo that; it takes a connection that may write.
    """
    if database.with_name(f"{database.name}-journal").exists():
        address = f"{database.resolve().as_uri()}?mode=rw"
        with (
            suppress(sqlite3.Error),  # a writer is at work, or the folder is read-only
            closing(sqlite3.connect(address, uri=True, timeout=0)) as connection,
        ):
            connection.execute("SELECT count(*) FROM sqlite_master")
    return database


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether `error` tells of a broken file, rather than of a lock or a missing table."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def shown(path: Path) -> Path:
    """Return `path` as seen from the current folder, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
