"""Rows that go to a server in bulk are the rows that were given."""

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exams.warehouse.postgresql import binary
from exams.warehouse.postgresql.opening import Session
from exams.warehouse.postgresql.rows import Records, insert_columns
from exams.warehouse.values import Optional

MADE = 'n bigint, gap bigint, word text COLLATE "C", code bytea, same text'
NUMBER = st.integers(-(2**63), 2**63 - 1)
NARROW = st.integers(-(2**31), 2**31 - 1)
ROW = st.tuples(
    NUMBER,
    st.none() | NUMBER,
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=70),
    st.none() | st.binary(max_size=70),
)


@pytest.fixture(scope="module")
def session(postgres):
    with psycopg.connect(postgres.new_database(), autocommit=True) as connection:
        yield Session(connection)


def held(session, rows, same):
    """Return what a table holds after `rows` were inserted as columns, and how many it took."""
    session.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({MADE})")
    numbers, gaps, words, codes = zip(*rows, strict=True)
    missing = np.array([gap is None for gap in gaps])
    columns = {
        "n": np.array(numbers, np.int64),
        "gap": Optional(np.array([gap or 0 for gap in gaps], np.int64), missing),
        "word": objects(words),
        "code": objects(codes),
        "same": same,
    }
    taken = insert_columns(session, "t", columns)
    return session.execute("SELECT n, gap, word, code FROM t").fetchall(), taken


def objects(values):
    made = np.empty(len(values), object)
    made[:] = values
    return made


@given(rows=st.lists(ROW, min_size=1, max_size=30), same=st.text("aé", max_size=4))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_of_any_kind_arrive_unchanged(session, rows, same):
    found, taken = held(session, rows, same)
    assert taken == len(rows)
    said = [(n, gap, word and word.replace("\0", "␀"), code) for n, gap, word, code in rows]
    assert found == said
    assert session.execute("SELECT DISTINCT same FROM t").fetchall() == [(same,)]


@pytest.mark.parametrize("size", [1, binary._ROWS - 1, binary._ROWS, 2 * binary._ROWS + 1])
def test_a_table_of_any_length_arrives(session, size):
    rows = [(n, n if n % 3 else None, "x" * (n % 5) if n % 7 else None, b"") for n in range(size)]
    assert held(session, rows, "s") == (rows, size)


def test_records_are_counted_by_delivery_as_the_server_takes_them(session):
    session.execute("DROP TABLE IF EXISTS r; CREATE TABLE r (key bigint, points integer)")
    records = Records(session, "r")
    for delivery, size in ((1, 3), (2, 2), (1, 1), (2, 0)):
        key = np.arange(size) + (delivery << 32)
        records.insert({"key": key, "points": np.zeros(size, np.int64)})
    assert records.counts([1, 2, 3]) == [4, 2, 0]


@given(rows=st.lists(st.tuples(NARROW, st.none() | NARROW, st.none() | st.binary(max_size=70))))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_of_records_have_32_bits_and_arrive_unchanged(session, rows):
    made = "key bigint, points integer, mark integer, code bytea, same text"
    session.execute(f"DROP TABLE IF EXISTS r; CREATE TABLE r ({made})")
    points, marks, codes = zip(*rows, strict=True) if rows else ((), (), ())
    missing = np.array([mark is None for mark in marks], bool)
    columns = {
        "key": np.arange(len(rows)) + (1 << 40),
        "points": np.array(points, np.int64),
        "mark": Optional(np.array([mark or 0 for mark in marks], np.int64), missing),
        "code": objects(codes),
        "same": "é",
    }
    Records(session, "r").insert(columns)
    expected = [((1 << 40) + at, *row, "é") for at, row in enumerate(rows)]
    assert session.execute("SELECT * FROM r").fetchall() == expected


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1])
def test_a_number_of_more_than_32_bits_is_refused(session, number):
    session.execute("DROP TABLE IF EXISTS r; CREATE TABLE r (key bigint, points integer)")
    with pytest.raises(OverflowError):
        Records(session, "r").insert({"key": np.arange(2), "points": np.array([1, number])})
    assert session.execute("SELECT * FROM r").fetchall() == []
