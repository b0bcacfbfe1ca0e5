"""Take files into the folder of their quarter, if none of them is refused."""

import filecmp
import shutil
from collections.abc import Sequence
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
    the error of a file that is refused, with the verdict on each, or E024 for two of one name.
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
    received(places.deliveries)
    folder = received(places.delivery(quarter))
    notes = {file.file: note(file) for file in checked}
    lines = []
    for file in files:
        name = printable(file.name)
        lines.append(f"{quarter}: {name} {_copy(file, folder / file.name)} {notes[name]}".rstrip())
    return lines


def _copy(file: Path, target: Path) -> str:
    if target.is_file() and filecmp.cmp(file, target, shallow=False):
        return "is already there, unchanged."
    said = "replaces the file of that name." if target.exists() else "is delivered."
    with replacing(target) as draft:
        shutil.copyfile(file, draft)
    return said
