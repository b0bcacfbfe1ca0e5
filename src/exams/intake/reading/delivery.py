"""Reads a delivery piece by piece, whoever then keeps the pieces or judges them at once."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from exams.intake.arrays import of_numbers, of_texts
from exams.intake.parts import Delivery, Extracted, Part, part_name, write_part
from exams.intake.reading.arrivals import Arrival, changed
from exams.intake.reading.delimited import Malformed
from exams.intake.reading.layout import Layout
from exams.intake.reading.reader import Tally, read_records


class Piece(NamedTuple):
    """Some records of a delivery: well-formed ones, and line and text of malformed ones.

    `size`: how many bytes of the file were read for it, more or less.
    """

    records: pa.RecordBatch
    malformed: Malformed
    size: int


def delivery_from(number: int, arrival: Arrival, layout: Layout) -> Delivery:
    """Return the delivery that has this `number` in its quarter."""
    header = layout.header
    field_of = {place: name for name, place in header.places.items()}
    return Delivery(
        number=number,
        file=arrival.file,
        sha256=arrival.sha256,
        bytes=arrival.bytes,
        read_as=layout.read_as,
        columns=tuple((word, field_of.get(at, "")) for at, word in enumerate(header.words)),
        corrects=header.corrects,
    )


def read_delivery(
    delivery: Delivery, arrival: Arrival, layout: Layout, limit: int
) -> Iterator[Piece | Extracted]:
    """Yield the records of a delivery piece by piece, and at its end what was read.

    limit: bytes to which the file may unpack. Raise what `read_records` raises, and E109 if the
    file is not the one that arrived.
    """
    tally, malformed, position = Tally(), 0, 0
    for batch in read_records(arrival.path, arrival.file, layout, tally, limit):
        malformed += len(tally.malformed)
        yield Piece(batch, tally.malformed.copy(), max(tally.position - position, 0))
        tally.malformed.clear()
        position = max(position, tally.position)
    if tally.sha256 != arrival.sha256:
        raise changed(arrival.file)
    delivery = replace(delivery, read_as=tally.read_as)  # an encoding may show late
    yield Extracted(delivery, tally.received, malformed, ())


def write_parts(
    number: int, arrival: Arrival, layout: Layout, out: Path, limit: int, mark: str = ""
) -> Iterator[Delivery | Part | Extracted]:
    """Write a delivery into `out` as parts; yield it, its parts, and at last what was read.

    mark: see `part_name`. Raise what `read_delivery` raises.
    """
    delivery, names = delivery_from(number, arrival, layout), list[str]()
    yield delivery
    for place, item in enumerate(read_delivery(delivery, arrival, layout, limit)):
        if isinstance(item, Extracted):
            yield replace(item, parts=tuple(names))
            return
        parts = {part_name(number, place, mark=mark): item.records}
        if item.malformed:
            parts[part_name(number, place, True, mark)] = _malformed(item.malformed)
        size = item.size
        for name, records in parts.items():
            names.append(write_part(out / name, records))
            yield Part(delivery, name, size)
            size = 0


def _malformed(found: Iterable[tuple[int, str]]) -> pa.RecordBatch:
    lines, texts = zip(*found, strict=True)
    arrays = [of_numbers(np.array(lines, np.int32)), of_texts(text.encode() for text in texts)]
    return pa.RecordBatch.from_arrays(arrays, ["line", "text"])
