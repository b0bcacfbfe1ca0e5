"""Finds stages whose results are not what the stage left behind, so that they run again.

Ploomber calls a stage done if its products and its notes about them exist, and goes by the time
of day at which they were made. Here the products are compared with their seals too, and what
others read of a stage is looked for: parts, charts, its quarter in a database.
"""

import json
import stat
from pathlib import Path

from exams import published
from exams.files import UNREADABLE, set_aside, shown, write_atomic
from exams.orchestrate.products import (
    forget,
    note,
    products,
    read_note,
    receipt,
    recorded_files,
    unsealed,
)
from exams.places import STAGES, Places
from exams.progress import say
from exams.warehouse import store

UNENDED = "Its last run did not end well."


def set_aside_unreadable(places: Places) -> list[Path]:
    """Rename the databases that cannot be read, so that the stages make them anew; return them."""
    databases = (places.warehouse, places.published, places.status)
    return [p for p in databases if isinstance(p, Path) and set_aside(p)]


def clear_away(places: Places) -> None:
    """Set databases aside that cannot be read, and say so."""
    for path in set_aside_unreadable(places):
        say(f"{shown(path)} cannot be read: it is now {path.name}{UNREADABLE}, and made anew.")


def heal(places: Places, quarter: str) -> None:
    """Remove Ploomber's notes about each stage of `quarter` that is not intact.

    The notes of the others are dated in the order of the stages: the seals vouch for it, the
    clock may have been set back in between.
    """
    latest = 0.0
    for stage in STAGES:
        files = products(places, quarter, stage)
        if harm(places, quarter, stage):
            forget(files)
            continue
        for file in files:
            notes = read_note(file) or {}
            if notes["timestamp"] < latest:
                notes["timestamp"] = latest
                write_atomic(note(file), json.dumps(notes))
        latest = max(latest, notes["timestamp"])


def harm(places: Places, quarter: str, stage: str) -> str:
    """Return in words what is not intact of a stage's results; empty if everything is."""
    files = products(places, quarter, stage)
    if not any(file.exists() for file in files):
        return "It has not run yet."
    if not all(note(file).exists() for file in files):
        return UNENDED
    if not all(read_note(file) for file in files):
        return "Ploomber's notes about its last run cannot be read."
    found, broken = receipt(places, quarter, stage), unsealed(places, quarter, stage)
    if found is None or broken:
        return _about(broken or files[-1], stage)
    lost = (file for file, size in recorded_files(places, found) if not _whole(file, size))
    if file := next(lost, None):
        return f"{file.name}, which it made, is missing or has another size."
    return _stored(places, quarter, stage, found["content"])


def _about(file: Path, stage: str) -> str:
    if not file.exists():
        return f"{file.name} is missing."
    if file.suffix == ".sha256" and not file.name.startswith(f".{stage}."):
        return f"{file.name[1:].partition('.')[0]} has run since."
    return f"{file.name} is not as it left it."


def _whole(file: Path, size: int) -> bool:
    try:
        found = file.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def _stored(places: Places, quarter: str, stage: str, content: str) -> str:
    """Return what is wrong if what `stage` writes for all quarters is not what its receipt says."""
    match stage:
        case "load" if store.loaded_content(places.warehouse, quarter) != content:
            return f"{places.warehouse.name} does not hold what it loaded."
        case "model" if store.modelled_content(places.warehouse, quarter) != content:
            return f"{places.warehouse.name} does not hold the figures that it worked out."
        case "publish" if published.published_content(places.published, quarter) != content:
            return f"{places.published.name} does not hold what it published."
        case "visualize":
            made = (places.index, places.package_zip, places.package / "datapackage.json")
            lost = next((file for file in made if not file.is_file()), None)
            return f"{lost.name} is missing." if lost else ""
    return ""
