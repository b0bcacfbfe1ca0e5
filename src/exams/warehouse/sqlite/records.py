"""Enters the records of a quarter, in bulk."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from exams.schema import Table, quoted
from exams.warehouse.sqlite.packed import insert_columns
from exams.warehouse.sqlite.pages import COLUMNS, ROWS, empty, filled
from exams.warehouse.values import Values


class Records:
    """Inserts rows into `table`, whose first column is its INTEGER key.

    Rows of whole numbers go in as an image, which takes half the time; others one by one.
    """

    def __init__(self, connection: sqlite3.Connection, table: Table) -> None:
        self.connection, self.table = connection, table
        self.empty = empty(table)
        self.beside = ThreadPoolExecutor(1)  # makes images while others are copied
        connection.execute("ATTACH ':memory:' AS image")

    def insert(self, columns: Mapping[str, Values]) -> None:
        """Insert one row per place of `columns`, by name in the table's order.

        The keys, from 0 to 2^56, ascend and are new.
        """
        numbers = [v for v in columns.values() if isinstance(v, np.ndarray) and v.dtype != object]
        if len(numbers) < len(columns) or len(columns) > COLUMNS:
            insert_columns(self.connection, self.table.name, columns)
            return
        for image in self._images(numbers):
            self._copy(image)

    def counts(self, deliveries: Sequence[int]) -> list[int]:
        """Return how many records of each delivery the table has.

        Of the last, all those that are of no other: to count a table takes a fifth of the time.
        """
        query = f"SELECT count(*) FROM {quoted(self.table.name)}"
        within = f"{query} WHERE key >= ? AND key < ?"
        ranges = [(number << 32, (number + 1) << 32) for number in deliveries[:-1]]
        found = [int(self.connection.execute(within, keys).fetchone()[0]) for keys in ranges]
        (whole,) = self.connection.execute(query).fetchone()
        return [*found, whole - sum(found)] if deliveries else []

    def _images(self, numbers: list[np.ndarray]) -> Iterator[bytes]:
        def image(start: int) -> bytes:
            key, *others = (column[start : start + ROWS] for column in numbers)
            return filled(self.empty, key, others)

        return self.beside.map(image, range(0, len(numbers[0]), ROWS))

    def _copy(self, image: bytes) -> None:
        name = quoted(self.table.name)
        self.connection.deserialize(image, name="image")
        self.connection.execute(f"INSERT INTO main.{name} SELECT * FROM image.{name}")
