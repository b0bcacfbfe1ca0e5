"""A table of whole numbers as pages of SQLite, made by numpy, for SQLite to copy.

To take rows one by one, SQLite must be given each value, and makes the record of it. An image
of a database that holds the records spares both: `INSERT ... SELECT *` copies records whole.
The image is read once and never kept. Its format: https://www.sqlite.org/fileformat2.html,
"B-tree Pages" and "Record Format".
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import numpy as np

from exams.schema import Table

_PAGE = 1 << 16  # bytes
_LEAF, _INTERIOR = 13, 5  # kinds of page
_ROOT = 2  # number of the page that a table's first statement made
_TYPES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 5, 8: 6}  # of whole numbers, by their size in bytes
ROWS = 1 << 14  # of one image at most,
COLUMNS = 500  # and columns: then one interior page names all leaves


def empty(table: Table) -> bytes:
    """Return the image of a database whose only table has no rows: two pages."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute(table.sql())
        return connection.serialize()


def filled(image: bytes, key: np.ndarray, columns: Sequence[np.ndarray]) -> bytes:
    """Return `image`, which is that of an empty table, with rows: from one to ROWS.

    key: its INTEGER key, which is its first column; from 0 to 2^56, ascending. columns: the
    others in their order, int64, at most COLUMNS.
    """
    keys = _varints(key)
    cells = _cells(keys, columns)
    many = (_PAGE - 8) // (cells.shape[1] + 2)
    whole = len(cells) // many * many
    leaves = _pages(_LEAF, cells[:whole].reshape(-1, many, cells.shape[1]))
    if whole < len(cells):
        leaves = np.concatenate([leaves, _pages(_LEAF, cells[None, whole:])])
    pages = leaves if len(leaves) == 1 else _tree(leaves, keys[many - 1 :: many])
    size = (1 + len(pages)).to_bytes(4, "big")
    return b"".join([image[:28], size, image[32:_PAGE], pages.data])


def _cells(keys: np.ndarray, columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return a cell per row (bytes): size of the record, key, and the record."""
    numbers = [_bytes(column) for column in columns]
    types = bytes([0, *(_TYPES[n.shape[1]] for n in numbers)])  # 0: the key stands outside
    header = _varint(len(types) + 1 + (len(types) > 126)) + types
    size = _varint(len(header) + sum(n.shape[1] for n in numbers))
    parts = [_repeated(size, keys), keys, _repeated(header, keys), *numbers]
    return np.concatenate(parts, axis=1)


def _tree(leaves: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return leaves below one interior page; `last` are the keys of their last rows."""
    numbers = np.arange(len(leaves)) + _ROOT + 1
    cells = np.concatenate([_big_endian(numbers[:-1], 4), last[: len(leaves) - 1]], axis=1)
    right = int(numbers[-1]).to_bytes(4, "big")
    return np.concatenate([_pages(_INTERIOR, cells[None], right), leaves])


def _pages(kind: int, cells: np.ndarray, right: bytes = b"") -> np.ndarray:
    """Return pages (bytes) that hold `cells`: (pages, cells of one, bytes of one)."""
    pages, many, size = cells.shape
    start = _PAGE - many * size
    header = bytes([kind, 0, 0]) + many.to_bytes(2, "big") + start.to_bytes(2, "big") + b"\0"
    pointers = (start + size * np.arange(many)).astype(">u2").tobytes()
    made = np.zeros((pages, _PAGE), np.uint8)
    head = header + right + pointers
    made[:, : len(head)] = np.frombuffer(head, np.uint8)
    made[:, start:] = cells.reshape(pages, many * size)
    return made


def _bytes(column: np.ndarray) -> np.ndarray:
    """Return whole numbers as bytes (rows, size), in the least size that holds them all."""
    bits = max(int(column.max()), ~int(column.min())).bit_length() + 1
    return _big_endian(column, next(size for size in _TYPES if 8 * size >= bits))


def _big_endian(numbers: np.ndarray, size: int) -> np.ndarray:
    return numbers.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - size :]


def _varints(numbers: np.ndarray) -> np.ndarray:
    """Return numbers from 0 to 2^56 as varints (rows, size), all as long as the longest."""
    size = max(-(-int(numbers.max()).bit_length() // 7), 1)
    digits = numbers[:, None] >> np.arange(7 * (size - 1), -1, -7) & 127
    digits[:, :-1] |= 128
    return digits.astype(np.uint8)


def _varint(number: int) -> bytes:
    return _varints(np.array([number])).tobytes()


def _repeated(what: bytes, rows: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.frombuffer(what, np.uint8), (len(rows), len(what)))
