"""Databases that cannot be read: a coded error or a new file, never a traceback."""

import sqlite3

import pytest

import orchestrate_project
from exams import published, status
from exams.errors import ExamsError
from exams.warehouse import store
from exams.warehouse.sqlite import opening
from exams.warehouse.store import loaded_content, reading
from exams.warehouse.transaction import writing

NOTHING = {table.name: [] for table in published.CONTENT}
CONTRACT = ("contract", "1")
GARBAGE = b"no database" * 100


def publish(path, quarter, contract=CONTRACT):
    return published.publish(path, quarter, NOTHING, contract)


def quarters(path):
    return [row["quarter"] for row in published.read(path, "publication")]


def test_publishing_returns_the_fingerprint_that_it_stores(tmp_path):
    path = tmp_path / "published.db"
    first = publish(path, "2019Q1")
    assert first == publish(path, "2019Q1") == published.published_content(path, "2019Q1")
    other = publish(path, "2019Q1", ("contract", "2"))
    assert first != other == published.published_content(path, "2019Q1")
    assert published.published_content(path, "2019Q2") is None


def test_publishing_sets_an_unreadable_database_aside_and_starts_anew(tmp_path):
    path = tmp_path / "published.db"
    publish(path, "2019Q1")
    publish(path, "2019Q2")
    assert quarters(path) == ["2019Q1", "2019Q2"]
    path.write_bytes(GARBAGE)
    publish(path, "2019Q2")
    assert quarters(path) == ["2019Q2"]
    assert (tmp_path / "published.db.unreadable").read_bytes() == GARBAGE
    assert published.published_content(path, "2019Q1") is None  # so it is due again


@pytest.mark.parametrize("content", [GARBAGE, b""], ids=["garbage", "empty"])
def test_reading_an_unreadable_publication_is_explained(tmp_path, content):
    path = tmp_path / "published.db"
    path.write_bytes(content)
    with pytest.raises(ExamsError, match=r"E303 published\.db cannot be read\. Move it away"):
        published.read(path, "publication")


def test_an_empty_publication_is_filled(tmp_path):
    path = tmp_path / "published.db"
    path.touch()
    publish(path, "2019Q1")
    assert quarters(path) == ["2019Q1"]


def test_an_unreadable_warehouse_is_explained_and_left_alone(tmp_path, small):
    path = tmp_path / "warehouse.db"
    path.write_bytes(GARBAGE)
    message = r"E207 warehouse\.db cannot be read\. Move it away and run `exams build --due`"
    with pytest.raises(ExamsError, match=message), writing(path, small):
        pass
    with pytest.raises(ExamsError, match=message), reading(path) as connection:
        connection.execute("SELECT * FROM loaded")
    assert loaded_content(path, "2019Q1") is None
    assert path.read_bytes() == GARBAGE


def test_another_error_of_the_warehouse_is_not_taken_for_that(tmp_path, small):
    path = tmp_path / "warehouse.db"
    with pytest.raises(sqlite3.OperationalError), writing(path, small) as connection:
        connection.execute("SELECT * FROM nowhere")


def test_an_unreadable_status_is_empty_and_the_next_run_starts_it_anew(tmp_path):
    path = tmp_path / "status.db"
    status.start(path, "2019Q1", "extract")
    path.write_bytes(GARBAGE)
    assert status.stage_status(path) == []
    status.reap(path)
    status.start(path, "2019Q1", "load")
    assert [row["stage"] for row in status.stage_status(path)] == ["load"]
    assert (tmp_path / "status.db.unreadable").read_bytes() == GARBAGE


def test_a_warehouse_of_another_release_is_said_to_be_one(tmp_path, small):
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1")
    message = r"E211 warehouse\.db was made by another release"
    with pytest.raises(ExamsError, match=message), reading(path):
        pass
    with writing(path, small):
        pass
    with reading(path) as connection:
        assert connection.execute("SELECT count(*) FROM loaded").fetchone() == (0,)


def test_a_warehouse_that_is_being_written_is_said_to_be_busy(tmp_path, small, monkeypatch):
    path = tmp_path / "warehouse.db"
    with writing(path, small):
        pass
    monkeypatch.setattr("exams.warehouse.store.BUSY", 0.01)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ExamsError, match=r"E210 warehouse\.db is being written"):
            loaded_content(path, "2019Q1")
        other.execute("ROLLBACK")


def test_a_busy_warehouse_is_waited_for_in_pieces_so_that_ctrl_c_is_heard(tmp_path, monkeypatch):
    path, other = tmp_path / "warehouse.db", []
    orchestrate_project.store(path, "2019Q1", "content")
    waits = []

    def looked(path, *, wait):
        waits.append(wait)
        if len(waits) == 3:
            other.pop().close()
        return real(path, wait=0.01)

    real = store.reading
    monkeypatch.setattr(store, "reading", looked)
    other.append(sqlite3.connect(path, isolation_level=None))
    other[0].execute("BEGIN EXCLUSIVE")
    assert store.loaded(path) == {"2019Q1": "content"}
    assert len(waits) == 3
    assert max(waits) <= 1


def test_a_change_waits_in_pieces_too_and_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    orchestrate_project.store(path, "2019Q1", "content")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits = []

    def waited(connection, seconds):
        waits.append(seconds)
        real(connection, 0.01)

    real = opening._wait
    monkeypatch.setattr(opening, "_wait", waited)
    monkeypatch.setattr(store, "BUSY", 0.1)
    with pytest.raises(ExamsError, match="E210"), store.changing(path):
        pytest.fail("another writer has it")
    assert waits == [1.0]
    other.close()
    with pytest.raises(ZeroDivisionError), store.changing(path) as connection:
        connection.execute("DELETE FROM loaded")
        raise ZeroDivisionError
    assert store.loaded(path) == {"2019Q1": "content"}
    with store.changing(path) as connection:
        connection.execute("DELETE FROM loaded")
    assert store.loaded(path) == {}
