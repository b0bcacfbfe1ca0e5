"""Parts: the Parquet files that one stage hands to the next, and their manifest."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from exams.errors import ExamsError
from exams.files import write_atomic
from exams.places import private


@dataclass(frozen=True)
class Delivery:
    """A delivered file, as it was read: `parts` and `malformed` are files beside the manifest."""

    file: str
    sha256: str
    bytes: int
    received: int
    parts: tuple[str, ...]
    malformed: str


def emptied(folder: Path) -> Path:
    """Return `folder`, private and without what an earlier run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return private(folder)


def write_part(path: Path, table: pa.Table, dictionaries: Iterable[str] = ()) -> str:
    """Write a part, fast to write and to read, and return its name."""
    pq.write_table(
        table,
        path,
        compression="none",
        use_dictionary=list(dictionaries),
        write_statistics=False,
    )
    return path.name


def read_part(path: Path, dictionaries: Iterable[str] = ()) -> pa.Table:
    """Read a part; `dictionaries` names the columns to keep dictionary-encoded."""
    if not path.is_file():
        raise ExamsError("E201", f"A part of the {path.parent.name} stage is missing.", _AGAIN)
    return pq.ParquetFile(path, read_dictionary=list(dictionaries)).read()


def write_manifest(folder: Path, deliveries: Iterable[Delivery]) -> None:
    """Write the list of a quarter's deliveries; it makes the parts beside it count."""
    text = json.dumps([asdict(d) for d in deliveries], indent=1)
    write_atomic(folder / "manifest.json", text)


def read_manifest(folder: Path) -> list[Delivery]:
    """Return the deliveries that `write_manifest` listed in `folder`."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise ExamsError("E201", f"The {folder.name} stage has handed nothing on.", _AGAIN)
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Delivery(**{**row, "parts": tuple(row["parts"])}) for row in rows]


def files_in(folder: Path) -> list[Path]:
    """Return the files of a part folder, sorted."""
    return sorted(f for f in folder.iterdir() if f.is_file())


_AGAIN = "Run `ploomber build` again; it makes what is missing."
