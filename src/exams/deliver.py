"""Take a file into the folder of its quarter."""

import filecmp
import shutil
from collections.abc import Sequence
from pathlib import Path

from exams.errors import ExamsError, printable
from exams.files import replacing
from exams.places import Places, private
from exams.quarters import check_quarter

_SPACES = "Check the path. A name with spaces needs quotes of its own: FILES=\"'a b.csv'\"."


def deliver(files: Sequence[Path], quarter: str, places: Places) -> list[str]:
    """Copy `files` into the folder of `quarter`; return one sentence for each.

    Each file keeps its name and appears whole or not at all. Equal bytes under the same name
    are left alone, other bytes replace them. Every file is checked before the first is copied.
    """
    check_quarter(quarter)
    for file in files:
        _check(file)
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise ExamsError("E024", f"Two of the files are called {name}.", "Rename one.")
    private(places.deliveries)
    folder = private(places.delivery(quarter))
    return [f"{quarter}: {printable(f.name)} {_copy(f, folder / f.name)}" for f in files]


def _check(file: Path) -> None:
    if not file.exists():
        raise ExamsError("E021", f"There is no file {file}.", _SPACES)
    if not file.is_file():
        raise ExamsError("E022", f"{file} is not a regular file.", "Deliver files, one by one.")
    if file.name.startswith("."):
        raise ExamsError("E023", f"{file.name} starts with a dot: hidden.", "Rename it.")


def _copy(file: Path, target: Path) -> str:
    if target.is_file() and filecmp.cmp(file, target, shallow=False):
        return "is already there, unchanged."
    verdict = "replaces the file of that name." if target.exists() else "is delivered."
    with replacing(target) as draft:
        shutil.copyfile(file, draft)
    return verdict
