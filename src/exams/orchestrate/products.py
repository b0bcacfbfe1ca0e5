"""What a stage leaves behind in reports/<quarter>/: notebook, report and receipt."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exams.files import sha256, write_atomic
from exams.places import STAGES, Places


def products(places: Places, quarter: str, stage: str) -> list[Path]:
    """Return the paths of the three products of a stage."""
    folder = places.reports / quarter
    return [folder / f"{stage}{suffix}" for suffix in (".ipynb", ".html", ".receipt.json")]


def receipt(places: Places, quarter: str, stage: str) -> dict[str, Any] | None:
    """Return the receipt of a stage; None if there is none or it is none of `write_receipt`."""
    try:
        found = json.loads((places.reports / quarter / f"{stage}.receipt.json").read_text())
    except (OSError, ValueError):
        return None
    match found:
        case {"content": str(), "files": [*files]} if all(map(_is_file, files)):
            return found
    return None


def recorded_files(places: Places, found: dict[str, Any]) -> list[tuple[Path, int]]:
    """Return path and size of each file that a receipt lists."""
    folders = {"data": places.data, "reports": places.reports}
    return [(folders[f["in"]] / f["path"], f["bytes"]) for f in found["files"]]


def _is_file(listed: object) -> bool:
    match listed:
        case {"in": "data" | "reports", "path": str(), "bytes": int()}:
            return True
    return False


def note(product: Path) -> Path:
    """Return the file in which Ploomber notes how `product` was made."""
    return product.with_name(f".{product.name}.metadata")


def read_note(product: Path) -> dict[str, Any] | None:
    """Return what Ploomber has noted about `product`; None if that cannot be read."""
    try:
        found = json.loads(note(product).read_text())
    except (OSError, ValueError):
        return None
    match found:
        case {"timestamp": float() | int(), "stored_source_code": str()}:
            return found if isinstance(found.get("params"), dict | None) else None
    return None


def forget(files: Iterable[Path]) -> None:
    """Remove Ploomber's notes about products, which makes their stage due."""
    for file in files:
        note(file).unlink(missing_ok=True)


def seal(places: Places, quarter: str, stage: str) -> None:
    """Write the checksums of a stage's products, its seal (`sha256sum -c` reads them).

    The seal of the stage before is among them, so that each vouches for all before it.
    """
    sums = "".join(f"{_sum(file)}  {file.name}\n" for file in _vouched(places, quarter, stage))
    write_atomic(_seal(places, quarter, stage), sums)


def unsealed(places: Places, quarter: str, stage: str) -> Path | None:
    """Return the first file that is not, byte by byte, what the seal of `stage` says.

    None if all are; the seal itself if it cannot be read or names other files.
    """
    seal, files = _seal(places, quarter, stage), _vouched(places, quarter, stage)
    try:
        lines = [line.split("  ", 1) for line in seal.read_text().splitlines()]
        sums = {name: sum_ for sum_, name in lines}
    except (OSError, ValueError):
        return seal
    if sums.keys() != {file.name for file in files}:
        return seal
    return next((file for file in files if _sum(file) != sums[file.name]), None)


def _vouched(places: Places, quarter: str, stage: str) -> list[Path]:
    before = STAGES[: STAGES.index(stage)][-1:]
    return [*products(places, quarter, stage), *(_seal(places, quarter, s) for s in before)]


def _sum(file: Path) -> str:
    try:
        return sha256(file)
    except OSError:
        return ""


def _seal(places: Places, quarter: str, stage: str) -> Path:
    return places.reports / quarter / f".{stage}.sha256"
