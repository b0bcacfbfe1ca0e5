"""What a stage leaves behind in reports/<quarter>/: notebook, report and receipt."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exams.files import write_atomic
from exams.places import Places


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


def forget(files: Iterable[Path]) -> None:
    """Remove Ploomber's notes about products, which makes their stage due."""
    for file in files:
        note(file).unlink(missing_ok=True)


def seal(places: Places, quarter: str, stage: str) -> None:
    """Write the checksums of a stage's products (`sha256sum -c` reads them)."""
    write_atomic(_sums(places, quarter, stage), _checksums(places, quarter, stage))


def sealed(places: Places, quarter: str, stage: str) -> bool:
    """Say whether a stage's products are, byte by byte, what the stage left behind."""
    try:
        sums = _sums(places, quarter, stage).read_text()
        return sums == _checksums(places, quarter, stage)
    except (OSError, ValueError):
        return False


def _checksums(places: Places, quarter: str, stage: str) -> str:
    files = products(places, quarter, stage)
    return "".join(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in files)


def _sums(places: Places, quarter: str, stage: str) -> Path:
    return places.reports / quarter / f".{stage}.sha256"
