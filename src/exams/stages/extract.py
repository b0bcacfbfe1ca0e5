"""extract: every physical record of a quarter's files, as text, with its line."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.arrivals import changed, find_arrivals
from exams.intake.layout import inspect
from exams.intake.parts import Delivery, emptied, write_manifest, write_part
from exams.intake.reader import Tally, read_records
from exams.places import Places

LIMIT = 4 << 30  # bytes to which a packed file may unpack


def find_deliveries(folder: Path) -> pd.DataFrame:
    """Return the files of a quarter: file, bytes, sha256, repeats.

    `repeats` names an earlier file with the same bytes (it counts once), else it is empty.
    Raise E104 if there are none, E105 for anything but a regular file.
    """
    arrivals, refusals = find_arrivals(Places(folder.parents[1], folder.parents[1]), folder.name)
    if refusals:
        raise refusals[0].error
    columns = ["file", "bytes", "sha256", "repeats"]
    return pd.DataFrame([(a.file, a.bytes, a.sha256, a.repeats) for a in arrivals], columns=columns)


def extract(folder: Path, found: pd.DataFrame, contract: Contract, out: Path) -> pd.DataFrame:
    """Write the records of the files `found` in `folder` as parts into `out`.

    Return one row per file: file, received (records), malformed (of these, not readable as a
    record of this header), ignored (columns that the contract does not claim). Raise the error
    of a refused file, with the verdict on every other one that is refused.
    """
    emptied(out)
    deliveries, rows, refusals = [], [], []
    for number, row in enumerate(found[found["repeats"] == ""].itertuples(), 1):
        try:
            tally, delivery, ignored = _extract(
                folder / row.file, row.sha256, number, contract, out
            )
        except ExamsError as refusal:
            refusals.append(refusal)
            continue
        deliveries.append(delivery)
        rows.append((row.file, tally.received, len(tally.malformed), ", ".join(ignored)))
    if refusals:
        first, *others = refusals
        verdicts = " ".join([first.message, *(f"{e.code} {e.message}" for e in others)])
        raise ExamsError(first.code, verdicts, first.remedy)
    write_manifest(out, deliveries)
    return pd.DataFrame(rows, columns=["file", "received", "malformed", "ignored"])


def _extract(
    path: Path, sha256: str, number: int, contract: Contract, out: Path
) -> tuple[Tally, Delivery, tuple[str, ...]]:
    """Write the parts of one file; raise E109 if it changes meanwhile."""
    layout = inspect(path, path.name, contract, LIMIT)
    tally = Tally()
    parts = []
    for place, batch in enumerate(read_records(path, path.name, layout, tally, LIMIT)):
        part = out / f"{number:03}-{place:05}.parquet"
        parts.append(write_part(part, pa.Table.from_batches([batch]), batch.schema.names[1:]))
    if tally.sha256 != sha256:
        raise changed(path.name)
    malformed = write_part(out / f"{number:03}-malformed.parquet", _malformed(tally))
    size = path.stat().st_size
    delivery = Delivery(path.name, sha256, size, tally.received, tuple(parts), malformed)
    return tally, delivery, layout.header.ignored


def _malformed(tally: Tally) -> pa.Table:
    lines, texts = zip(*tally.malformed, strict=True) if tally.malformed else ((), ())
    return pa.table(
        {"line": pa.array(lines, pa.int32()), "value": pa.array(texts, pa.string())},
    )
