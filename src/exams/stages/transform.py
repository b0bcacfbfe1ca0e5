"""transform: every record is either clean or in quarantine, with all of its reasons."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.arrays import to_numpy
from exams.intake.columns import Tally
from exams.intake.corrections import Quarantined, in_order, named_deliveries, reference
from exams.intake.flow import ahead
from exams.intake.identities import Identities
from exams.intake.judge import REASONS, REPAIRS
from exams.intake.judging import NOTHING_HELD, WHOLE, Rules, clean_records, held
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
    desk = _Desk(raw, contract, emptied(out))
    corrections: list[Read] = []
    for item in items:
        if delivery_of(item).corrects:
            corrections.append(item)
        else:
            yield desk.take(item)
    for item in _ordered(corrections, raw):
        yield desk.take(item)
    desk.cube.save(out / CUBE)


class _Desk:
    """Where deliveries are judged, one after the other; it has all that they share."""

    def __init__(self, raw: Path, contract: Contract, out: Path) -> None:
        self.raw, self.contract, self.out = raw, contract, out
        self.rules, self.cube = Rules(contract), Cube.empty(contract)
        self.quarantined, self.identities = Quarantined(), Identities(contract)
        self._begin()

    def _begin(self) -> None:
        self.tally, self.names = Tally(), list[str]()
        self.lines, self.resolved = list[np.ndarray](), list[pa.RecordBatch]()

    def take(self, item: Read) -> Delivery | Part | Judged:
        """Take a delivery, judge a part of it, or close it when all were judged."""
        if isinstance(item, Delivery):
            return item
        if isinstance(item, Extracted):
            return self._close(item)
        batch = read_part(self.raw / item.name)
        if item.malformed:
            line, size = to_numpy(batch.column("line")), len(batch)
            wrong = [held(line, WHOLE, [b""] * size, ["wrong_number_of_columns"] * size)]
        else:
            wrong = self._judge(item, batch)
        for rows in wrong:
            reasons = zip(rows["column"].to_pylist(), rows["reason"].to_pylist(), strict=True)
            self.tally.reasons.update((c.decode(), reason.decode()) for c, reason in reasons)
        quarantine = pa.concat_batches([NOTHING_HELD, *wrong])
        write_part(self.out / item.quarantine, quarantine)
        lines = np.unique(to_numpy(quarantine.column("line")))
        self.lines.append(lines)
        self.tally.quarantined += len(lines)
        self.names.append(item.name)
        return item

    def _judge(self, part: Part, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        """Judge the records of a batch; return the quarantine rows."""
        records = self.rules.judge(batch)
        if part.delivery.corrects:
            self.resolved.append(self.quarantined.resolve(records, batch))
        pseudonyms = self.identities.judge(records, batch)
        clean = clean_records(self.contract, records, pseudonyms, self.tally)
        self.cube.add(clean.profile, clean.scores)
        write_part(self.out / part.name, clean.batch())
        return records.wrong

    def _close(self, read: Extracted) -> Judged:
        """Return what became of a delivery; raise E202 if a record is lost or invented."""
        tally, delivery = self.tally, read.delivery
        if read.received != tally.clean + tally.quarantined:
            raise ExamsError(
                "E202",
                f"{delivery.file}: {read.received:,} records were received, but "
                f"{tally.clean:,} are clean and {tally.quarantined:,} in quarantine.",
                "Nothing was handed on; keep the file and report this defect.",
            )
        self.quarantined.add(delivery.number, delivery.sha256, self.lines)
        judged = Judged(
            delivery=delivery,
            received=read.received,
            clean=tally.clean,
            quarantined=tally.quarantined,
            parts=tuple(self.names),
            resolved=self._write_resolved(delivery),
            reasons=tuple((*key, n) for key, n in sorted(tally.reasons.items())),
            repairs=tuple((*key, n) for key, n in sorted(tally.repairs.items())),
            unknown=tuple((d, len(tally.strange[d]), n) for d, n in tally.unknown.items()),
            seen=tuple((s.name, *tally.seen[s.name]) for s in self.contract.scores
                       if s.name in tally.seen),
        )  # fmt: skip
        self._begin()
        return judged

    def _write_resolved(self, delivery: Delivery) -> str:
        found = [batch for batch in self.resolved if len(batch)]
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


def check_limit(judged: Iterable[Judged], contract: Contract) -> None:
    """Raise E208 if a file has more records in quarantine than the contract allows.

    Corrections files are left out: they hold nothing but doubtful records.
    """
    limit = contract.max_quarantined
    over = [
        f"{j.delivery.file}: {j.quarantined:,} of {j.received:,} records"
        for j in judged
        if not j.delivery.corrects and j.quarantined > limit * j.received
    ]
    if over:
        what = f"Too many records would go to quarantine (over {limit:.1%}). {'; '.join(over)}."
        remedy = "Correct the file (`exams check` says why), or raise max_quarantined."
        raise ExamsError("E208", what, remedy)


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
