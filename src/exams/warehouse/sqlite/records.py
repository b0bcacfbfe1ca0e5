"""Enters many rows into a table with a key, such as the records of a quarter."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeGuard

import numpy as np

from exams.schema import columns as columns_of
from exams.schema import quoted
from exams.warehouse.sql import OF_KEYS, keys
from exams.warehouse.sqlite.packed import insert_columns
from exams.warehouse.sqlite.pages import BYTES, COLUMNS, ROWS, Filling, empty, filled
from exams.warehouse.values import Values


class Records:
    """Inserts rows into `table`, whose first column is its INTEGER key.

    Rows of whole numbers and of what is the same in each go in as an image, which takes half the
    time or less; others one by one. The connection is `ready`.
    """

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self.connection, self.table = connection, table
        self.columns = list(columns_of(connection, table))
        made = "SELECT sql FROM sqlite_master WHERE name = ?"
        self.empty = empty(connection.execute(made, [table]).fetchone()[0])
        self.beside = ThreadPoolExecutor(1)  # makes images while others are copied

    def insert(self, columns: Mapping[str, Values]) -> None:
        """Insert one row per place of `columns`, by name; others of the table's have no value.

        The keys, from 0 to 2^56, ascend and are new.
        """
        key, *others = (columns.get(name) for name in self.columns)
        known = columns.keys() <= set(self.columns)  # else SQLite names what it does not have
        if known and isinstance(key, np.ndarray) and _has_image(others):
            for image in self._images(key, others):
                self._copy(image)
        else:
            insert_columns(self.connection, self.table, columns)

    def counts(self, deliveries: Sequence[int]) -> list[int]:
        """Return how many records of each delivery the table has.

        Of the last, all those that are of no other: to count a table takes a fifth of the time.
        """
        query = f"SELECT count(*) FROM {quoted(self.table)}"
        within = f"{query} WHERE {OF_KEYS}"
        read = self.connection.execute
        found = [int(read(within, keys(number)).fetchone()[0]) for number in deliveries[:-1]]
        (whole,) = read(query).fetchone()
        return [*found, whole - sum(found)] if deliveries else []

    def _images(self, key: np.ndarray, others: Sequence[Filling]) -> Iterator[bytes]:
        def image(start: int) -> bytes:
            part = slice(start, start + ROWS)
            cut = [c[part] if isinstance(c, np.ndarray) else c for c in others]
            return filled(self.empty, key[part], cut)

        return self.beside.map(image, range(0, len(key), ROWS))

    def _copy(self, image: bytes) -> None:
        name = quoted(self.table)
        self.connection.deserialize(image, name="image")
        self.connection.execute(f"INSERT INTO main.{name} SELECT * FROM image.{name}")


def _has_image(columns: Sequence[Values | None]) -> TypeGuard[Sequence[Filling]]:
    """Say whether rows can be made as an image: not too wide, and without gaps and objects."""
    texts = sum(len(column.encode()) for column in columns if isinstance(column, str))
    arrays = [c for c in columns if c is not None and not isinstance(c, str)]
    whole = all(isinstance(a, np.ndarray) and a.dtype != object for a in arrays)
    return whole and len(columns) < COLUMNS and texts <= BYTES
