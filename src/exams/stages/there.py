"""What the workers of a cluster do: each call takes files, writes files and returns their names.

A call may be made twice at once, if a worker only seemed to be dead. So every attempt gives its
files names of its own, and what counts are those that it returned.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from exams.contract import Contract
from exams.files import closed
from exams.intake.arrays import of_numbers, of_optional_texts
from exams.intake.judging.columns import Tally
from exams.intake.judging.identifiers import RunKey
from exams.intake.judging.seen import Told
from exams.intake.parts import Delivery, Extracted, Part, damaged, write_part
from exams.intake.reading.arrivals import Arrival
from exams.intake.reading.delivery import write_parts
from exams.intake.reading.layout import Layout
from exams.intake.shelf import Shelf
from exams.stages.writer import Writer
from exams.statistics.cube import Cube

_NONE = np.zeros(0, np.int64)
Repeats = Mapping[str, np.ndarray]  # by part, see `Told`


class Batch(NamedTuple):
    """What became of some parts: names of the judged ones, of a cube, and of files of pseudonyms.

    tally: instead of values that are no level, it has what tells them apart.
    """

    parts: tuple[str, ...]
    cube: str
    asked: tuple[str, ...]
    tally: Tally


def extract_file(
    deliveries: Shelf, out: Shelf, number: int, arrival: Arrival, layout: Layout, limit: int
) -> Extracted:
    """Write the records of one file as parts; raise what `read_delivery` raises."""
    with deliveries.opened() as here, out.opened() as there:
        if deliveries.url:
            arrival = replace(arrival, path=deliveries.fetch(arrival.sha256, here))
        read = None
        for item in write_parts(number, arrival, layout, there, limit, _mark()):
            if isinstance(item, Part):
                out.send(there / item.name)
            read = item
    assert isinstance(read, Extracted)  # the last item
    return read


def judge_parts(
    raw: Shelf,
    out: Shelf,
    contract: Contract,
    key: RunKey,
    delivery: Delivery,
    names: Sequence[str],
    repeats: Repeats,
) -> Batch:
    """Judge some parts of a delivery, in their order, and add up their cube."""
    mark, asked = _mark(), list[str]()
    unique = any(identifier.unique for identifier in contract.identifiers)
    with raw.opened() as here, out.opened() as there:
        writer = Writer(here, contract, there, key, mark)
        for name in names:
            told = writer.desk.identities.told = Told(repeats.get(name, _NONE)) if unique else None
            raw.fetch(name, here)
            part = Part(delivery, name)
            judged = writer.take(part)
            assert isinstance(judged, Part)
            written = [judged.quarantine] if part.malformed else [judged.name, judged.quarantine]
            if told and not part.malformed:
                asked.append(_write_asked(there / f"asked-{judged.name}", told))
                written.append(asked[-1])
            for file in written:
                out.send(there / file)
            if raw.url:
                (here / name).unlink()
        cube = _save(writer.cube, out, there, mark)
    return Batch(tuple(writer.names), cube, tuple(asked), _shown(writer.desk.tally, key))


def merge_cubes(out: Shelf, contract: Contract, names: Sequence[str]) -> str:
    """Add up some cubes, and return the name of their sum."""
    cube = Cube.empty(contract)
    with out.opened() as there:
        for name in names:
            cube.merge(read_cube(out.fetch(name, there), contract))
        return _save(cube, out, there, _mark())


def read_cube(path: Path, contract: Contract) -> Cube:
    """Read a cube; raise E201 if it is missing or damaged."""
    try:
        return Cube.read(path, contract)
    except (OSError, ValueError, KeyError, BadZipFile):
        raise damaged(path) from None


def _mark() -> str:
    return f"-{secrets.token_hex(4)}"


def _write_asked(path: Path, told: Told) -> str:
    arrays = [of_optional_texts(told.asked), of_numbers(told.holding.astype(np.int8))]
    return write_part(path, pa.record_batch(arrays, ["pseudonym", "holding"]))


def _save(cube: Cube, out: Shelf, there: Path, mark: str) -> str:
    path = closed(there / f"cube{mark}.npz")
    cube.save(path)
    out.send(path)
    return path.name


def _shown(tally: Tally, key: RunKey) -> Tally:
    """Return counts without what they were counted of: results pass through the scheduler."""
    strange = {
        name: {blake2b(word, key=key.key[:64], digest_size=16).digest() for word in words}
        for name, words in tally.strange.items()
    }
    return replace(tally, strange=strange, first={})
