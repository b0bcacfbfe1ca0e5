"""transform: every record is either clean or in quarantine, with all of its reasons."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from exams.cluster import crew
from exams.contract import Contract
from exams.files import closed
from exams.intake.flow import ahead
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
    watched,
    write_manifest,
)
from exams.stages.writer import CUBE, Read, Writer, ordered


def transform(raw: Path, contract: Contract, out: Path) -> list[Judged]:
    """Judge the records in `raw`; write clean parts, quarantine parts and the cube into `out`.

    Raise E202 if a file's records are not all either clean or in quarantine.
    """
    read = read_manifest(raw, Extracted)
    with crew() as workers:
        if workers:
            from exams.stages.spread import transforming_there  # noqa: PLC0415  seldom needed

            items = transforming_there(workers, read, raw, contract, out)
        else:
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
    writer = Writer(raw, contract, emptied(out))
    corrections: list[Read] = []
    for item in items:
        if delivery_of(item).corrects:
            corrections.append(item)
        else:
            yield writer.take(item)
    for item in ordered(corrections, raw):
        yield writer.take(item)
    writer.cube.save(closed(out / CUBE))


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
