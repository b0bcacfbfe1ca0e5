"""extract: every physical record of a quarter's files, as text, with its line."""

import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.parts import Delivery, emptied, write_manifest, write_part
from exams.intake.reader import Tally, read_records
from exams.places import private, visible


def find_deliveries(folder: Path) -> pd.DataFrame:
    """Return the files of a quarter: file, bytes, sha256, repeats.

    `repeats` names an earlier file with the same bytes (it counts once), else it is empty.
    Raise E104 if there are none, E105 for anything but a regular file.
    """
    private(folder.parent)  # students' records lie here, whoever has made the folder
    files = visible(folder) if folder.is_dir() else []
    if not files:
        raise ExamsError(
            "E104",
            f"No file was delivered for {folder.name}.",
            f"Put it into data/deliveries/{folder.name}/.",
        )
    rows: list[dict[str, object]] = []
    first: dict[str, str] = {}
    for path in files:
        if path.is_symlink() or not path.is_file():
            raise ExamsError("E105", f"{path.name} is not a regular file.", "Deliver a CSV file.")
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        row = {"file": path.name, "bytes": path.stat().st_size, "sha256": sha256}
        rows.append(row | {"repeats": first.setdefault(sha256, path.name)})
    found = pd.DataFrame(rows)
    found["repeats"] = found["repeats"].where(found["repeats"] != found["file"], "")
    return found


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
            tally, delivery = _extract(folder / row.file, row.sha256, number, contract, out)
        except ExamsError as refusal:
            refusals.append(refusal)
            continue
        deliveries.append(delivery)
        rows.append((row.file, tally.received, len(tally.malformed), ", ".join(tally.ignored)))
    if refusals:
        first, *others = refusals
        verdicts = " ".join([first.message, *(f"{e.code} {e.message}" for e in others)])
        raise ExamsError(first.code, verdicts, first.remedy)
    write_manifest(out, deliveries)
    return pd.DataFrame(rows, columns=["file", "received", "malformed", "ignored"])


def _extract(
    path: Path, sha256: str, number: int, contract: Contract, out: Path
) -> tuple[Tally, Delivery]:
    """Write the parts of one file; raise E106 if it is empty, E109 if it changes meanwhile."""
    tally = Tally()
    parts = []
    for place, batch in enumerate(read_records(path, contract, tally)):
        part = out / f"{number:03}-{place:05}.parquet"
        parts.append(write_part(part, pa.Table.from_batches([batch]), batch.schema.names[1:]))
    if tally.sha256 != sha256:
        raise ExamsError("E109", f"{path.name} changed while it was read.", "Build again.")
    if not tally.received:
        raise ExamsError("E106", f"{path.name} holds no record.", "Deliver the whole file.")
    malformed = write_part(out / f"{number:03}-malformed.parquet", _malformed(tally))
    size = path.stat().st_size
    return tally, Delivery(path.name, sha256, size, tally.received, tuple(parts), malformed)


def _malformed(tally: Tally) -> pa.Table:
    lines, texts = zip(*tally.malformed, strict=True) if tally.malformed else ((), ())
    return pa.table(
        {"line": pa.array(lines, pa.int32()), "value": pa.array(texts, pa.string())},
    )
