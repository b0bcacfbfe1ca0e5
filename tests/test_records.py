"""Rows that go into a table in bulk are the rows that were given."""

import sqlite3
from contextlib import closing
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.schema import Column, Table
from exams.warehouse.sqlite import pages, records
from exams.warehouse.sqlite.packed import insert_columns
from exams.warehouse.sqlite.records import Records
from exams.warehouse.sqlite.structure import ready
from exams.warehouse.values import Optional

NUMBER = st.one_of(
    st.integers(-130, 130), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
)


def table(width: int) -> Table:
    columns = [Column("key", "INTEGER", ""), *(Column(f"c{i}", "", "") for i in range(width))]
    return Table("t", "", tuple(columns), ("key",))


def rows(width: int, columns: dict[str, object], many: int = 1) -> list[tuple[object, ...]]:
    """Return what a table holds after `columns` were inserted, `many` times in turn."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(table(width).sql())
        connection.execute("BEGIN IMMEDIATE")
        ready(connection)
        into = Records(connection, "t")
        for _ in range(many):
            into.insert(columns)
        connection.execute("COMMIT")
        assert connection.execute("PRAGMA main.integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT * FROM t").fetchall()


def numbered(rows: int) -> np.ndarray:
    return np.arange(1, rows + 1)


@given(
    keys=st.lists(st.integers(0, 2**56 - 1), unique=True, min_size=1, max_size=40).map(sorted),
    data=st.data(),
)
@settings(max_examples=200)
def test_whole_numbers_of_any_size_arrive_unchanged(keys: list[int], data: st.DataObject) -> None:
    size = {"min_size": len(keys), "max_size": len(keys)}
    given_rows = data.draw(st.lists(st.tuples(NUMBER, NUMBER), **size))
    first, second = (np.array(column, np.int64) for column in zip(*given_rows, strict=True))
    found = rows(2, {"key": np.array(keys), "c0": first, "c1": second})
    assert found == [(key, *row) for key, row in zip(keys, given_rows, strict=True)]


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300), size=st.integers(1, 99)
)
@settings(max_examples=50)
def test_a_text_that_is_the_same_in_each_row_goes_in_as_an_image(text: str, size: int) -> None:
    with mock.patch.object(records, "insert_columns") as one_by_one:
        found = rows(4, {"key": numbered(size), "c3": numbered(size), "c1": text})
    assert found == [(n, None, text, None, n) for n in range(1, size + 1)]
    assert not one_by_one.called


def test_texts_too_long_for_an_image_arrive_unchanged() -> None:
    text = "ü" * pages.BYTES
    assert rows(2, {"key": numbered(3), "c0": numbered(3), "c1": text})[2] == (3, 3, text)


@pytest.mark.parametrize("width", [1, 499])
def test_the_longest_text_that_an_image_may_have_is_sound(width: int) -> None:
    text = "u" * pages.BYTES
    wide = {f"c{i}": numbered(pages.ROWS) << 40 for i in range(1, width)}
    found = rows(width, {"key": numbered(pages.ROWS), "c0": text, **wide})
    assert len(found) == pages.ROWS
    assert {row[1] for row in found} == {text}


@pytest.mark.parametrize("size", [1, 2, 5_000, pages.ROWS - 1, pages.ROWS, pages.ROWS + 1, 70_000])
def test_a_table_of_any_length_is_sound(size: int) -> None:
    values = numbered(size) * 3 - 7
    found = rows(1, {"key": numbered(size) + (1 << 32), "c0": values})
    assert found == list(zip((numbered(size) + (1 << 32)).tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize("width", [1, 125, 126, 127, 499, 500, 700])
def test_a_table_of_any_width_is_sound(width: int) -> None:
    size = pages.ROWS if width < 600 else 50
    wide = {f"c{i}": numbered(size) * (-1) ** i << 40 for i in range(width)}
    found = rows(width, {"key": numbered(size), **wide})
    assert found[1] == (2, *(2 * (-1) ** i << 40 for i in range(width)))
    assert len(found) == size


def test_an_image_is_a_sound_database_by_itself() -> None:
    image = pages.filled(pages.empty(table(1).sql()), numbered(9_000), [numbered(9_000) % 100])
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(image)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT c0 FROM t WHERE key = 8150").fetchall() == [(50,)]


def test_a_key_that_is_there_already_is_refused() -> None:
    with pytest.raises(sqlite3.IntegrityError):
        rows(1, {"key": numbered(3), "c0": numbered(3)}, many=2)


def test_missing_values_texts_and_bytes_arrive_unchanged() -> None:
    columns = {
        "key": np.array([1, 2, 3]),
        "c0": Optional(np.array([-5, 99, 7]), np.array([False, True, False])),
        "c1": Optional(np.array([1, 2, 3]), np.array([True, True, True])),
        "c2": np.array([b"\x00\xff", None, b""], object),
        "c3": "it's",
        "c4": np.array([2**62, -(2**62), 0]),
        "c5": np.array([4, 4, 4]),
    }
    assert rows(6, columns) == [
        (1, -5, None, b"\x00\xff", "it's", 2**62, 4),
        (2, None, None, None, "it's", -(2**62), 4),
        (3, 7, None, b"", "it's", 0, 4),
    ]


@given(st.lists(st.tuples(*[st.integers(-(2**62), 2**62)] * 3), min_size=1, max_size=450))
@settings(max_examples=50)
def test_numbers_that_share_a_word_do_not_mix(given_rows: list[tuple[int, int, int]]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b, c, d)")
        a, b, c = (np.array(column) for column in zip(*given_rows, strict=True))
        insert_columns(connection, "t", {"a": a, "b": b % 100, "c": c % 7 - 3, "d": a % 2})
        found = connection.execute("SELECT * FROM t").fetchall()
    assert found == [(x, y % 100, z % 7 - 3, x % 2) for x, y, z in given_rows]


def test_no_rows_are_no_rows() -> None:
    assert rows(1, {"key": np.zeros(0, np.int64), "c0": np.zeros(0, np.int64)}) == []
    gaps = Optional(np.zeros(0, np.int64), np.zeros(0, bool))
    assert rows(1, {"key": np.zeros(0, np.int64), "c0": gaps}) == []


def test_records_are_counted_in_the_table_by_delivery() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(table(1).sql())
        connection.execute("BEGIN IMMEDIATE")
        ready(connection)
        into = Records(connection, "t")
        assert into.counts([]) == []
        assert into.counts([7]) == [0]
        for delivery, size in ((3, 5), (4, 20_000), (9, 40)):
            key = numbered(size) + (delivery << 32)
            into.insert({"key": key, "c0": numbered(size)})
        assert into.counts([3, 8, 9, 4]) == [5, 0, 40, 20_000]
        connection.execute("DELETE FROM t WHERE key >= ?", (9 << 32,))
        assert into.counts([3, 9, 4]) == [5, 0, 20_000]


def test_a_column_that_the_table_does_not_have_is_refused_and_not_lost() -> None:
    for text in ("same", "ü" * pages.BYTES):
        with pytest.raises(sqlite3.OperationalError, match="no column named c1"):
            rows(1, {"key": numbered(3), "c0": text, "c1": numbered(3)})
