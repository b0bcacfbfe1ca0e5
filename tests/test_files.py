"""Files that appear whole or not at all; databases that are set aside."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from exams.files import locked, replacing, set_aside, sweep, write_atomic


def names(folder):
    return sorted(f.name for f in folder.iterdir())


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t AS SELECT zeroblob(20000)")
    return path


def test_drafts_of_processes_that_are_gone_are_swept_away_and_no_others(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from exams.files import replacing
with replacing(Path({str(tmp_path)!r}) / "name") as draft:
    draft.write_text("half")
    draft.with_name(f"{{draft.name}}-journal").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(names(tmp_path)) == 2
    elsewhere, yesterday = (tmp_path / f".12345678-1-1.1.{name}.draft" for name in ("ab", "cd"))
    foreign, folder = tmp_path / ".a.draft", tmp_path / ".12345678-1-1.1.ef.draft-former"
    folder.mkdir()
    for file in (elsewhere, yesterday, foreign, folder / "name"):
        file.touch()
    for draft in (yesterday, foreign, folder):
        os.utime(draft, (0, 0))
    with replacing(tmp_path / "mine") as draft:
        draft.touch()
        sweep(tmp_path)
        assert names(tmp_path) == sorted([draft.name, elsewhere.name, foreign.name])
    sweep(tmp_path / "no folder")


@pytest.mark.parametrize("content", ["Größe\n", "Größe\n".encode()])
def test_text_and_bytes_replace_a_file_and_leave_nothing_beside_it(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_text("former")
    write_atomic(path, content)
    assert path.read_bytes() == "Größe\n".encode()
    assert names(tmp_path) == ["a.txt"]


def test_a_draft_that_fails_leaves_the_former_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("former")
    with pytest.raises(OSError, match="full"), replacing(path) as draft:
        draft.write_text("half")
        raise OSError("full")
    assert path.read_text() == "former"
    assert names(tmp_path) == ["a.txt"]


def test_two_drafts_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
        assert not path.exists()
    assert path.read_text() == "first"  # it ended last


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"no database" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:8192]),
    ],
    ids=["garbage", "truncated"],
)
def test_a_database_that_cannot_be_read_is_set_aside_with_its_journal(database, harm):
    harm(database)
    content = database.read_bytes()
    database.with_name("some.db-wal").write_text("log")
    assert set_aside(database)
    assert {name.partition("-")[0] for name in names(database.parent)} == {"some.db.unreadable"}
    assert database.with_name("some.db.unreadable").read_bytes() == content


def test_a_lock_can_be_held_by_its_owner_alone(tmp_path):
    former, new = tmp_path / ".former.lock", tmp_path / ".new.lock"
    former.touch(mode=0o644)
    for path in (former, new):
        with locked(path):
            assert path.stat().st_mode & 0o777 == 0o600


def test_to_hold_a_lock_changes_no_file(tmp_path):
    lock = tmp_path / ".lock"
    with locked(lock):
        os.utime(lock, (1, 1))
    with locked(lock):
        assert lock.stat().st_mtime == 1


def test_a_database_that_is_sound_empty_missing_or_locked_stays(database):
    assert not set_aside(database)
    assert not set_aside(database.with_name("missing.db"))
    (database.parent / "empty.db").touch()
    assert not set_aside(database.with_name("empty.db"))
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not set_aside(database)
    assert names(database.parent) == ["empty.db", "some.db"]
