"""Whole builds with the warehouse on a server: nothing else changes."""

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from building import QUARTER, ROOT, build, scratch
from exams.backup.save import backup
from exams.orchestrate.reproduce import reproduce
from exams.overview import record_lines
from exams.places import STAGES, WAREHOUSE
from exams.samples import write_quarter
from exams.warehouse.store import loaded
from recovery import TIME
from stores import contents

pytestmark = pytest.mark.slow

NEXT = "2019Q2"


def office(folder, quarter, address=""):
    """Return a place with a sample delivery and a key that is always the same."""
    places = scratch(folder, (ROOT / "data/contract.yaml").read_text())
    constants = json.loads((ROOT / "data/sample.json").read_text())
    list(write_quarter(constants, quarter, places.delivery(quarter)))
    (places.private / "key").write_bytes(quarter.encode() * 8)  # an office's own
    return replace(places, server=address)


@pytest.fixture(scope="module")
def built(tmp_path_factory, postgres):
    """Return three offices that were built side by side, and what their builds said.

    One has a file, the others share a server and have different quarters. The second of these is
    the first to load, so that profiles have other numbers than in the file: no figure may differ
    for that. Two end with publish: what follows it knows no warehouse.
    """
    address = postgres.new_database()
    folder = tmp_path_factory.mktemp("offices")
    wanted = {"file": (QUARTER, ""), "server": (QUARTER, address), "other": (NEXT, address)}
    places = {name: office(folder / name, *wish) for name, wish in wanted.items()}

    def built_in_turn(name):
        end = time.monotonic() + 300
        while name == "server" and not loaded(places["other"].warehouse):
            assert time.monotonic() < end, "the other one does not load"
            time.sleep(0.2)
        part = () if name == "server" else ("--partially", "publish")
        return build(places[name], wanted[name][0], *part, address=places[name].server)

    with ThreadPoolExecutor() as pool:
        said = pool.map(built_in_turn, places)
    return places, dict(zip(places, said, strict=True))


def timeless(value):
    return json.loads(TIME.sub("time", json.dumps(value, default=str)))


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return [TIME.sub("time", line) for line in connection.iterdump()]


def test_builds_of_two_analysts_go_side_by_side_on_one_server(built):
    places, said = built
    assert [code for code, _ in said.values()] == [0, 0, 0], said
    assert [*loaded(places["server"].warehouse), *loaded(places["other"].warehouse)] == [
        QUARTER,
        NEXT,
    ]
    for name, quarter, stages in (("server", QUARTER, STAGES), ("other", NEXT, STAGES[:-1])):
        done = [line.split()[:3] for line in said[name][1] if line.startswith(quarter)]
        assert done == [[quarter, stage, "done"] for stage in stages]
    again = build(places["server"], address=places["server"].server)
    assert again[0] == 0 and not any(" done " in line for line in again[1])
    here = record_lines(places["server"], None)
    assert any(line.startswith("region-north.csv") for line in here)


def test_what_is_published_is_the_same_as_from_a_file(built):
    places, _ = built
    assert dump(places["server"].published) == dump(places["file"].published)
    of_file = contents(places["file"].warehouse)
    for table, rows in contents(places["server"].warehouse).items():
        if table[0] in ("levels", "mean_by_group", "results", "labelled"):
            own = [row for row in rows if QUARTER in row]
            assert timeless(own) == timeless(of_file[table])


def test_no_file_tells_the_address(built):
    places, _ = built
    for each in (places["server"].data, places["server"].reports):
        files = [path for path in each.rglob("*") if path.is_file()]
        assert [f.name for f in files if b"postgresql://" in f.read_bytes()] == []


def test_a_quarter_is_reproduced_on_a_copy(built, monkeypatch):
    places, _ = built
    before = contents(places["server"].warehouse)
    monkeypatch.setenv(WAREHOUSE, places["server"].server)
    (outcome,) = reproduce(ROOT, places["server"], [QUARTER])
    assert outcome.differences == []
    assert contents(places["server"].warehouse) == before


def test_a_backup_says_that_the_server_needs_one_of_its_own(built, tmp_path):
    places, _ = built
    assert "needs a backup of its own" in backup(places["server"], tmp_path / "backup")[-1]
    assert not (tmp_path / "backup/private/warehouse.db").exists()


def test_a_server_that_is_away_is_told_in_two_lines(tmp_path):
    away = office(tmp_path, QUARTER, "postgresql://someone:open-sesame@127.0.0.1:1/exams")
    code, lines = build(away, address=away.server)
    assert code == 1
    assert lines[-1].startswith("E212 The warehouse's server cannot be reached: Connection refused")
    assert len(lines) <= 3 and "sesame" not in "".join(lines)
