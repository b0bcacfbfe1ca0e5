"""extract: every physical record of a quarter's files, as it was received, with its line."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exams.cluster import crew
from exams.contract import Contract
from exams.contract.words import plain
from exams.errors import ExamsError
from exams.intake.flow import ahead
from exams.intake.judging.identifiers import KEY, read_key
from exams.intake.parts import (
    Delivery,
    Extracted,
    LeftOut,
    Part,
    emptied,
    read_deliveries,
    read_left_out,
    write_manifest,
)
from exams.intake.reading.arrivals import Arrival, Refusal, find_arrivals, verdict
from exams.intake.reading.delivery import write_parts
from exams.intake.reading.header import is_added
from exams.intake.reading.layout import Layout, inspect
from exams.places import Places
from exams.progress import track


@dataclass(frozen=True)
class Found:
    """What lies in a quarter's folder: files to read, in this order, and files left out.

    Files that correct others come last. `refused` are left out for a reason of their own.
    """

    readable: tuple[tuple[Arrival, Layout], ...]
    repeats: tuple[LeftOut, ...]
    refused: tuple[Refusal, ...]


def find_files(places: Places, quarter: str, contract: Contract, limit: int) -> Found:
    """Look at the start of every file of `quarter`; raise E104 if there is none.

    limit: bytes that a file may have when it is unpacked. The folder is closed to other users
    (0700), unless it belongs to one of them.
    """
    with suppress(FileNotFoundError, PermissionError):
        places.delivery(quarter).chmod(0o700)
    arrivals, refused = find_arrivals(places, quarter, contract.same_file_twice)
    readable, repeats = [], []
    for arrival in arrivals:
        if arrival.repeats:
            why = f"It has the same bytes as {arrival.repeats}, and counts once."
            repeats.append(LeftOut(arrival.file, "", why))
            continue
        try:
            readable.append((arrival, inspect(arrival.path, arrival.file, contract, limit)))
        except ExamsError as error:
            refused.append(Refusal(arrival.file, error))
    readable.sort(key=lambda pair: pair[1].header.corrects)
    return Found(tuple(readable), tuple(repeats), tuple(refused))


def extract(found: Found, out: Path, limit: int, *, skip: bool = False) -> list[Extracted]:
    """Write the records of the files `found` as parts into `out`, with a manifest.

    Return what was read. Raise the error of a refused file, with the verdict on each; with
    `skip`, leave such files out.
    """
    refused = list(found.refused)
    total = sum(arrival.bytes for arrival, _ in found.readable)
    with crew() as workers:
        if workers:
            from exams.stages.spread import extracting_there  # noqa: PLC0415  seldom needed

            items = extracting_there(workers, found.readable, refused, out, limit, skip)
        else:
            items = ahead(extracting(found, out, limit, refused if skip else None))
        seen = track(items, total, "extract", "B", lambda i: i.read if isinstance(i, Part) else 0)
        done = [item for item in seen if isinstance(item, Extracted)]
    done.sort(key=lambda read: read.delivery.number)
    left_out = [LeftOut(r.file, r.error.code, r.error.message) for r in refused] if skip else []
    write_manifest(out, done, [*found.repeats, *left_out])
    return done


def extracting(
    found: Found, out: Path, limit: int, skipped: list[Refusal] | None = None
) -> Iterator[Delivery | Part | Extracted]:
    """Yield each file's delivery, its parts as they are written, and what was read at last.

    Refused files are added to `skipped`; without it they are raised as one error at the end,
    when every other file has been read, too.
    """
    emptied(out)
    refused = list(found.refused) if skipped is None else skipped
    fine = []
    for number, (arrival, layout) in enumerate(found.readable, 1):
        try:
            yield from write_parts(number, arrival, layout, out, limit)
            fine.append(arrival.file)
        except ExamsError as error:
            refused.append(Refusal(arrival.file, error))
            for part in out.glob(f"{number:03}-*"):
                part.unlink()
    if refused and (skipped is None or not fine):
        raise verdict(refused, fine)


def arrived(found: Found) -> list[dict[str, object]]:
    """Return the files of a quarter: file, bytes, sha256 (its start), and how each is read."""
    rows = [(a.file, f"{a.bytes:,}", a.sha256[:12], layout.read_as) for a, layout in found.readable]
    rows += [(f.file, "", "", f"not read. {f.why}") for f in found.repeats]
    rows += [(r.file, "", "", f"refused. {r.error.code} {r.error.message}") for r in found.refused]
    names = ("file", "bytes", "sha256", "read as")
    return [dict(zip(names, row, strict=True)) for row in rows]


def read_files(done: Iterable[Extracted]) -> list[dict[str, object]]:
    """Return what was read of each file: file, received, malformed, ignored (header words)."""
    return [
        {
            "file": d.delivery.file,
            "received": d.received,
            "malformed": d.malformed,
            "ignored": _listed(_ignored(d.delivery)),
        }
        for d in done
    ]


def notices(folder: Path, contract: Contract) -> list[str]:
    """Return what an office should know of the files that a stage handed on in `folder`."""
    said = []
    for file in read_left_out(folder):
        refused = f"Incomplete: {file.file} was refused and left out. {file.code} {file.why}"
        said.append(refused if file.code else f"{file.file}: {file.why}")
    for delivery in read_deliveries(folder):
        said += [f"{delivery.file}: {what}" for what in _columns(delivery, contract)]
    return said


def _columns(delivery: Delivery, contract: Contract) -> Iterator[str]:
    if delivery.corrects:
        yield "its records stand for others, which were in quarantine."
    if ignored := _ignored(delivery):
        yield f"columns that the contract does not load are ignored: {_listed(ignored)}."
    unstored = [] if read_key() else [f.name for f in contract.identifiers]
    for word, field in delivery.columns:
        if field in unstored:
            yield f"{field} identifies people: it is not loaded, as {KEY} is not set."
        elif field and plain(word) != plain(field):
            yield f"the column {word!r} is read as {field}."


def _ignored(delivery: Delivery) -> list[str]:
    """Return the words of a header that name nothing; in corrections, some say what they are."""
    words = (word for word, field in delivery.columns if not field)
    return [w for w in words if not (delivery.corrects and is_added(w))]


def _listed(words: Sequence[str]) -> str:
    """Return a few of the words, in quotes, and how many more there are."""
    named = ", ".join(repr(word[:_LETTERS]) for word in words[:_NAMED])
    return named + (f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else "")


_NAMED = 5  # files or columns that a sentence lists by name
_LETTERS = 80  # of the name of a column
