"""The two stores in which the warehouse may lie."""

import psycopg
import pytest

from exams.places import Server
from exams.schema import quoted
from exams.warehouse.dialect import structure
from exams.warehouse.store import exists, reading
from postgres import files_with

_ELSEWHERE = "layout"  # a table of servers; a file has this number elsewhere
IN_A_FILE = pytest.mark.parametrize("store", ["file"], indirect=True)
ON_A_SERVER = pytest.mark.parametrize("store", ["server"], indirect=True)


def contents(warehouse):
    """Return all that a warehouse holds: rows by table or view and the names of its columns."""
    with reading(warehouse, any_release=True) as connection:
        shown = structure(connection)
        return {
            (name, *shown.columns(connection, name)): sorted(
                _rows(connection, shown.columns(connection, name), name),
                key=repr,
            )
            for name in shown.names(connection)
            if name != _ELSEWHERE
        }


def lines_of(warehouse):
    """Return it as lines; none if there is no warehouse."""
    if not exists(warehouse):
        return []
    return [f"{name}: {row}" for name, rows in contents(warehouse).items() for row in rows]


def _rows(connection, columns, table):
    query = f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}"
    return [row for row in connection.execute(query).fetchall() if row[0] != _ELSEWHERE]


def remove(warehouse):
    """Take a warehouse away."""
    if isinstance(warehouse, Server):
        with psycopg.connect(warehouse.address, autocommit=True) as connection:
            connection.execute("DROP SCHEMA exams CASCADE")
    else:
        warehouse.unlink()


def holds(warehouse, words):
    """Say whether the bytes of `words` lie anywhere in the files of a warehouse."""
    if isinstance(warehouse, Server):
        return bool(files_with(warehouse.address, words))
    return words in warehouse.read_bytes()
