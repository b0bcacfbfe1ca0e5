"""The warehouse on a PostgreSQL server: what it holds, who may read it, and what may happen."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest import mock

import psycopg
import pytest
import yaml
from given import SMALL, identified
from hypothesis import HealthCheck, given, settings
from office import QUARTER, counts, open_office
from psycopg import errors

from exams import project
from exams.contract import read_contract
from exams.errors import ExamsError
from exams.overview import overview
from exams.places import WAREHOUSE, Places, Server
from exams.quarters import Timing
from exams.scratch import prepare_scratch
from exams.stages import load as loading
from exams.warehouse import copying, store
from exams.warehouse.forget import corrected_by
from exams.warehouse.history import read_deliveries
from exams.warehouse.postgresql import opening
from exams.warehouse.read import read_cube
from exams.warehouse.schema import AGGREGATES, WITHHELD
from exams.warehouse.withdraw import withdraw_quarter
from postgres import cluster, database_of
from stores import contents, holds
from test_properties import histories
from waiting import wait_for

ROOT = Path(__file__).parents[1]
ROLES = ROOT / "deploy/postgresql/roles.sql"
NORTH = "track,points,mark\nnorth,5,2.5\nnorth,11,2.0\nsouth,3,\n"
MORE = NORTH + "south,4,1.0\nsouth,4,1.0\n"


@pytest.fixture
def address(postgres):
    return postgres.new_database()


@pytest.fixture
def office(tmp_path, small, address):
    """An office with a loaded quarter on a server."""
    office = open_office(tmp_path, small, address)
    office.deliver(north=NORTH)
    office.build()
    return office


# What it holds.


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
)
@given(histories())
def test_both_stores_hold_the_same_to_the_last_bit(tmp_path_factory, postgres, orders):
    folder = tmp_path_factory.mktemp("both")
    (folder / "contract.yaml").write_text(yaml.safe_dump(SMALL))
    contract = read_contract(folder / "contract.yaml")
    pair = [
        open_office(folder / "file", contract, ""),
        open_office(folder / "server", contract, postgres.new_database()),
    ]
    with mock.patch.object(loading, "moment", lambda: "2026-01-01T00:00:00+00:00"):
        for office in pair:
            (office.places.private / "key").write_bytes(b"k" * 32)
            for quarter, name, content in orders[0]:
                office.deliver(quarter, **{name: content})
                office.stream(quarter)
    assert contents(pair[0].warehouse) == contents(pair[1].warehouse)


def test_identifiers_are_held_as_pseudonyms(tmp_path, contract_of, address):
    content = identified(constraints={"unique": True})
    office = open_office(tmp_path, contract_of(content), address)
    lines = ["track,points,mark,candidate", "north,5,2.5,AB-1", "south,5,2.5,", "north,5,2.5,AB-1"]
    office.deliver(all="\n".join([*lines, ""]))
    with mock.patch.dict(os.environ, EXAMS_PSEUDONYM_KEY="k" * 32):
        assert counts(office.build()) == [("all.csv", 3, 2, 1, 0)]
    found = office.rows("SELECT line, candidate FROM results ORDER BY line")
    assert [(line, name and len(name)) for line, name in found] == [(2, 64), (3, None)]


def test_long_values_are_held_and_those_with_the_character_nul(tmp_path, small, address):
    office = open_office(tmp_path, small, address)
    long = "x" * 1_000_000
    office.deliver(all=f"track,points,mark\nnorth,5,2.5\n{long},5,2.5\na\0b,5,2.5\n")
    assert counts(office.build()) == [("all.csv", 3, 1, 2, 0)]
    assert office.rows("SELECT line, value FROM quarantine ORDER BY line") == [
        (3, long),
        (4, "a␀b"),  # the server's texts cannot have it
    ]


def test_tables_and_columns_have_their_descriptions_as_comments(office, postgres):
    query = """
        SELECT c.relname, coalesce(a.attname, ''), d.description
        FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
        WHERE c.relnamespace = 'exams'::regnamespace AND coalesce(a.attname, '') <> 'rowid'
    """
    said = {(table, column): text for table, column, text in office.rows(query)}
    described = office.rows('SELECT "table", "column", unit, description FROM data_dictionary')
    assert said == {
        (table, column): f"{text} Unit: {unit}." if unit else text
        for table, column, unit, text in described
    }


def test_a_value_is_no_place_holder_and_a_place_holder_in_quotes_is_a_text(office):
    with store.changing(office.warehouse) as connection:
        query = """SELECT '50 % of ?' AS "how ?", ? AS given"""
        assert connection.execute(query, ["%s"]).fetchall() == [("50 % of ?", "%s")]


@pytest.mark.parametrize(
    ("score", "overall", "refused"),
    [
        (57 * "p", 57 * "m", None),
        (58 * "p", "mean", "p+_level"),
        ("paper", 58 * "m", "m+_level"),
    ],
)
def test_a_name_that_the_server_would_cut_off_is_refused(
    tmp_path, contract_of, address, score, overall, refused
):
    track, points, _ = SMALL["fields"]
    scores = [{**points, "name": name, "title": name} for name in (score, "essay")]
    content = {**SMALL, "fields": [track, *scores], "overall": {"name": overall, "title": "Mean"}}
    office = open_office(tmp_path, contract_of(content), address)
    office.deliver(all=f"track,{score},essay\nnorth,5,5\n")
    if refused:
        with pytest.raises(ExamsError, match=f"E216 The column {refused} has a name of more"):
            office.build()
    else:
        office.build()
        assert len(office.rows("SELECT * FROM results")) == 1


def test_a_contract_with_other_fields_replaces_the_quarter_s_table(office, contract_of):
    track, points, mark = SMALL["fields"]
    grade = {**points, "name": "grade"}
    office.contract = contract_of({**SMALL, "fields": [track, grade, mark]})
    office.deliver(north=NORTH.replace("points", "grade"))
    office.build()
    assert office.rows("SELECT line, grade FROM results ORDER BY 1") == [(2, 5), (4, 3)]
    assert {n for n, *_ in contents(office.warehouse) if n.startswith("result")} == {
        "results",
        f"result_{QUARTER}",
    }


# Who may do what.


@pytest.fixture
def roles(postgres, address):
    """Return addresses of a loader and an analyst, as an administrator makes them."""
    with psycopg.connect(address, autocommit=True) as administrator:
        known = administrator.execute("SELECT 1 FROM pg_roles WHERE rolname = 'exams_owner'")
        script = ROLES.read_text()
        if known.fetchone():  # roles are those of all databases of a server
            script = script[script.index("CREATE SCHEMA") :]
        else:
            for who in ("loader", "analyst"):
                script += f"CREATE ROLE some_{who} LOGIN IN ROLE exams_{who};"
            script += "CREATE ROLE some_owner LOGIN IN ROLE exams_owner;"
        administrator.execute(script)
    return {
        who: address.replace("postgres:@", f"some_{who}:@")
        for who in ("owner", "loader", "analyst")
    }


def test_an_analyst_reads_aggregates_and_no_row_of_results(tmp_path, small, roles):
    office = open_office(tmp_path, small, roles["loader"])
    office.deliver(north=NORTH)
    office.build()
    office.build()
    everything = {name for name, *_ in contents(office.warehouse)} | {"layout"}
    readable = set()
    with psycopg.connect(roles["analyst"], autocommit=True) as analyst:
        analyst.execute("SET search_path = exams")
        for name in everything:
            with suppress(errors.InsufficientPrivilege):
                analyst.execute(f'SELECT * FROM "{name}"')
                readable.add(name)
        assert readable == set(AGGREGATES) - WITHHELD.keys()
        assert not {"results", "labelled", f"result_{QUARTER}", "quarantine", "cube"} & readable
        for statement in (
            "DELETE FROM delivery",
            "CREATE TABLE exams.mine (x int)",
            f'COPY "result_{QUARTER}" TO STDOUT',
            "SET ROLE exams_loader",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                analyst.execute(statement)
    analyst_office = open_office(tmp_path / "other", small, roles["analyst"])
    with pytest.raises(ExamsError, match="E215"):
        analyst_office.deliver("2024Q2", north=NORTH)
        analyst_office.build("2024Q2")


def test_an_analyst_learns_nothing_of_the_one_record_of_a_file(tmp_path, small, roles):
    office = open_office(tmp_path, small, roles["loader"])
    office.deliver(north="track,points,mark\nnorth,5,2.5\n")
    office.build()
    alone = "SELECT field, lowest FROM observed WHERE lowest = highest ORDER BY 1"
    assert office.rows(alone) == [("mark", 25), ("points", 5)]  # the record itself
    with psycopg.connect(roles["analyst"], autocommit=True) as analyst:
        for table, kept in WITHHELD.items():
            given = [
                c
                for _, *every in [n for n in contents(office.warehouse) if n[0] == table]
                for c in every
                if c not in kept
            ]
            assert analyst.execute(f"SELECT {', '.join(given)} FROM exams.{table}").fetchall()
            for column in kept:
                with pytest.raises(errors.InsufficientPrivilege):
                    analyst.execute(f"SELECT {column} FROM exams.{table}")


def test_what_an_administrator_has_built_a_loader_may_change(tmp_path, small, roles, address):
    office = open_office(tmp_path, small, address)
    office.deliver(north=NORTH)
    office.build()
    office.places = replace(office.places, server=roles["loader"])
    office.deliver(north=MORE)
    assert counts(office.build()) == [("north.csv", 5, 4, 1, 0)]


def test_what_one_loader_has_made_another_one_and_the_owner_may_change(tmp_path, small, roles):
    office = open_office(tmp_path, small, roles["loader"])
    office.deliver(north=NORTH)
    office.build()
    assert set(
        office.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname='exams'")
    ) == {("exams_loader",)}
    with psycopg.connect(roles["owner"], autocommit=True) as owner:
        owner.execute("DROP SCHEMA exams CASCADE")


def test_a_schema_of_somebody_else_is_left_as_it_is(tmp_path, small, address):
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("CREATE SCHEMA exams; CREATE TABLE exams.delivery (van text)")
        office = open_office(tmp_path, small, address)
        office.deliver(north=NORTH)
        with pytest.raises(ExamsError, match=r"E221 The schema exams .* is somebody else's"):
            office.build()
        found = other.execute(
            "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c"
            " ON c.oid = attrelid WHERE relnamespace = 'exams'::regnamespace AND attnum > 0"
        )
        assert found.fetchall() == [("exams.delivery", "van")]


def test_a_table_of_others_stays_when_ours_are_made_anew(office):
    with psycopg.connect(office.places.server, autocommit=True) as other:
        other.execute("CREATE TABLE exams.notes AS SELECT 'mine' AS note")
        other.execute("UPDATE exams.layout SET number = 0")
        office.build()
        assert other.execute("SELECT note FROM exams.notes").fetchall() == [("mine",)]
    assert len(office.rows("SELECT * FROM results")) == 2


def test_tables_and_views_of_others_have_types_of_their_own_and_keep_their_rows(office, tmp_path):
    with psycopg.connect(office.places.server, autocommit=True) as other:
        other.execute("CREATE TABLE exams.notes (quarter text, at timestamptz)")
        other.execute(f"INSERT INTO exams.notes VALUES ('{QUARTER}', now())")
        other.execute("CREATE VIEW exams.mine AS SELECT avg(points) AS mean FROM exams.results")
        office.build()
        copying.copy_to_file(office.warehouse, tmp_path / "copy.db")
        with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
            found = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
        assert {"cube", "delivery"} <= found
        assert not {"notes", "mine", "layout"} & found
        withdraw_quarter(office.warehouse, QUARTER)
        assert other.execute("SELECT quarter FROM exams.notes").fetchall() == [(QUARTER,)]
    assert office.rows("SELECT * FROM cube") == []


def test_what_a_newer_release_has_made_is_left_alone(office):
    with psycopg.connect(office.places.server, autocommit=True) as other:
        other.execute("UPDATE exams.layout SET number = number + 1")
    before = contents(office.warehouse)
    for change in (office.build, lambda: withdraw_quarter(office.warehouse, QUARTER)):
        with pytest.raises(ExamsError, match=r"E211 .* newer release"):
            change()
    assert contents(office.warehouse) == before


def test_views_and_rights_of_others_stay_when_a_quarter_comes_or_goes(office):
    with psycopg.connect(office.places.server, autocommit=True) as other:
        other.execute("CREATE VIEW mine AS SELECT quarter, track FROM exams.labelled")
        other.execute("GRANT SELECT ON exams.results TO PUBLIC")
        office.deliver("2024Q2", north=MORE)
        office.build("2024Q2")
        assert len(other.execute("SELECT * FROM mine").fetchall()) == 6
        withdraw_quarter(office.warehouse, QUARTER)
        assert len(other.execute("SELECT * FROM mine").fetchall()) == 4
        rights = "SELECT relacl::text FROM pg_class WHERE oid = 'exams.results'::regclass"
        assert "=r/" in other.execute(rights).fetchone()[0].replace("postgres=", "")


def test_a_build_needs_no_temporary_tables(tmp_path, small, roles, address):
    name = database_of(address)
    with psycopg.connect(address, autocommit=True) as administrator:
        administrator.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    office = open_office(tmp_path, small, roles["loader"])
    office.deliver(north=NORTH)
    assert counts(office.build()) == [("north.csv", 3, 2, 1, 0)]


def test_the_corrections_of_another_office_are_not_told(office, tmp_path, small):
    other = open_office(tmp_path / "other", small, office.places.server)
    (delivery,) = office.rows("SELECT id, sha256 FROM delivery")
    office.change(f"UPDATE quarantine SET resolved_by = {delivery[0]}")
    assert corrected_by(office.warehouse, delivery[1]) == ["north.csv"]
    assert corrected_by(other.warehouse, delivery[1]) == []


def test_a_quarter_of_another_office_is_neither_replaced_nor_withdrawn(office, tmp_path, small):
    other = open_office(tmp_path / "other", small, office.places.server)
    other.deliver(mine=MORE)
    before = contents(office.warehouse)
    with pytest.raises(ExamsError, match=f"E217 {QUARTER} was loaded from another data folder"):
        other.build()
    withdraw_quarter(other.warehouse, QUARTER)
    assert contents(office.warehouse) == before
    other.deliver("2024Q2", mine=MORE + "north,1,1.0\n")
    other.build("2024Q2")
    assert [*store.loaded(office.warehouse)] == [QUARTER]
    assert [*store.loaded(other.warehouse)] == ["2024Q2"]
    assert [d.quarter for d in read_deliveries(other.warehouse)] == ["2024Q2"]
    assert len(office.rows("SELECT * FROM loaded")) == 2


def test_two_offices_load_side_by_side_and_neither_disturbs_the_other(tmp_path, small, address):
    pair = [open_office(tmp_path / name, small, address) for name in ("one", "two")]
    for number, each in enumerate(pair, 1):
        each.deliver(f"2024Q{number}", north=NORTH if number == 1 else MORE)
    failed = []

    def build(each, quarter):
        try:
            for _ in range(4):
                each.build(quarter)
        except BaseException as error:
            failed.append(error)

    threads = [
        threading.Thread(target=build, args=(each, f"2024Q{number}"))
        for number, each in enumerate(pair, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert pair[0].rows("SELECT quarter, count(*) FROM results GROUP BY 1 ORDER BY 1") == [
        ("2024Q1", 2),
        ("2024Q2", 4),
    ]


# What may happen to it.


@contextmanager
def in_the_midst(of, then):
    """Let `then` happen after the records of a quarter are in, before the load ends."""
    real = loading.write_cube

    def write(*arguments):
        then()
        return real(*arguments)

    with mock.patch.object(loading, "write_cube", write):
        yield


def test_who_reads_is_never_kept_waiting_and_sees_one_state(office):
    office.deliver(north=MORE)
    seen, taken = [], []

    def look():
        begin = time.monotonic()
        seen.append(len(office.rows("SELECT * FROM labelled")))
        read_cube(office.warehouse, office.contract, QUARTER)
        taken.append(time.monotonic() - begin)

    with store.reading(office.warehouse) as long, in_the_midst(office, look):
        assert len(long.execute("SELECT * FROM labelled").fetchall()) == 2
        office.build()
        look()
        assert len(long.execute("SELECT * FROM labelled").fetchall()) == 2  # its own state still
    assert seen == [2, 4]
    assert max(taken) < 5  # a lock would last until the reader itself gives up


def looks(office, seconds):
    """Look at the two records again and again; return how long each look took."""
    end, waits = time.monotonic() + seconds, []
    while time.monotonic() < end:
        begin = time.monotonic()
        assert len(office.rows("SELECT * FROM labelled")) == 2
        waits.append(time.monotonic() - begin)
        time.sleep(0.02)
    return waits


def test_a_new_quarter_waits_for_a_long_look_in_moments_between_which_others_look(office):
    office.deliver("2024Q2", north=MORE)
    with store.reading(office.warehouse) as long:
        long.execute("SELECT * FROM labelled").fetchall()  # holds the view as long as it is open
        load = threading.Thread(target=office.build, args=("2024Q2",))
        load.start()
        waits = looks(office, 3)
        assert load.is_alive()
    load.join(60)
    assert len(office.rows("SELECT * FROM labelled")) == 6
    assert max(waits) < 2  # 50 ms, on a machine that has nothing else to do


def test_while_a_quarter_s_table_is_read_its_withdrawal_keeps_no_one_waiting(office):
    with psycopg.connect(office.places.server) as long:
        long.execute(f'SELECT * FROM exams."result_{QUARTER}"').fetchall()
        leave = threading.Thread(target=withdraw_quarter, args=(office.warehouse, QUARTER))
        leave.start()
        waits = looks(office, 2)
        assert leave.is_alive()
    leave.join(60)
    assert max(waits) < 10  # a lock would last for a minute
    assert store.loaded(office.warehouse) == {}


def test_statistics_of_the_server_hold_no_value_of_a_student(tmp_path, contract_of, address):
    content = identified()
    office = open_office(tmp_path, contract_of(content), address)
    lines = [f"{'' if n % 2 else 'hush'},5,2.5,AB-{n % 7}" for n in range(400)]
    good = [f"north,5,2.5,AB-{n % 7}" for n in range(400)]
    office.deliver(all="\n".join(["track,points,mark,candidate", *lines, *good, ""]))
    with mock.patch.dict(os.environ, EXAMS_PSEUDONYM_KEY="k" * 32):
        office.build()
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("ANALYZE")
        query = (
            "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'exams' AND"
            " (attname IN ('value', 'candidate') OR most_common_vals::text LIKE '%hush%')"
        )
        assert other.execute(query).fetchall() == []


def test_what_is_deleted_is_gone_when_nobody_sees_the_former_state(office):
    office.deliver(north=NORTH + "hush-hush,5,2.5\n")
    office.build()
    query = "SELECT count(*) FROM pg_class"  # whatever it is: it sees the state of now
    with psycopg.connect(office.places.server) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute(query).fetchall()
        office.deliver(north=NORTH)
        office.build()
        with pytest.raises(ExamsError, match="E222 Somebody has been reading"):
            opening.scrub(office.warehouse, 0.5)
        other.rollback()
        opening.scrub(office.warehouse, 30)
    assert not holds(office.warehouse, b"hush-hush")


def test_a_table_that_is_looked_at_is_not_waited_for_in_the_way_of_others(office):
    with psycopg.connect(office.places.server) as long:
        long.execute("SELECT * FROM exams.loaded").fetchall()
        with psycopg.connect(office.places.server) as late, pytest.raises(ExamsError, match="E210"):
            late.execute("SELECT 1")
            opening.scrub(office.warehouse, 0.5)
        assert [*store.loaded(office.warehouse)] == [QUARTER]


def test_an_error_of_the_server_quotes_no_record(office, postgres):
    before = contents(office.warehouse)
    with psycopg.connect(office.places.server, autocommit=True) as administrator:
        administrator.execute("ALTER TABLE exams.quarantine ADD CHECK (value <> 'hush')")
    office.deliver(north=NORTH + "hush,5,2.5\n")
    with pytest.raises(ExamsError, match=r"E220 .* stopped \(CheckViolation 23514\)") as raised:
        office.build()
    assert "hush" not in "".join(traceback.format_exception(raised.value))
    assert contents(office.warehouse) == before


@contextmanager
def nothing_is_lost(office):
    """Deliver more: whatever befalls its build within, all is as before, and the next one heals."""
    before = contents(office.warehouse)
    office.deliver(north=MORE)
    yield
    assert contents(office.warehouse) == before
    assert counts(office.build()) == [("north.csv", 5, 4, 1, 0)]


def test_a_statement_that_an_administrator_ends_is_no_lost_connection(office, postgres):
    with nothing_is_lost(office):
        ended = (
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with psycopg.connect(office.places.server) as other, ThreadPoolExecutor() as pool:
            other.execute("LOCK exams.cube IN EXCLUSIVE MODE")  # read it may be, not written
            build = pool.submit(office.build)
            with psycopg.connect(office.places.server, autocommit=True) as administrator:
                wait_for(lambda: build.done() or administrator.execute(ended).fetchall())
            with pytest.raises(ExamsError, match=r"E220 .* stopped \(QueryCanceled 57014\)"):
                build.result(60)


def test_a_server_that_can_only_be_read_is_told_as_such_and_stays_as_it_is(office, postgres):
    name = database_of(office.places.server)
    with nothing_is_lost(office):
        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        with pytest.raises(ExamsError, match="E215 The warehouse's server does not allow this"):
            office.build()
        postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_a_server_that_is_killed_in_the_midst_loses_nothing(tmp_path, small):
    with cluster(durable=True) as own:
        office = open_office(tmp_path, small, own.new_database())
        office.deliver(north=NORTH)
        office.build()
        with nothing_is_lost(office):
            kill = in_the_midst(office, lambda: os.kill(own.pid(), signal.SIGKILL))
            with kill, pytest.raises(ExamsError, match=r"E213 The connection .* was lost"):
                office.build()
            with pytest.raises(ExamsError, match="E212 The warehouse's server cannot be reached"):
                store.loaded(office.warehouse)
            wait_for_end_of(own)
            own.start()


def wait_for_end_of(server):
    """Wait until no process of a killed server is left: they see it, and end by themselves."""
    look = ["pgrep", "-f", str(server.folder)]
    wait_for(lambda: not subprocess.run(look, check=False, capture_output=True).stdout, seconds=30)


def test_a_connection_that_is_cut_in_the_midst_loses_nothing(office, postgres):
    with nothing_is_lost(office):
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'exams' AND pid <> pg_backend_pid()"
        )
        with (
            in_the_midst(office, lambda: postgres.execute(cut)),
            pytest.raises(ExamsError, match="E213"),
        ):
            office.build()


def test_a_serialization_failure_is_told_and_loses_nothing(office, postgres):
    name = database_of(office.places.server)
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    with nothing_is_lost(office):

        def disturb():
            with psycopg.connect(office.places.server, autocommit=True) as other:
                other.execute("UPDATE exams.delivery SET read_as = read_as")

        with (
            mock.patch.object(loading, "retire", disturbed(loading.retire, disturb)),
            pytest.raises(ExamsError, match="E210"),
        ):
            office.build()


def disturbed(function, before):
    def call(*arguments):
        before()
        return function(*arguments)

    return call


def test_a_full_disk_of_the_server_is_told_and_loses_nothing(tmp_path, small, postgres):
    disk = Path("/tmp") / f"full-{os.getpid()}"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        disk.rmdir()
        pytest.skip("this system lets nobody mount a small disk: a full one cannot be tried")
    shutil.chown(disk, postgres.folder.owner())
    try:
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        address = postgres.new_database()
        name = database_of(address)
        postgres.execute(f"ALTER DATABASE {name} SET default_tablespace = small")
        office = open_office(tmp_path, small, address)
        office.deliver(north=NORTH)
        office.build()
        before = contents(office.warehouse)
        office.deliver(north=NORTH + "south,4,1.0\n" * 500_000)
        with pytest.raises(ExamsError, match="E214 The disk of the warehouse's server is full"):
            office.build()
        assert contents(office.warehouse) == before
        office.deliver(north=MORE)
        assert counts(office.build()) == [("north.csv", 5, 4, 1, 0)]
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
        postgres.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
        disk.rmdir()


@pytest.mark.parametrize("error", [errors.DeadlockDetected, errors.LockNotAvailable])
def test_what_comes_of_others_at_work_is_said_as_such(error):
    with pytest.raises(ExamsError, match="E210"), opening.guarded():
        raise error


# Settings and what is shown of them.

SETTINGS = {
    "statement_timeout": "20ms",
    "idle_in_transaction_session_timeout": "20ms",
    "transaction_timeout": "50ms",
    "search_path": "public",
    "extra_float_digits": "-10",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "default_transaction_isolation": "serializable",
}


def test_settings_that_a_server_has_for_others_change_nothing(tmp_path, contract_of, postgres):
    track, *scores = SMALL["fields"]
    levels = {"required": True, "enum": ["north", "so\\'uth ? %s"]}
    contract = contract_of({**SMALL, "fields": [{**track, "constraints": levels}, *scores]})
    found = []
    for name in ("plain", "odd"):
        address = postgres.new_database()
        office = open_office(tmp_path / name, contract, address)
        (office.places.private / "key").write_bytes(b"k" * 32)
        odd = {"PGCLIENTENCODING": "LATIN1"} if name == "odd" else {}
        for setting, value in SETTINGS.items() if odd else ():
            database = database_of(address)
            postgres.execute(f"ALTER DATABASE {database} SET {setting} = '{value}'")
        office.deliver(all=f'{NORTH}nörth,5,2.5\n"so\\\'uth ? %s",5,2.5\n')
        with (
            mock.patch.dict(os.environ, odd),
            mock.patch.object(loading, "moment", lambda: "2026-01-01T00:00:00+00:00"),
            in_the_midst(office, lambda: time.sleep(0.1)),
        ):
            office.build()
            found.append(contents(office.warehouse))
            third = office.rows("SELECT CAST('0.30000000000000004' AS float8)")
            assert third == [(0.1 + 0.2,)]
    assert found[0] == found[1]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_lacks_characters_is_refused(tmp_path, small, postgres, encoding):
    name = f"in_{encoding.lower()}"
    wish = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    postgres.execute(f"CREATE DATABASE {name} {wish}")
    office = open_office(tmp_path, small, postgres.address(name))
    with pytest.raises(ExamsError, match=r"E219 The database .* is not in UTF-8"):
        store.loaded(office.warehouse)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [("", ("10", "exams")), ("&connect_timeout=3&application_name=a", ("3", "a"))],
)
def test_a_connection_gives_up_who_is_away_unless_the_address_says_more(office, more, wanted):
    server = replace(office.warehouse, address=office.warehouse.address + more)
    with store.reading(server) as session:
        told = session.connection.info.get_parameters()
    assert (told["connect_timeout"], told["application_name"]) == wanted
    assert (told["keepalives_idle"], told["tcp_user_timeout"]) == ("30", "60000")


def test_no_message_tells_the_address(tmp_path):
    secret = "postgresql://someone:open-sesame@localhost:1/exams"
    server = Server(secret, tmp_path)
    with pytest.raises(ExamsError) as raised:
        store.loaded(server)
    assert str(raised.value).startswith("E212 The warehouse's server cannot be reached: Connection")
    places = Places(tmp_path, tmp_path, secret)
    for shown in (str(raised.value), repr(server), repr(places), repr(raised.value.__cause__)):
        assert "sesame" not in shown and "someone" not in shown


def test_without_its_package_a_server_is_refused(tmp_path):
    script = """if True:
        import sys
        from pathlib import Path
        sys.modules["psycopg"] = None  # as if it were not installed
        from exams.places import Server
        from exams.warehouse.store import loaded
        loaded(Server("postgresql://x", Path(sys.argv[1])))
    """
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False
    )
    assert "E218 A warehouse on a server needs the package psycopg" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("wrong", ["mysql://x", "warehouse.db", 5, ["postgresql://x"]])
def test_what_is_no_address_of_a_server_is_refused(monkeypatch, wrong):
    with pytest.raises(ExamsError, match="E004"):
        project.hand_on({"warehouse": wrong})
    monkeypatch.setenv(WAREHOUSE, "postgresql://x/y")
    project.hand_on({"warehouse": wrong})  # the variable goes before what the file says


def test_work_by_hand_is_on_a_copy_in_a_file_without_records(office, small):
    (office.places.contract).write_text(yaml.safe_dump(SMALL))
    with mock.patch.dict(os.environ, {WAREHOUSE: office.places.server}):
        scratch = prepare_scratch(office.places, QUARTER)
        again = Places.of(scratch.data, scratch.reports)
    assert scratch.warehouse == again.warehouse == scratch.private / "warehouse.db"
    real, copy = contents(office.warehouse), contents(scratch.warehouse)
    records = {"results", "labelled", f"result_{QUARTER}", f"labelled_{QUARTER}"}
    assert copy == {name: rows for name, rows in real.items() if name[0] not in records}
    by_hand = open_office(office.places.data.parent, small, "")
    by_hand.places = scratch
    by_hand.build()
    assert contents(office.warehouse) == real
    prepare_scratch(office.places, QUARTER)
    assert len(by_hand.rows("SELECT * FROM results")) == 2  # what was made by hand stays
    office.deliver(north=MORE)
    office.build()
    prepare_scratch(office.places, QUARTER)
    assert len(contents(scratch.warehouse)) == len(copy)  # the server has something newer


def test_a_copy_that_another_release_has_made_is_made_anew(office):
    (office.places.contract).write_text(yaml.safe_dump(SMALL))
    former = store.LAYOUT - 1
    with mock.patch.object(copying, "LAYOUT", former):
        scratch = prepare_scratch(office.places, QUARTER)
    with closing(sqlite3.connect(scratch.private / "warehouse.db")) as copy:
        copy.execute(f"PRAGMA user_version = {former}")
    prepare_scratch(office.places, QUARTER)
    with store.reading(scratch.private / "warehouse.db") as connection:
        assert store.release(connection) == store.LAYOUT


def test_status_tells_how_things_stand_while_the_server_is_away(tmp_path):
    places = Places(tmp_path / "data", tmp_path / "reports", "postgresql://x@localhost:1/exams")
    lines, _ = overview(places, Timing())
    assert lines[-1].startswith("E212 The warehouse's server cannot be reached: Connection refused")
    assert "Nothing has run yet. `make run` starts." in lines


def test_the_history_is_read_and_no_writer_keeps_a_reader_out(office):
    assert [d.loaded for d in read_deliveries(office.warehouse)] == [2]
    assert store.exists(office.warehouse)
    assert not store.is_busy(office.warehouse)
