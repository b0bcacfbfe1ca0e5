"""Structs in Thrift's compact protocol, as far as Parquet has them.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY = 1, 2, 3, 4, 5, 6, 7, 8
_LIST, _STRUCT = 9, 12
_NUMBERS = {_I16, _I32, _I64}
_FIXED = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}  # bytes; what they are is of no interest
_MOST, _DEPTH = 64, 10  # fields of a struct, and structs in each other


def fields_of(raw: bytes, at: int = 0, depth: int = 1) -> tuple[dict, int]:
    """Return the fields of the struct at a place by their number, and the place behind it.

    Whole numbers and truths are as they are, of texts there is the length, structs are dicts.
    Raise IndexError if it is cut off, ValueError for what Parquet has nowhere.
    """
    found: dict = {}
    number = 0
    for _ in range(_MOST):
        head = raw[at]
        at += 1
        if not head:
            return found, at
        if head >> 4:
            number += head >> 4
        else:
            number, at = _signed(raw, at)
        found[number], at = _value(raw, at, head & 15, depth)
    raise ValueError("too many fields")


def _value(raw: bytes, at: int, kind: int, depth: int) -> tuple[int | dict | list, int]:
    if kind in _NUMBERS:
        return _signed(raw, at)
    if kind == _BINARY:
        length, at = _varint(raw, at)
        return length, at + length
    if kind in _FIXED:
        return kind == _TRUE, at + _FIXED[kind]
    if kind in (_STRUCT, _LIST) and depth < _DEPTH:
        return (fields_of if kind == _STRUCT else _list)(raw, at, depth + 1)
    raise ValueError("a map, or something too deep down")


def _list(raw: bytes, at: int, depth: int) -> tuple[list, int]:
    size, kind, at = raw[at] >> 4, raw[at] & 15, at + 1
    if size == 15:
        size, at = _varint(raw, at)
    if size > len(raw) - at:  # each entry takes a byte
        raise IndexError("cut off")
    found = []
    for _ in range(size):
        part, at = _value(raw, at, _BYTE if kind in (_TRUE, _FALSE) else kind, depth)
        found.append(part)
    return found, at


def _signed(raw: bytes, at: int) -> tuple[int, int]:
    number, at = _varint(raw, at)
    return (number >> 1) ^ -(number & 1), at


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):  # bytes that 64 bits need
        number |= (raw[at + place] & 127) << 7 * place
        if raw[at + place] < 128:
            return number, at + place + 1
    raise ValueError("a number of more than 64 bits")
