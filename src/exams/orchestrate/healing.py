"""Finds stages whose results are not what the stage left behind, so that they run again.

Ploomber calls a stage done if its products and its notes about them exist. Here the products
are compared with their checksums too, and what later stages read is looked for.
"""

import json
from pathlib import Path

from exams import published
from exams.orchestrate.products import forget, note, products, receipt, sealed
from exams.places import STAGES, Places
from exams.warehouse import store


def heal(places: Places, quarter: str) -> None:
    """Remove Ploomber's notes about each stage of `quarter` that is not intact."""
    for stage in STAGES:
        if not _intact(places, quarter, stage):
            forget(products(places, quarter, stage))


def _intact(places: Places, quarter: str, stage: str) -> bool:
    found = receipt(places, quarter, stage)
    return (
        found is not None
        and all(_readable(note(file)) for file in products(places, quarter, stage))
        and sealed(places, quarter, stage)
        and all(_whole(places.data / f["path"], f["bytes"]) for f in found["files"])
        and _stored(places, quarter, stage, found["content"])
    )


def _readable(notes: Path) -> bool:
    try:
        return {"timestamp", "stored_source_code"} <= set(json.loads(notes.read_text()))
    except (OSError, ValueError, TypeError):
        return False


def _whole(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _stored(places: Places, quarter: str, stage: str, content: str) -> bool:
    """Say whether the database that `stage` writes still holds what its receipt says."""
    if stage == "load":
        return store.loaded_content(places.warehouse, quarter) == content
    if stage == "publish":
        path = places.published
        return path.is_file() and bool(published.read(path, "publication", quarter))
    return True
