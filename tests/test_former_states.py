"""Who reads on a server in one transaction sees the state in which it began, whatever changes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from given import SMALL
from office import QUARTER, open_office
from psycopg import errors

from exams.errors import ExamsError
from exams.warehouse import store
from exams.warehouse.postgresql import places
from exams.warehouse.withdraw import withdraw_quarter

TRACK, POINTS, MARK = SMALL["fields"]
# Fields under which a quarter is loaded anew, and a file under them.
CHANGES = {
    "decimals": (
        [TRACK, POINTS, {**MARK, "decimals": 2}],
        "track,points,mark\nnorth,5,2.55\nsouth,3,\n",
    ),
    "levels": (
        [TRACK, {**POINTS, "levels": [{"from": 0, "label": "it's low"}, 9]}, MARK],
        "track,points,mark\nnorth,5,2.5\nsouth,3,\n",
    ),
    "a field less": ([TRACK, POINTS], "track,points\nnorth,5\n"),
    "a field more": (
        [TRACK, POINTS, MARK, {**MARK, "name": "second", "title": "Second"}],
        "track,points,mark,second\nnorth,5,2.5,3.5\n",
    ),
    "another dimension": (
        [{**TRACK, "name": "region", "title": "Region"}, POINTS, MARK],
        "region,points,mark\nnorth,5,2.5\nsouth,3,\n",
    ),
    "a level where a score was": (
        [{**TRACK, "name": "mark", "title": "M"}, {**POINTS, "name": "track", "title": "T"}],
        "mark,track\nnorth,5\nsouth,3\n",
    ),
    "nothing": (SMALL["fields"], "track,points,mark\nsouth,1,1.0\n"),
}


@pytest.fixture
def office(tmp_path, small, postgres):
    """An office with two quarters on a server."""
    office = open_office(tmp_path, small, postgres.new_database())
    for quarter, last in ("2023Q4", 3), (QUARTER, 4):
        content = f"track,points,mark\nnorth,5,2.5\nnorth,11,2.0\nsouth,{last},\n"
        office.deliver(quarter, north=content)
        office.build(quarter)
    return office


def state(connection):
    """Return the records that both views show: of each the columns that have a value, as texts."""
    return [
        {c.name: str(v) for c, v in zip(found.description, row, strict=True) if v is not None}
        for view in ("results", "labelled")
        for found in [connection.execute(f"SELECT * FROM exams.{view} ORDER BY quarter, line")]
        for row in found
    ]


def seen_by_others(office):
    with psycopg.connect(office.places.server) as connection:
        return state(connection)


def open_reader(office):
    """Return a connection in a transaction that sees the present state, and has looked at none."""
    reader = psycopg.connect(office.places.server)
    reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    reader.execute("SELECT 1")
    return reader


def former(office):
    """Return the names of tables and views that are there for former transactions."""
    return [name for name, *_ in office.dump() if "-" in name]


def change(office, contract_of, how):
    fields, content = CHANGES[how]
    office.contract = contract_of({**SMALL, "fields": fields})
    office.deliver(north=content)
    office.build()


@pytest.mark.parametrize("how", CHANGES)
def test_who_began_before_a_change_sees_the_records_as_they_were(office, contract_of, how):
    before = seen_by_others(office)
    with open_reader(office) as reader:
        change(office, contract_of, how)
        assert state(reader) == before
        assert seen_by_others(office) != before
        after = seen_by_others(office)
    office.build()
    assert seen_by_others(office) == after
    assert former(office) == []


def test_who_began_before_a_withdrawal_sees_the_records_that_were(office):
    before = seen_by_others(office)
    with open_reader(office) as reader:
        withdraw_quarter(office.warehouse, QUARTER)
        assert {row["quarter"] for row in seen_by_others(office)} == {"2023Q4"}
        withdraw_quarter(office.warehouse, "2023Q4")
        assert state(reader) == before
    office.build()
    assert former(office) == []


def test_each_of_many_transactions_sees_its_own_state(office, contract_of):
    with ExitStack() as open_ones:
        readers = []
        for how in [*CHANGES, "decimals", "nothing", "decimals"]:
            seen = seen_by_others(office)
            readers.append((open_ones.enter_context(open_reader(office)), seen))
            change(office, contract_of, how)
        withdraw_quarter(office.warehouse, QUARTER)
        assert [state(reader) for reader, _ in readers] == [seen for _, seen in readers]
    office.build()
    assert former(office) == []


def test_who_sees_what_is_reckoned_from_one_moment(office, contract_of):
    """A number that is taken in between would make a reader look younger than it is."""
    with open_reader(office):
        change(office, contract_of, "decimals")
        with store.changing(office.warehouse) as session:
            assert places._unseen(session) == {}
            taken = session.execute("SELECT txid_current_if_assigned()").fetchall()
    assert taken == [(None,)]


@pytest.mark.parametrize("of", [f"labelled_{QUARTER}", f"result_{QUARTER}"])
def test_what_others_have_built_on_a_former_table_goes_with_it(office, contract_of, of):
    with psycopg.connect(office.places.server, autocommit=True) as other:
        other.execute(f'CREATE VIEW mine AS SELECT * FROM exams."{of}"')
    change(office, contract_of, "decimals")
    assert former(office) == []
    with psycopg.connect(office.places.server, autocommit=True) as other:
        other.execute(f'CREATE VIEW mine AS SELECT * FROM exams."{of}"')
    withdraw_quarter(office.warehouse, QUARTER)
    assert former(office) == []


@pytest.mark.parametrize("goes", [False, True])
def test_a_view_that_an_administrator_has_dropped_stops_nothing(office, goes):
    before = seen_by_others(office)
    with psycopg.connect(office.places.server, autocommit=True) as administrator:
        administrator.execute(f'DROP VIEW exams."labelled_{QUARTER}" CASCADE')
    if goes:
        withdraw_quarter(office.warehouse, QUARTER)
    office.build()
    assert seen_by_others(office) == before
    assert former(office) == []


def test_nothing_is_kept_for_nobody(office, contract_of):
    for how in CHANGES:
        change(office, contract_of, how)
        assert former(office) == []
    withdraw_quarter(office.warehouse, QUARTER)
    assert {name for name, *_ in office.dump() if QUARTER in name} == set()


def test_views_that_are_looked_at_without_end_are_left_as_they_are(
    office, contract_of, monkeypatch
):
    monkeypatch.setattr(places, "_PATIENCE", 0.5)
    before = seen_by_others(office)
    with psycopg.connect(office.places.server) as long:
        state(long)
        with pytest.raises(ExamsError, match=r"E210 .* is being read in a transaction"):
            change(office, contract_of, "decimals")
        assert state(long) == seen_by_others(office) == before
    office.build()
    assert seen_by_others(office) != before


@contextmanager
def many_looks(office):
    """Let others look at both views again and again."""
    done = threading.Event()

    def look(view):
        with psycopg.connect(office.places.server, autocommit=True) as reader:
            while not done.wait(0.01):
                reader.execute(f"SELECT count(*) FROM exams.{view}")

    with ThreadPoolExecutor() as pool:
        looks = [pool.submit(look, view) for view in ("results", "labelled")]
        try:
            yield
        finally:
            done.set()
        for each in looks:
            each.result()


def test_views_that_are_looked_at_again_and_again_do_change(office, contract_of, monkeypatch):
    monkeypatch.setattr(places, "_PATIENCE", 20)
    with many_looks(office):
        for how in ("decimals", "nothing", "levels"):
            change(office, contract_of, how)
        withdraw_quarter(office.warehouse, QUARTER)
    assert {row["quarter"] for row in seen_by_others(office)} == {"2023Q4"}


def test_attempts_do_not_pile_up_in_a_transaction(office):
    with psycopg.connect(office.places.server) as long, store.changing(office.warehouse) as session:
        state(long)
        assert not places._attempted(session, lambda: session.execute("DROP VIEW labelled"))
        session.execute("SAVEPOINT still_there")
        with pytest.raises(errors.InvalidSavepointSpecification):
            session.execute("RELEASE SAVEPOINT change")
        session.execute("ROLLBACK TO SAVEPOINT still_there")


def test_what_is_kept_for_one_reader_keeps_no_other_waiting(office, contract_of):
    with open_reader(office):
        change(office, contract_of, "decimals")
    with psycopg.connect(office.places.server) as long:
        state(long)  # holds the views as long as it is open
        office.build()
        assert former(office) != []
        assert state(long) == seen_by_others(office)
    office.build()
    assert former(office) == []


def test_a_connection_that_is_cut_while_it_tidies_takes_nothing_back(
    office, contract_of, monkeypatch
):
    look = places._unseen

    def cut(session):
        with psycopg.connect(office.places.server, autocommit=True) as other:
            number = session.connection.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s)", [number])
        return look(session)

    monkeypatch.setattr(places, "_unseen", cut)
    before = seen_by_others(office)
    change(office, contract_of, "decimals")
    assert seen_by_others(office) != before
    assert former(office) != []
    monkeypatch.undo()
    office.build()
    assert former(office) == []
