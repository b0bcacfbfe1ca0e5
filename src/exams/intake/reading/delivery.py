"""Reads a delivery piece by piece, whoever then keeps the pieces or judges them at once."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from exams.intake.parts import Delivery, Extracted
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
