"""Take files into the folder of their quarter, if none of them is refused."""

import filecmp
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from exams.check import HELD, RIGHT, check_files
from exams.checklist import note
from exams.errors import ExamsError, printable
from exams.files import replacing
from exams.intake.reading.arrivals import Refusal, verdict
from exams.places import Places, received
from exams.quarters import check_quarter


def deliver(files: Sequence[Path], quarter: str, places: Places, largest: int) -> list[str]:
    """Copy `files` into the folder of `quarter`; return a line for each.

    Each file keeps its name and appears whole or not at all. Equal bytes under the same name
    are left alone, other bytes replace them. All are checked before the first is copied: raise
    the error of a file that is refused, with the verdict on each, E024 for two of one name, or
    E022 if something else lies where a file or its folder has to go.
    largest: bytes to which a file may unpack.
    """
    check_quarter(quarter)
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise ExamsError("E024", f"Two of the files are called {name}.", "Rename one.")
    checked = check_files(files, places, largest, quarter).files
    refused = [Refusal(file.file, file.refusal) for file in checked if file.refusal]
    if refused:
        error = verdict(refused, [file.file for file in checked if file.verdict in (RIGHT, HELD)])
        raise ExamsError(error.code, error.message, f"Nothing was delivered. {error.remedy}")
    _check_free(places.delivery(quarter), names)
    received(places.deliveries)
    folder = received(places.delivery(quarter))
    notes = {file.file: note(file) for file in checked}
    lines = []
    for file in files:
        name = printable(file.name)
        lines.append(f"{quarter}: {name} {_copy(file, folder / file.name)} {notes[name]}".rstrip())
    return lines


def _check_free(folder: Path, names: Iterable[str]) -> None:
    remedy = "Nothing was delivered. Move it away, and deliver again."
    if os.path.lexists(folder) and not folder.is_dir():
        raise ExamsError("E022", f"{folder.name} is in the way: it is not a folder.", remedy)
    for name in names:
        place = folder / name
        if place.is_dir() and not place.is_symlink():
            what = f"{folder.name}/{name} is in the way: it is a folder."
            raise ExamsError("E022", what, remedy)


def _copy(file: Path, target: Path) -> str:
    plain = target.is_file() and not target.is_symlink()  # a link would be refused
    if plain and filecmp.cmp(file, target, shallow=False):
        return "is already there, unchanged."
    said = "replaces the file of that name." if os.path.lexists(target) else "is delivered."
    with replacing(target) as draft:
        shutil.copyfile(file, draft)
    return said
