"""A table of whole numbers, and of what is the same in each row, as pages of SQLite.

Numpy makes them for SQLite to copy. To take rows one by one, SQLite must be given each value,
and makes the record of it. An image of a database that holds the records spares both:
`INSERT ... SELECT *` copies records whole.
The image is read once and never kept. Its format: https://www.sqlite.org/fileformat2.html,
"B-tree Pages" and "Record Format".
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import numpy as np

_PAGE = 1 << 16  # bytes
_LEAF, _INTERIOR = 13, 5  # kinds of page
_ROOT = 2  # number of the page that a table's first statement made
_TYPES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 5, 8: 6}  # of whole numbers, by their size in bytes
ROWS = 1 << 14  # of one image at most,
COLUMNS = 500  # and columns,
BYTES = 1_000  # and of texts in a row: then one interior page names all leaves
Filling = np.ndarray | str | None  # int64 by row; or the same in each row


def empty(statement: str) -> bytes:
    """Return the image of a database whose only table has no rows: two pages.

    statement: the CREATE TABLE of it.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute(statement)
        return connection.serialize()


def filled(image: bytes, key: np.ndarray, columns: Sequence[Filling]) -> bytes:
    """Return `image`, which is that of an empty table, with rows: from one to ROWS.

    key: its INTEGER key, which is its first column; from 0 to 2^56, ascending. columns: the
    others in their order, at most COLUMNS, with texts of at most BYTES (together, in UTF-8).
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


def _cells(keys: np.ndarray, columns: Sequence[Filling]) -> np.ndarray:
    """Return a cell per row (bytes): size of the record, key, and the record."""
    fields = [_field(column, keys) for column in columns]
    types = b"\0" + b"".join(kind for kind, _ in fields)  # 0: the key stands outside
    header = _varint(len(types) + 1 + (len(types) > 126)) + types
    size = _varint(len(header) + sum(content.shape[1] for _, content in fields))
    contents = [content for _, content in fields]
    parts = [_repeated(size, keys), keys, _repeated(header, keys), *contents]
    return np.concatenate(parts, axis=1)


def _field(column: Filling, rows: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Return the type of a column in the header of records, and its bytes in each."""
    if isinstance(column, np.ndarray):
        content = _bytes(column)
        return bytes([_TYPES[content.shape[1]]]), content
    if column is None:
        return b"\0", _repeated(b"", rows)
    text = column.encode()
    return _varint(13 + 2 * len(text)), _repeated(text, rows)


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
