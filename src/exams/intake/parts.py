"""Parts: the Arrow files that one stage hands to the next, and the manifest that makes them count.

Stages pass on a stream: a delivery, its parts, and at last what came of it, which says that it
was read to its end. A manifest is the same stream on disk.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import ipc

from exams.errors import ExamsError
from exams.files import closed, write_atomic
from exams.places import private
from exams.progress import track

MALFORMED = "malformed.arrow"


@dataclass(frozen=True)
class Delivery:
    """A delivered file; `number` counts those of the quarter from 1.

    columns: (header word, contract name of its field; empty: none). corrects: its records stand
    for others, which are in quarantine.
    """

    number: int
    file: str
    sha256: str
    bytes: int
    read_as: str
    columns: tuple[tuple[str, str], ...]
    corrects: bool


@dataclass(frozen=True)
class Part:
    """Some records of a delivery, in the file `name` of the stage's folder.

    read: bytes of the delivered file that were read for it, if it is just being read.
    """

    delivery: Delivery
    name: str
    read: int = 0

    @property
    def malformed(self) -> bool:
        """Whether it holds the records that are no records of the header: line and text."""
        return self.name.endswith(MALFORMED)

    @property
    def quarantine(self) -> str:
        """Name of the file of those of its records that are in quarantine, once judged."""
        return f"quarantine-{self.name}"


@dataclass(frozen=True)
class Extracted:
    """A delivery that was read to its end: `received` records, of them `malformed`."""

    delivery: Delivery
    received: int
    malformed: int
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """What became of the records of a delivery: received = clean + quarantined.

    resolved: names the file of records that it stands for; empty if there are none. resolves:
    how many of each delivery, by number. reasons:
    records by (field, reason). repairs: clean records by (field, repair). unknown: by
    dimension, distinct values that are no level and records with one. seen: lowest and highest
    steps by score.
    """

    delivery: Delivery
    received: int
    clean: int
    quarantined: int
    parts: tuple[str, ...]
    resolved: str
    resolves: tuple[tuple[int, int], ...]
    reasons: tuple[tuple[str, str, int], ...]
    repairs: tuple[tuple[str, str, int], ...]
    unknown: tuple[tuple[str, int, int], ...]
    seen: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class LeftOut:
    """A file that was not read: a repeat of another one (no code), or refused."""

    file: str
    code: str
    why: str


Done = TypeVar("Done", Extracted, Judged)
Item = TypeVar("Item")


def part_name(number: int, place: int, malformed: bool = False, mark: str = "") -> str:
    """Return the name of the part at a `place` of delivery `number`.

    mark: tells attempts at the same part from each other, where there may be several.
    """
    kind = f"-{MALFORMED}" if malformed else ".arrow"
    return f"{number:03}-{place:05}{mark}{kind}"


def marked(part: Part, mark: str) -> Part:
    """Return the part under the name that it has in the attempt with this mark."""
    number, place = part.name.removesuffix(".arrow").split("-")[:2]
    return replace(part, name=part_name(int(number), int(place), part.malformed, mark))


def emptied(folder: Path) -> Path:
    """Return `folder`, private and without what an earlier run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return private(folder)


def write_part(path: Path, batch: pa.RecordBatch) -> str:
    """Write a part, fast to write and to read, and return its name."""
    with ipc.new_file(str(closed(path)), batch.schema) as file:
        file.write_batch(batch)
    return path.name


def read_part(path: Path) -> pa.RecordBatch:
    """Read a part; raise E201 if it is missing or damaged."""
    try:
        with pa.memory_map(str(path)) as content:
            return ipc.open_file(content).get_batch(0)
    except (OSError, pa.ArrowInvalid):
        raise damaged(path) from None


def damaged(path: Path) -> ExamsError:
    """Return the error for a part that is missing or damaged (E201)."""
    what = f"A part of the {path.parent.name} stage is missing or damaged."
    return ExamsError("E201", what, _AGAIN)


def write_manifest(folder: Path, done: Iterable[Done], left_out: Iterable[LeftOut]) -> None:
    """Write what a stage hands on; it makes the parts beside it count."""
    content = {"done": [asdict(d) for d in done], "left_out": [asdict(f) for f in left_out]}
    write_atomic(folder / "manifest.json", json.dumps(content, indent=1))


def read_manifest(folder: Path, kind: type[Done]) -> list[Done]:
    """Return what a stage has handed on: Extracted or Judged, as `kind` says."""
    rows = _manifest(folder)["done"]
    return [
        kind(**_tuples(row) | {"delivery": Delivery(**_tuples(row["delivery"]))}) for row in rows
    ]


def read_deliveries(folder: Path) -> list[Delivery]:
    """Return the deliveries that a stage has handed on."""
    return [Delivery(**_tuples(row["delivery"])) for row in _manifest(folder)["done"]]


def read_left_out(folder: Path) -> list[LeftOut]:
    """Return the files that extract left out."""
    return [LeftOut(**row) for row in _manifest(folder)["left_out"]]


def handed_on(done: Iterable[Done]) -> Iterator[Delivery | Part | Done]:
    """Yield the stream that made what a manifest lists."""
    for item in done:
        yield item.delivery
        yield from (Part(item.delivery, name) for name in item.parts)
        yield item


def watched(items: Iterable[Item], done: Iterable[Done], label: str) -> Iterator[Item]:
    """Yield the stream of what was `done`, and show a person how many of its parts are taken."""
    total = sum(len(item.parts) for item in done)
    return track(items, total, label, " parts", lambda item: isinstance(item, Part))


def delivery_of(item: Delivery | Part | Extracted | Judged) -> Delivery:
    """Return the delivery that an item of the stream belongs to."""
    return item if isinstance(item, Delivery) else item.delivery


def files_in(folder: Path) -> list[Path]:
    """Return the files of a part folder, sorted."""
    return sorted(f for f in folder.iterdir() if f.is_file())


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise ExamsError("E201", f"The {folder.name} stage has handed nothing on.", _AGAIN)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise damaged(path) from None


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) for key, value in row.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


_AGAIN = "Run `ploomber build` again; it makes what is missing."
