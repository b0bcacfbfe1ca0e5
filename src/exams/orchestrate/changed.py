"""What has changed on disk since a published quarter was made: notebooks, code, rules, files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exams import lineage
from exams.orchestrate.fingerprint import code, rules
from exams.orchestrate.origin import sha256
from exams.orchestrate.products import products
from exams.places import Places, visible
from exams.warehouse.history import read_current, read_left_out


def changes(root: Path, places: Places, quarter: str) -> list[str]:
    """Return a line for each thing that is no more what the lineage of `quarter` says.

    root: the project's folder. A file is named, never what is in it.
    """
    stages = lineage.lineage(places, quarter).get("stages", [])
    if not stages:
        return ["how it was made was not noted, so what has changed cannot be told"]
    found: list[str] = []
    for entry in stages:
        found += _of_stage(root, places, quarter, entry)
    now = rules(places, quarter)[0]
    if any(entry["contract_sha256"] != now for entry in stages):
        found.append("the contract")
    lock = sha256(root / "requirements.lock")
    if any(entry["lock_sha256"] != lock for entry in stages):
        found.append("requirements.lock")
    return [*found, *_of_files(places, quarter)]


def _of_stage(root: Path, places: Places, quarter: str, entry: dict[str, Any]) -> Iterator[str]:
    source = root / "notebooks" / f"{entry['stage']}.ipynb"
    if entry["source_sha256"] != sha256(source):
        yield f"notebooks/{source.name}"
    elif entry["code"] != code(str(source)):
        yield f"the package's code that {entry['stage']} uses"
    executed = products(places, quarter, entry["stage"])[0]
    if entry["notebook_sha256"] != sha256(executed):
        yield f"{places.reports.name}/{quarter}/{executed.name}, the executed notebook"


def _of_files(places: Places, quarter: str) -> Iterator[str]:
    """Yield the files of the quarter that are not those that were loaded."""
    loaded = {d.file: d.sha256 for d in read_current(places.warehouse, quarter)}
    known = {*loaded, *(file for file, _, _ in read_left_out(places.warehouse, quarter))}
    folder = places.delivery(quarter)
    present = {file.name: file for file in (visible(folder) if folder.is_dir() else [])}
    for name, hashed in loaded.items():
        if name not in present:
            yield f"{name} is gone"
        elif sha256(present[name]) != hashed:
            yield f"{name} has other bytes"
    yield from (f"{name} is new" for name in present if name not in known)
