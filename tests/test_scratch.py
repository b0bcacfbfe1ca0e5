"""The working copy: follows the real data, keeps what was made by hand, never writes back."""

import os
import sqlite3
from contextlib import closing

import pytest

from exams.places import Places
from exams.scratch import parameters, prepare_scratch

QUARTER = "2026Q3"


@pytest.fixture
def places(tmp_path):
    places = Places(tmp_path / "data", tmp_path / "reports")
    places.delivery(QUARTER).mkdir(parents=True)
    places.contract.write_text("title: real\n")
    part = places.interim(QUARTER, "extract") / "0.parquet"
    part.write_text("real part")
    (places.report(QUARTER) / "load.receipt.json").write_text("{}")
    for database in (places.warehouse, places.published, places.status):
        write(database, "real")
    return places


def write(database, word):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("CREATE TABLE IF NOT EXISTS word (word)")
        connection.execute("INSERT INTO word VALUES (?)", [word])
        connection.commit()


def words(database):
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM word ORDER BY rowid")]


def later(path, seconds):
    time = path.stat().st_mtime + seconds
    os.utime(path, (time, time))


def real_state(places):
    files = [*places.data.rglob("*"), *places.reports.rglob("*")]
    return {
        file: (file.stat().st_mtime_ns, file.read_bytes())
        for file in files
        if file.is_file()
        and "scratch" not in file.parts
        and not file.name.endswith(("-wal", "-shm"))
    }


def test_the_copy_holds_what_stages_read_and_links_what_they_never_write(places):
    scratch = prepare_scratch(places, QUARTER)
    assert scratch.contract.readlink().as_posix() == "../contract.yaml"
    assert scratch.deliveries.readlink().as_posix() == "../deliveries"
    assert (scratch.interim(QUARTER, "extract") / "0.parquet").read_text() == "real part"
    assert (scratch.report(QUARTER) / "load.receipt.json").read_text() == "{}"
    for database in (scratch.warehouse, scratch.published, scratch.status):
        assert words(database) == ["real"]


def test_nothing_real_changes_when_the_copy_is_made_and_written(places):
    before = real_state(places)
    scratch = prepare_scratch(places, QUARTER)
    write(scratch.warehouse, "by hand")
    (scratch.interim(QUARTER, "extract") / "0.parquet").write_text("by hand")
    assert real_state(places) == before


def test_what_was_made_by_hand_stays_until_the_real_data_is_newer(places):
    scratch = prepare_scratch(places, QUARTER)
    part = scratch.interim(QUARTER, "extract") / "0.parquet"
    part.write_text("by hand")
    write(scratch.warehouse, "by hand")
    prepare_scratch(places, QUARTER)
    assert part.read_text() == "by hand"
    assert words(scratch.warehouse) == ["real", "by hand"]

    later(places.interim(QUARTER, "extract") / "0.parquet", 60)
    write(places.warehouse, "newer")
    later(places.warehouse, 60)
    prepare_scratch(places, QUARTER)
    assert part.read_text() == "real part"
    assert words(scratch.warehouse) == ["real", "newer"]


def test_a_part_that_is_gone_goes_from_the_copy_too(places):
    extra = places.interim(QUARTER, "extract") / "1.parquet"
    extra.write_text("extra")
    scratch = prepare_scratch(places, QUARTER)
    copy = scratch.interim(QUARTER, "extract")
    assert {p.name for p in copy.iterdir()} == {"0.parquet", "1.parquet"}
    extra.unlink()
    prepare_scratch(places, QUARTER)
    assert {p.name for p in copy.iterdir()} == {"0.parquet"}


def test_an_unchanged_copy_is_not_made_again(places):
    scratch = prepare_scratch(places, QUARTER)
    files = [f for f in scratch.data.rglob("*") if f.is_file() and "deliveries" not in f.parts]
    before = {f: f.stat().st_ino for f in files}
    prepare_scratch(places, QUARTER)
    assert {f: f.stat().st_ino for f in files} == before
    assert len(before) >= 6


def test_a_contract_of_ones_own_in_the_copy_stays(places):
    scratch = prepare_scratch(places, QUARTER)
    scratch.contract.unlink()
    scratch.contract.write_text("title: mine\n")
    prepare_scratch(places, QUARTER)
    assert scratch.contract.read_text() == "title: mine\n"
    assert places.contract.read_text() == "title: real\n"


def test_a_stage_is_filled_in_with_its_products_and_those_of_the_stage_before(places):
    scratch = prepare_scratch(places, QUARTER)
    folder = f"{places.data}/scratch/reports/{QUARTER}"
    load = parameters(scratch, QUARTER, "load")
    assert load["data"] == f"{places.data}/scratch"
    assert load["product"]["receipt"] == f"{folder}/load.receipt.json"
    assert load["upstream"] == {
        "transform": {
            "nb_ipynb": f"{folder}/transform.ipynb",
            "nb_html": f"{folder}/transform.html",
            "receipt": f"{folder}/transform.receipt.json",
        }
    }
    assert parameters(scratch, QUARTER, "extract")["upstream"] is None


def test_former_contracts_are_seen_in_the_working_copy(places):
    assert not prepare_scratch(places, QUARTER).contracts.exists()
    places.contracts.mkdir()
    (places.contracts / "former.yaml").write_text("title: former\n")
    scratch = prepare_scratch(places, QUARTER)
    assert (scratch.contracts / "former.yaml").read_text() == "title: former\n"
