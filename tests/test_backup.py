"""Backups: whole or not at all, while others write; and the way back."""

import fcntl
import json
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from exams import status
from exams.backup import save
from exams.backup.files import MANIFEST, verify
from exams.backup.restore import restore
from exams.backup.save import backup
from exams.errors import ExamsError
from exams.orchestrate import locks
from exams.places import Places, private_key


@pytest.fixture
def places(tmp_path):
    """Return the places of a small project: two deliveries, a contract, databases, and clutter."""
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    for quarter in ("2026Q1", "2026Q2"):
        places.delivery(quarter).mkdir(parents=True)
        (places.delivery(quarter) / "a.csv").write_text(f"track\n{quarter}\n")
    (places.delivery("2026Q2") / ".hidden").touch()
    places.contract.write_text("title: contract\n")
    places.contracts.mkdir()
    (places.contracts / "former.yaml").write_text("title: former\n")
    private_key(places.data / "private")
    fill(places.warehouse, 300)
    status.start(places.status, "2026Q2", "extract")
    (places.interim("2026Q2", "extract") / "part").touch()
    yield places
    locks.release()


def fill(database, rows):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (n)")
        connection.executemany("INSERT INTO t VALUES (?)", ((n,) for n in range(rows)))


def count(database):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT count(*) FROM t").fetchone()[0]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


SAVED = [
    "contract.yaml",
    "contracts/former.yaml",
    "deliveries/2026Q1/a.csv",
    "deliveries/2026Q2/a.csv",
    "private/key",
    "private/warehouse.db",
    "status/status.db",
]


def files_in(folder):
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


def test_a_backup_holds_what_cannot_be_made_anew_and_says_what(places, tmp_path):
    lines = backup(places, tmp_path / "disk/backup")
    assert files_in(tmp_path / "disk/backup") == sorted([*SAVED, MANIFEST])
    assert [*map(str, (tmp_path / "disk").iterdir())] == [str(tmp_path / "disk/backup")]
    assert lines[0] == "private/warehouse.db: 300 rows in 1 tables"
    assert lines[1].startswith("status/status.db: ")
    assert lines[-1].startswith("7 files, 2 of them deliveries; ")
    assert mode(tmp_path / "disk/backup") == 0o700
    assert {mode(tmp_path / "disk/backup" / name) for name in SAVED} == {0o600}


def test_a_group_that_was_given_the_folder_of_deliveries_keeps_it(places, tmp_path):
    backup(places, tmp_path / "backup")
    (places.delivery("2026Q1") / "a.csv").unlink()
    places.deliveries.chmod(0o2770)
    restore(places, tmp_path / "backup")
    assert (places.delivery("2026Q1") / "a.csv").is_file()
    assert places.deliveries.stat().st_mode & 0o7777 == 0o2770


def test_a_backup_into_another_place_is_restored_there_as_it_was(places, tmp_path):
    backup(places, tmp_path / "backup")
    other = Places.of(tmp_path / "other/data", tmp_path / "other/reports")
    restore(other, tmp_path / "backup")
    assert [f for f in files_in(other.data) if "/." not in f] == SAVED
    for name in SAVED[:5]:
        assert (other.data / name).read_bytes() == (places.data / name).read_bytes()
    assert count(other.warehouse) == 300
    assert {mode(other.data / name) for name in ("private", "deliveries")} == {0o700}
    assert {mode(other.data / name) for name in SAVED[2:6]} == {0o600}
    assert mode(other.contract) == 0o644  # as before: others may read what is not private
    assert restore(other, tmp_path / "backup") == ["Nothing differs from the backup."]


def test_databases_are_saved_as_they_are_at_one_moment_while_a_build_writes(places, tmp_path):
    places.warehouse.unlink()
    fill(places.warehouse, 2)
    over = threading.Event()

    def write():
        with closing(sqlite3.connect(places.warehouse, timeout=60)) as connection:
            while not over.is_set():
                with connection:  # always an even number of rows
                    connection.execute("INSERT INTO t VALUES (1)")
                    connection.execute("INSERT INTO t VALUES (2)")
                over.wait(0.001)  # as a build, it does not write all the time

    writer = threading.Thread(target=write)
    locks.hold(places, "2026Q2")  # as a build does
    writer.start()
    try:
        counts = []
        for number in range(5):
            backup(places, tmp_path / f"backup-{number}")
            counts.append(count(tmp_path / f"backup-{number}/private/warehouse.db"))
    finally:
        over.set()
        writer.join()
    assert [n % 2 for n in counts] == [0] * 5
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_restore_refuses_while_a_build_runs_or_waits_and_a_build_waits_for_it(places, tmp_path):
    backup(places, tmp_path / "backup")
    places.contract.write_text("title: changed\n")
    shared = (places.data / "private/.builds.lock").open("a+")
    with shared:  # another process that waits for the lock of a quarter holds this one
        fcntl.flock(shared, fcntl.LOCK_SH)
        with pytest.raises(ExamsError, match="E417"):
            restore(places, tmp_path / "backup")
    assert places.contract.read_text() == "title: changed\n"
    with locks.alone(places):
        assert not locks.hold(places, "2026Q2", wait=False)
    assert locks.hold(places, "2026Q2", wait=False)


def test_what_differs_is_put_back_and_what_was_there_is_kept_aside(places, tmp_path):
    backup(places, tmp_path / "backup")
    fill(places.warehouse, 5)
    places.warehouse.with_name("warehouse.db-journal").write_text("of the replaced one")
    places.contract.write_text("title: changed\n")
    lines = restore(places, tmp_path / "backup")
    databases = ["private/warehouse.db is put back.", "status/status.db is put back."]
    assert lines[:3] == ["contract.yaml is put back.", *databases]
    assert count(places.warehouse) == 300
    assert not places.warehouse.with_name("warehouse.db-journal").exists()
    (former,) = (places.data / "private/former").iterdir()
    assert lines[3:] == [f"What was replaced lies in {former}."]
    assert (former / "contract.yaml").read_text() == "title: changed\n"
    assert (former / "private/warehouse.db-journal").read_text() == "of the replaced one"


def test_deliveries_are_added_where_they_are_missing_and_never_replaced(places, tmp_path):
    backup(places, tmp_path / "backup")
    (places.delivery("2026Q1") / "a.csv").unlink()
    (places.delivery("2026Q2") / "a.csv").write_text("corrected since")
    (places.delivery("2026Q2") / "b.csv").write_text("delivered since")
    lines = restore(places, tmp_path / "backup")
    assert [line for line in lines if line.startswith("deliveries")] == [
        "deliveries/2026Q1/a.csv is put back.",
        "deliveries/2026Q2/a.csv is another file by now: left as it is.",
    ]
    assert (places.delivery("2026Q1") / "a.csv").read_text() == "track\n2026Q1\n"
    assert (places.delivery("2026Q2") / "a.csv").read_text() == "corrected since"
    assert (places.delivery("2026Q2") / "b.csv").read_text() == "delivered since"


@pytest.mark.parametrize("name", ["deliveries/2026Q1/a.csv", "private/warehouse.db", MANIFEST])
def test_a_backup_that_is_not_whole_is_refused_and_changes_nothing(places, tmp_path, name):
    backup(places, tmp_path / "backup")
    places.contract.write_text("title: changed\n")
    damaged = tmp_path / "backup" / name
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(ExamsError, match="E416"):
        restore(places, tmp_path / "backup")
    assert places.contract.read_text() == "title: changed\n"
    damaged.unlink()
    with pytest.raises(ExamsError, match="E416"):
        restore(places, tmp_path / "backup")


def test_a_database_whose_rows_are_not_those_that_were_counted_is_refused(places, tmp_path):
    backup(places, tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    entry = next(e for e in manifest["files"] if e["path"] == "private/warehouse.db")
    entry["rows"]["t"] += 1
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ExamsError, match=r"E416 private/warehouse\.db"):
        verify(tmp_path / "backup")


@pytest.mark.parametrize(
    "path", ["../outside", "/outside", "private/../../outside", "private/.builds.lock"]
)
def test_a_manifest_that_names_what_no_backup_holds_is_none(places, tmp_path, path):
    backup(places, tmp_path / "backup")
    entry = {"path": path, "bytes": 0, "sha256": ""}
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps({"format": 1, "files": [entry]}))
    with pytest.raises(ExamsError, match="E416"):
        restore(places, tmp_path / "backup")


def test_an_interrupted_restore_keeps_builds_out_until_it_has_been_run_again(
    places, tmp_path, monkeypatch
):
    backup(places, tmp_path / "backup")
    fill(places.warehouse, 5)
    monkeypatch.setattr("exams.backup.restore._keep", stopped)
    with pytest.raises(KeyboardInterrupt):
        restore(places, tmp_path / "backup")
    monkeypatch.undo()
    with pytest.raises(ExamsError, match="E414"):
        locks.hold(places, "2026Q2")
    locks.release()
    assert ".draft" not in str(files_in(places.data))
    restore(places, tmp_path / "backup")
    assert count(places.warehouse) == 300
    assert locks.hold(places, "2026Q2")


def stopped(*_):
    raise KeyboardInterrupt


def test_what_is_published_is_in_the_ledger_and_what_is_loaded_among_the_deliveries(places):
    fill(places.published, 1)
    fill(places.ledger, 1)
    order = [path.as_posix() for path in sorted(save._to_save(places.data), key=save._turn)]
    wanted = ["published/published.db", "private/ledger.db", "deliveries/2026Q1/a.csv"]
    assert [path for path in order if path in wanted] == wanted
    assert order.index("private/warehouse.db") < order.index("deliveries/2026Q1/a.csv")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_backup_that_is_stopped_leaves_nothing_beside_the_next_one(places, tmp_path, number):
    code = f"""
import os
from pathlib import Path
from exams.backup import save
from exams.places import Places
places = Places.of({str(places.data)!r}, {str(places.reports)!r})
save.verify = lambda folder: os.kill(os.getpid(), {number:d})
save.backup(places, Path({str(tmp_path)!r}) / "disk/a")
"""
    stopped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert stopped.returncode
    left = [*map(str, (tmp_path / "disk").iterdir())]
    assert len(left) == (number == signal.SIGKILL)
    (tmp_path / "disk/.of-others.draft").touch()
    backup(places, tmp_path / "disk/b")
    assert sorted(f.name for f in (tmp_path / "disk").iterdir()) == [".of-others.draft", "b"]


def test_a_backup_that_waits_for_a_writer_can_be_stopped(places, tmp_path):
    code = f"""
from pathlib import Path
from exams.backup.save import backup
from exams.places import Places
backup(Places.of({str(places.data)!r}, {str(places.reports)!r}), Path({str(tmp_path)!r}) / "disk/a")
"""
    with closing(sqlite3.connect(places.warehouse, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as waiting:
            try:
                end = time.monotonic() + 60
                while not [*(tmp_path / "disk").glob(".*/private/warehouse.db")]:
                    assert time.monotonic() < end
                    time.sleep(0.05)
                waiting.terminate()
                assert b"KeyboardInterrupt" in waiting.communicate(timeout=60)[1]
            finally:
                waiting.kill()
    assert files_in(tmp_path / "disk") == []


def test_a_database_whose_writer_was_killed_half_way_is_saved_as_it_was_before(places, tmp_path):
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(places.warehouse, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")  # so that it writes before it commits
        writer.execute("BEGIN IMMEDIATE")
        writer.executemany("INSERT INTO t VALUES (?)", (("x" * 1000,) for _ in range(100)))
        for end in ("", "-journal"):
            copied = places.warehouse.with_name(places.warehouse.name + end).read_bytes()
            copy.with_name(copy.name + end).write_bytes(copied)
    for end in ("", "-journal"):
        copy.with_name(copy.name + end).replace(f"{places.warehouse}{end}")
    backup(places, tmp_path / "backup")
    assert count(tmp_path / "backup/private/warehouse.db") == 300


def test_a_disk_is_no_folder_for_one_backup(places, tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "disk")
    with pytest.raises(ExamsError, match="E419 disk is a whole disk"):
        backup(places, tmp_path / "disk")


def test_a_folder_that_cannot_take_a_backup_is_named_and_left_alone(places, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    (tmp_path / "file").touch()
    for target, code in [
        (tmp_path / "full", "E419 full is there already"),
        (tmp_path / "file", "E419 file is there already"),
        (places.data / "backup", "E419 backup lies in the data folder"),
        (tmp_path / "file/backup", "E415 backup cannot be written"),
    ]:
        with pytest.raises(ExamsError, match=code):
            backup(places, target)
    assert files_in(tmp_path / "full") == ["file"]
    (tmp_path / "empty").mkdir()
    assert backup(places, tmp_path / "empty")
