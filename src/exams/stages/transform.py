"""transform: every record is either clean or in quarantine, with all of its reasons."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from exams.contract import Contract
from exams.files import closed
from exams.intake.arrays import to_numpy
from exams.intake.flow import ahead
from exams.intake.judging.corrections import in_order, named_deliveries, reference
from exams.intake.judging.desk import Desk
from exams.intake.judging.judge import REASONS, REPAIRS
from exams.intake.parts import (
    Delivery,
    Extracted,
    Judged,
    Part,
    delivery_of,
    emptied,
    handed_on,
    read_left_out,
    read_manifest,
    read_part,
    watched,
    write_manifest,
    write_part,
)
from exams.statistics.cube import Cube
from exams.statistics.folds import fold_of

CUBE = "cube.npz"
Read = Delivery | Part | Extracted


def transform(raw: Path, contract: Contract, out: Path) -> list[Judged]:
    """Judge the records in `raw`; write clean parts, quarantine parts and the cube into `out`.

    Raise E202 if a file's records are not all either clean or in quarantine.
    """
    read = read_manifest(raw, Extracted)
    items = ahead(transforming(handed_on(read), raw, contract, out))
    done = [item for item in watched(items, read, "transform") if isinstance(item, Judged)]
    write_manifest(out, done, read_left_out(raw))
    return done


def transforming(
    items: Iterable[Read], raw: Path, contract: Contract, out: Path
) -> Iterator[Delivery | Part | Judged]:
    """Yield each delivery, its parts as they are judged, and what became of it at last.

    Corrections come last, when it is known what is in quarantine.
    """
    writer = _Writer(raw, contract, emptied(out))
    corrections: list[Read] = []
    for item in items:
        if delivery_of(item).corrects:
            corrections.append(item)
        else:
            yield writer.take(item)
    for item in _ordered(corrections, raw):
        yield writer.take(item)
    writer.cube.save(closed(out / CUBE))


class _Writer:
    """Judges the parts of deliveries and writes what becomes of them."""

    def __init__(self, raw: Path, contract: Contract, out: Path) -> None:
        self.raw, self.out = raw, out
        self.desk, self.cube = Desk(contract), Cube.empty(contract)
        self.names: list[str] = []

    def take(self, item: Read) -> Delivery | Part | Judged:
        """Take a delivery, judge a part of it, or close it when all were judged."""
        if isinstance(item, Delivery):
            return item
        if isinstance(item, Extracted):
            names, self.names = tuple(self.names), []
            return self.desk.close(item, names, self._write_resolved(item.delivery))
        batch = read_part(self.raw / item.name)
        if item.malformed:
            quarantine = self.desk.malformed(to_numpy(batch.column("line")))
        else:
            clean, quarantine = self.desk.judge(batch, item.delivery.corrects)
            fold = fold_of(item.delivery.sha256, clean.line)
            self.cube.add(clean.profile, clean.scores, fold)
            write_part(self.out / item.name, clean.batch())
        write_part(self.out / item.quarantine, quarantine)
        self.names.append(item.name)
        return item

    def _write_resolved(self, delivery: Delivery) -> str:
        found = [batch for batch in self.desk.resolved if len(batch)]
        if not found:
            return ""
        name = f"resolved-{delivery.number:03}.arrow"
        return write_part(self.out / name, pa.concat_batches(found))


def _ordered(items: Sequence[Read], raw: Path) -> list[Read]:
    """Return the stream of corrections files so that each follows those that it corrects."""
    numbers = {reference(d.sha256): d.number for d in map(delivery_of, items)}
    groups: dict[int, list[Read]] = {number: [] for number in numbers.values()}
    named: dict[int, set[int]] = {number: set() for number in groups}
    for item in items:
        number = delivery_of(item).number
        groups[number].append(item)
        if isinstance(item, Part) and not item.malformed:
            words = named_deliveries(read_part(raw / item.name))
            named[number] |= {numbers[word] for word in words & numbers.keys()}
    return [item for number in in_order(named) for item in groups[number]]


def judged_files(done: Iterable[Judged]) -> list[dict[str, object]]:
    """Return what became of each file: file, received, clean, quarantined."""
    return [
        {
            "file": j.delivery.file,
            "received": j.received,
            "clean": j.clean,
            "quarantined": j.quarantined,
        }
        for j in done
    ]


def reasons(done: Iterable[Judged]) -> list[dict[str, object]]:
    """Return the records in quarantine: file, column, reason, records, meaning."""
    return _coded(((j.delivery.file, *row) for j in done for row in j.reasons), "reason", REASONS)


def repairs(done: Iterable[Judged]) -> list[dict[str, object]]:
    """Return the clean records that took a repair: file, column, repair, records, meaning."""
    return _coded(((j.delivery.file, *row) for j in done for row in j.repairs), "repair", REPAIRS)


def _coded(
    rows: Iterable[tuple[str, str, str, int]], kind: str, meanings: Mapping[str, str]
) -> list[dict[str, object]]:
    return [
        {"file": file, "column": column, kind: code, "records": n, "meaning": meanings[code]}
        for file, column, code, n in rows
    ]
