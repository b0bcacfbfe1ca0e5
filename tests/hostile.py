"""Parquet files that no program writes: small ones that ask for more than any machine has.

A file is put together from its pages here, since pyarrow writes only what it would read again.
Layout and numbers are those of Apache Parquet's parquet.thrift, in Thrift's compact protocol.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BYTES, FIXED = 6, 7  # types of columns
PLAIN, RLE, DELTA_LENGTHS, DELTA_TEXTS, CODES = 0, 3, 6, 7, 8  # encodings
UNCOMPRESSED, ZSTD = 0, 6
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


class I32(int):
    """A number that Thrift knows as i32; others are i64."""


def packed(value: object) -> bytes:
    """Return a value as Thrift's compact protocol: numbers, texts, lists, structs (mappings)."""
    match value:
        case int():
            return varint((value << 1) ^ (value >> 63))
        case str() | bytes():
            raw = value.encode() if isinstance(value, str) else value
            return varint(len(raw)) + raw
        case Mapping():
            made, last = b"", 0
            for place, part in sorted(value.items()):
                assert 0 < place - last < 16
                made += bytes([(place - last) << 4 | _kind(part)]) + packed(part)
                last = place
            return made + b"\0"
        case Repeated():
            return _list_head(value.times, _kind(value.part)) + packed(value.part) * value.times
        case Sequence():
            kind = _kind(value[0]) if value else _I32
            return _list_head(len(value), kind) + b"".join(map(packed, value))
    raise TypeError(value)


@dataclass(frozen=True)
class Repeated:
    """A list of the same thing, many times."""

    part: object
    times: int


def varint(number: int) -> bytes:
    """Return a whole number of at least 0 in as few bytes as it needs, seven bits in each."""
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def _list_head(size: int, kind: int) -> bytes:
    return bytes([size << 4 | kind]) if size < 15 else bytes([0xF0 | kind]) + varint(size)


def _kind(value: object) -> int:
    kinds = {I32: _I32, int: _I64, str: _BINARY, bytes: _BINARY, dict: _STRUCT}
    return kinds.get(type(value), _LIST)


def page(body: bytes, values: int, encoding: int = PLAIN, unpacked: int | None = None) -> bytes:
    """Return a data page of `body`, which unpacks to so many bytes and holds so many values."""
    sizes = {1: I32(0), 2: I32(len(body) if unpacked is None else unpacked), 3: I32(len(body))}
    own = {1: I32(values), 2: I32(encoding), 3: I32(RLE), 4: I32(RLE)}
    return packed({**sizes, 5: own}) + body


def dictionary(body: bytes, values: int, unpacked: int | None = None) -> bytes:
    """Return a page with the values that codes of later pages stand for."""
    sizes = {1: I32(2), 2: I32(len(body) if unpacked is None else unpacked), 3: I32(len(body))}
    return packed({**sizes, 7: {1: I32(values), 2: I32(PLAIN)}}) + body


def value(text: bytes) -> bytes:
    """Return a text as a PLAIN page holds it."""
    return struct.pack("<L", len(text)) + text


def run(code: int, times: int) -> bytes:
    """Return a run of one code of at most 8 bits, as a page of codes holds it."""
    return bytes([8]) + varint(times << 1) + bytes([code])


@dataclass(frozen=True)
class Column:
    """A column without nulls: its pages, and what the footer claims of them."""

    name: str
    pages: bytes
    values: int
    kind: int = BYTES
    codec: int = UNCOMPRESSED
    dictionary: int = 0  # bytes of the pages before the first data page
    more: Mapping[int, object] = field(default_factory=dict)  # of its SchemaElement


def column(name: str, *texts: bytes) -> Column:
    """Return a column of texts, each as it is."""
    return Column(name, page(b"".join(map(value, texts)), len(texts)), len(texts))


def coded(name: str, entry: bytes, rows: int, **more) -> Column:
    """Return a column in whose dictionary is one `entry`, which all rows have."""
    first = dictionary(entry, 1)
    codes = page(run(0, rows), rows, CODES)
    return Column(name, first + codes, rows, dictionary=len(first), **more)


def parquet(columns: Sequence[Column], rows: int, groups: int = 1, claimed: int = 1) -> bytes:
    """Return a file of columns; each of its row groups holds the same bytes, once in the file.

    `claimed` are the bytes that the footer says a row group unpacks to.
    """
    made, chunks = b"PAR1", []
    for column in columns:
        about = {
            1: I32(column.kind),
            2: [I32(PLAIN)],
            3: [column.name],
            4: I32(column.codec),
            5: column.values,
            6: claimed,
            7: len(column.pages),
            9: len(made) + column.dictionary,
        }
        if column.dictionary:
            about[11] = len(made)
        chunks.append({2: len(made), 3: about})
        made += column.pages
    root = {4: "schema", 5: I32(len(columns))}
    schema = [root, *({1: I32(c.kind), 3: I32(0), 4: c.name, **c.more} for c in columns)]
    group = {1: chunks, 2: claimed, 3: rows}
    return made + footer({1: I32(1), 2: schema, 3: rows * groups, 4: Repeated(group, groups)})


def footer(content: Mapping[int, object]) -> bytes:
    """Return the end of a file: its metadata, their length and the magic bytes."""
    raw = packed(content)
    return raw + struct.pack("<L", len(raw)) + b"PAR1"
