"""The two stores in which the warehouse may lie."""

import psycopg
import pytest

from exams.places import Server
from postgres import files_with

IN_A_FILE = pytest.mark.parametrize("store", ["file"], indirect=True)
ON_A_SERVER = pytest.mark.parametrize("store", ["server"], indirect=True)


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
