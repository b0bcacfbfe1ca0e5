"""extract and transform over the workers of a cluster: docs/scale.md.

What needs an order is done here, when the workers are done with what needs none: repeats of
identifiers, corrections, and the counts of each delivery. Results are those of one process.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from exams.cluster import Crew
from exams.contract import Contract
from exams.files import closed, read_note, write_atomic
from exams.intake.arrays import to_numpy
from exams.intake.judging.columns import Tally
from exams.intake.parts import (
    MALFORMED,
    Delivery,
    Extracted,
    Judged,
    Part,
    emptied,
    files_in,
    handed_on,
    read_part,
)
from exams.intake.reading.arrivals import Arrival, Refusal, verdict
from exams.intake.reading.layout import Layout
from exams.intake.shelf import Shelf
from exams.stages.there import Batch, Repeats, extract_file, judge_parts, merge_cubes, read_cube
from exams.stages.writer import CUBE, Read, Writer, ordered
from exams.statistics.cube import Cube

_GROUP = 16  # parts that one call judges: some 4 million records
_BRANCH = 8  # cubes that one call adds up
_NOTE = "storage.json"  # in a folder of parts: where workers find them
Readable = Sequence[tuple[Arrival, Layout]]


def extracting_there(
    crew: Crew,
    readable: Readable,
    refused: list[Refusal],
    out: Path,
    limit: int,
    skip: bool,
) -> Iterator[Read]:
    """Yield the stream of extract, delivery by delivery as they end; see `extracting`."""
    _clear(crew, out.parent.name)
    shelf, sources = _shelf(crew, emptied(out), "parts"), _shelf(crew, out, "deliveries")
    kept, refusals = list[str](), dict[int, Refusal]()
    try:
        for place, found in crew.run(extract_file, _calls(readable, sources, shelf, limit)):
            if found.code:
                refusals[place] = Refusal(readable[place][0].file, found.error)
                continue
            read: Extracted = found.get()
            shelf.bring(read.parts)
            kept += read.parts
            yield from _stream(read)
        fine = [a.file for place, (a, _) in enumerate(readable) if place not in refusals]
        refused += [refusals[place] for place in sorted(refusals)]
        if refused and not (skip and fine):
            raise verdict(refused, fine)
        if shelf.url:
            write_atomic(out / _NOTE, f'{{"url": "{shelf.url}"}}')
        _keep(out, {*kept, _NOTE})
    except BaseException:
        shelf.clear()
        raise
    finally:
        sources.clear()


def transforming_there(
    crew: Crew, read: Sequence[Extracted], raw: Path, contract: Contract, out: Path
) -> Iterator[Delivery | Part | Judged]:
    """Yield the stream of transform, parts before what became of their deliveries.

    Corrections, a few records each, are judged here: each must know what is in quarantine.
    """
    writer = Writer(raw, contract, emptied(out))
    plain = [r for r in read if not r.delivery.corrects]
    corrections = [r for r in read if r.delivery.corrects]
    _clear(crew, out.parent.name, out.name)
    given, shelf = _handed(crew, raw), _shelf(crew, out, "parts")
    work = _Work(crew, given, shelf, writer, plain)
    done = list[Judged]()
    try:
        _put(given, [name for found in plain for name in found.parts])
        yield from work.judge()
        yield from work.judge_repeats()
        done += (work.close(found, keep_lines=bool(corrections)) for found in plain)
        writer.cube.merge(work.merged())
    finally:
        shelf.clear()
        given.clear()
    yield from done
    for item in ordered([*handed_on(corrections)], raw):
        taken = writer.take(item)
        done += [taken] if isinstance(taken, Judged) else []
        yield taken
    writer.cube.save(closed(out / CUBE))
    parts = [Part(j.delivery, name) for j in done for name in j.parts]
    _keep(out, {CUBE, *(j.resolved for j in done), *(n for p in parts for n in _files(p))})


class _Work:
    """What the workers make of the parts of some deliveries."""

    def __init__(
        self, crew: Crew, raw: Shelf, out: Shelf, writer: Writer, read: Sequence[Extracted]
    ) -> None:
        self.crew, self.raw, self.out, self.writer = crew, raw, out, writer
        self.groups = [
            (r.delivery, r.parts[at : at + _GROUP])
            for r in read
            for at in range(0, len(r.parts), _GROUP)
        ]
        self.places: dict[int, list[int]] = {r.delivery.number: [] for r in read}
        for place, (delivery, _) in enumerate(self.groups):
            self.places[delivery.number].append(place)
        self.batches: dict[int, Batch] = {}

    def judge(self) -> Iterator[Part]:
        """Have all parts judged; yield them as that is done."""
        yield from self._judge({place: {} for place in range(len(self.groups))})

    def judge_repeats(self) -> Iterator[Part]:
        """Have those parts judged once more in which an identifier is a repeat.

        Only in their order can that be told. It takes 16 bytes a record here, as in one process.
        """
        again = dict[int, Repeats]()
        for seen in self.writer.desk.identities.seen.values():  # one, or none
            for place, batch in sorted(self.batches.items()):
                parts = (n for n in self.groups[place][1] if not n.endswith(MALFORMED))
                found = {
                    part: np.flatnonzero(seen.add(*_asked(self.out.folder / name)))
                    for part, name in zip(parts, batch.asked, strict=True)
                }
                if any(map(len, found.values())):
                    again[place] = found
        yield from self._judge(again)

    def close(self, read: Extracted, keep_lines: bool) -> Judged:
        """Return what became of a delivery. keep_lines: of its quarantine, for corrections."""
        batches = [self.batches[place] for place in self.places[read.delivery.number]]
        tally, names = Tally(), [name for batch in batches for name in batch.parts]
        for batch in batches:
            tally.add(batch.tally)
        held = [Part(read.delivery, name).quarantine for name in names] if keep_lines else []
        lines = [to_numpy(read_part(self.out.folder / name).column("line")) for name in held]
        self.writer.desk.lay(tally, lines)
        return self.writer.desk.close(read, tuple(names))

    def merged(self) -> Cube:
        """Return the sum of all cubes, added up by the workers as a tree."""
        contract = self.writer.desk.contract
        names = [batch.cube for batch in self.batches.values()]
        while len(names) > 1:
            calls = [
                (self.out, contract, names[at : at + _BRANCH])
                for at in range(0, len(names), _BRANCH)
            ]
            names = [found.get() for _, found in self.crew.run(merge_cubes, calls)]
        self.out.bring(names)
        folder = self.out.folder
        return read_cube(folder / names[0], contract) if names else Cube.empty(contract)

    def _judge(self, repeats: Mapping[int, Repeats]) -> Iterator[Part]:
        contract, key = self.writer.desk.contract, self.writer.desk.identities.key
        places = sorted(repeats)
        calls = (
            (self.raw, self.out, contract, key, *self.groups[place], repeats[place])
            for place in places
        )
        for at, found in self.crew.run(judge_parts, calls):
            batch: Batch = found.get()
            delivery, _ = self.groups[places[at]]
            parts = [Part(delivery, name) for name in batch.parts]
            self.out.bring([*(name for part in parts for name in _files(part)), *batch.asked])
            self.batches[places[at]] = batch
            yield from parts


def _asked(path: Path) -> tuple[list[bytes | None], np.ndarray]:
    """Return the pseudonyms of a part, and which of its records hold them: see `Seen`."""
    asked = read_part(path)
    return asked.column("pseudonym").to_pylist(), to_numpy(asked.column("holding")) > 0


def _calls(
    readable: Readable, sources: Shelf, shelf: Shelf, limit: int
) -> Iterator[tuple[Any, ...]]:
    """Yield what `extract_file` is called with, each file being where workers find it."""
    for number, (arrival, layout) in enumerate(readable, 1):
        sources.put(arrival.path, arrival.sha256)
        yield sources, shelf, number, arrival, layout, limit


def _stream(read: Extracted) -> Iterator[Read]:
    size = read.delivery.bytes
    yield read.delivery
    for name in read.parts:
        yield Part(read.delivery, name, size)
        size = 0
    yield read


def _files(part: Part) -> list[str]:
    """Return the files of a judged part."""
    return [part.quarantine] if part.malformed else [part.name, part.quarantine]


def _shelf(crew: Crew, folder: Path, kind: str) -> Shelf:
    """Return a shelf for a run of the stage whose folder it is, as private/interim has them."""
    names = folder.parent.name, folder.name, f"{kind}-{secrets.token_hex(4)}"
    return Shelf(folder, "/".join([crew.storage, *names]) if crew.storage else "")


def _handed(crew: Crew, raw: Path) -> Shelf:
    """Return the shelf on which extract has left its parts, or else an empty one."""
    url = str(read_note(raw / _NOTE).get("url", ""))
    if crew.storage and url.startswith(f"{crew.storage}/"):
        return Shelf(raw, url)
    return _shelf(crew, raw, "parts")


def _clear(crew: Crew, *names: str) -> None:
    """Remove what builds that were killed have left of a quarter, or of a stage of it."""
    if crew.storage:
        Shelf(Path(), "/".join([crew.storage, *names])).clear()


def _put(raw: Shelf, names: Sequence[str]) -> None:
    for name in raw.missing(names):
        read_part(raw.folder / name)  # or it is missing here, too
        raw.put(raw.folder / name, name)


def _keep(folder: Path, names: Collection[str]) -> None:
    """Remove files of attempts that do not count."""
    for file in files_in(folder):
        if file.name not in names:
            file.unlink()
