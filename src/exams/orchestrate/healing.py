"""Finds stages whose results are not what the stage left behind, so that they run again.

Ploomber calls a stage done if its products and its notes about them exist. Here the products
are compared with their checksums too, and what others read of a stage is looked for: parts,
charts, its quarter in a database.
"""

import json
from pathlib import Path

from exams import published
from exams.files import set_aside
from exams.orchestrate.products import (
    forget,
    note,
    products,
    receipt,
    recorded_files,
    sealed,
)
from exams.places import STAGES, Places
from exams.warehouse import store


def set_aside_unreadable(places: Places) -> list[Path]:
    """Rename the databases that cannot be read, so that the stages make them anew; return them."""
    return [p for p in (places.warehouse, places.published, places.status) if set_aside(p)]


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
        and all(_whole(file, size) for file, size in recorded_files(places, found))
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
    """Say whether what `stage` writes for all quarters still holds what its receipt says."""
    if stage == "load":
        return store.loaded_content(places.warehouse, quarter) == content
    if stage == "publish":
        return published.published_content(places.published, quarter) == content
    made = (places.index, places.package_zip, places.package / "datapackage.json")
    return stage != "visualize" or all(file.is_file() for file in made)
