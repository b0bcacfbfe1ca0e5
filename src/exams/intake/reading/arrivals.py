"""The files of a quarter's folder: which count, which repeat others, which cannot be taken."""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from exams.errors import ExamsError, printable
from exams.files import read_note, write_atomic
from exams.places import Places, private, received, visible

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}
_NAMED = 5  # files that a sentence lists by name
Notes = dict[str, list[object]]  # path in data/: size, times and SHA-256 of a file


@dataclass(frozen=True)
class Arrival:
    """A file that arrived. `file` is its name, printable; `bytes` its size.

    `repeats` names an earlier file of the quarter with the same bytes (it counts once), or
    is empty.
    """

    path: Path
    file: str
    bytes: int
    sha256: str
    repeats: str = ""


class Refusal(NamedTuple):
    """A file that cannot be taken, and why."""

    file: str
    error: ExamsError


def find_arrivals(
    places: Places, quarter: str, same_file_twice: bool = False
) -> tuple[list[Arrival], list[Refusal]]:
    """Return the files in the folder of `quarter`, by name, and those that are refused.

    Refused are E105: anything but a regular file; E120: what cannot be read; E121: the bytes
    of a file of another quarter, unless the contract allows `same_file_twice`; E125: a name
    that looks like another's. Raise E104 if the folder holds nothing at all.
    """
    folder = places.delivery(quarter)
    received(places.deliveries)  # students' records lie here, whoever has made the folder
    found = _listed(folder)
    if not found:
        where = f"Put it into data/deliveries/{quarter}/."
        raise ExamsError("E104", f"No file was delivered for {quarter}.", where)
    with _Hashes(places) as hashes:
        others = {} if same_file_twice else _others(places, quarter)
        return _looked_at(found, quarter, others, hashes)


def as_if_arrived(
    files: Sequence[Path], places: Places, quarter: str, same_file_twice: bool = False
) -> tuple[list[Arrival], list[Refusal]]:
    """Return `files` as if they lay in the folder of `quarter`, and what else lies there.

    Each takes the place of a file of its name; with no quarter (""), they stand alone. They are
    refused as by `find_arrivals`. Nothing is written.
    """
    names = {path.name for path in files}
    beside = _listed(places.delivery(quarter)) if quarter else []
    found = [*files, *(path for path in beside if path.name not in names)]
    others = _others(places, quarter) if quarter and not same_file_twice else {}
    hashes = _Hashes(places)  # not entered: it takes no notes
    return _looked_at(sorted(found, key=lambda path: path.name), quarter, others, hashes)


def _looked_at(
    found: Iterable[Path], quarter: str, others: dict[int, list[Path]], hashes: "_Hashes"
) -> tuple[list[Arrival], list[Refusal]]:
    """Return files that can be taken, and refusals; `others` lie in other quarters, by size."""
    arrivals: list[Arrival] = []
    refusals: list[Refusal] = []
    first: dict[str, str] = {}
    for path in found:
        name = printable(path.name)
        try:
            if name in {a.file for a in arrivals}:
                what = f"{name}: the name looks like that of another file."
                raise ExamsError("E125", what, "Rename one of them.")
            size, sha256 = _checked(path).st_size, hashes.of(path)
            _check_elsewhere(f"{quarter}/{name}", size, sha256, others, hashes)
        except (ExamsError, OSError) as error:
            refusals.append(Refusal(name, _refused(name, error)))
            continue
        repeats = first.get(sha256, "")
        first.setdefault(sha256, name)
        arrivals.append(Arrival(path, name, size, sha256, repeats))
    return arrivals, refusals


def verdict(refused: Sequence[Refusal], fine: Sequence[str]) -> ExamsError:
    """Return one error that tells of every file: those that are refused, and those that are not."""
    first, *others = [refusal.error for refusal in refused]
    verdicts = [first.message]
    for error in others:
        remedy = f" {error.remedy}" if error.remedy != first.remedy else ""
        verdicts.append(f"{error.code} {error.message}{remedy}")
    if fine:
        named = ", ".join(fine) if len(fine) <= _NAMED else f"the other {len(fine)} files"
        verdicts.append(f"Not refused: {named}.")
    return ExamsError(first.code, " ".join(verdicts), first.remedy)


def delivered(places: Places, quarter: str) -> list[tuple[str, str]]:
    """Return name and SHA-256 of what lies in a quarter's folder; "" if it cannot be read.

    A file whose size and times are as before is not read again. Losing the notes about that
    costs time, nothing else.
    """
    with _Hashes(places) as hashes:
        return [
            (printable(path.name), hashes.or_nothing(path))
            for path in _listed(places.delivery(quarter))
        ]


@contextmanager
def opened(path: Path, name: str) -> Iterator[FileIO]:
    """Open a delivered file for reading; `name` is what errors call it.

    Raise E105 for anything but a regular file, E120 if it cannot be read, E109 if it vanishes
    or changes before the end of the block.
    """
    try:
        _check_regular(name, path.stat())
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would make it wait
        with open(number, "rb", buffering=0) as file:  # noqa: PTH123 (there is no path)
            before = os.fstat(number)
            try:
                yield file
            except ExamsError:
                _check_same(path, name, before, os.fstat(number))
                raise
            _check_same(path, name, before, os.fstat(number))
    except OSError as error:
        raise _refused(name, error) from None


def changed(name: str) -> ExamsError:
    """Return the error for a file that is not what it was when it was found (E109)."""
    return ExamsError("E109", f"{name} changed while it was read.", "Try again.")


class _Hashes:
    """SHA-256 of files, by notes about those that are as they were; written on leaving `with`."""

    def __init__(self, places: Places) -> None:
        self.data = places.data
        self.file = places.data / "private" / ".deliveries.json"
        self.known: Notes = read_note(self.file)
        self.new: Notes = {}

    def __enter__(self) -> "_Hashes":
        return self

    def __exit__(self, *_: object) -> None:
        if self.new:
            private(self.file.parent)
            write_atomic(self.file, json.dumps(self.known | self.new))

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a regular file; raise OSError if it cannot be read."""
        key = str(path.relative_to(self.data) if path.is_relative_to(self.data) else path)
        with opened(path, printable(path.name)) as file:
            state = os.fstat(file.fileno())
            stamp = [state.st_size, state.st_mtime_ns, state.st_ctime_ns]
            note = self.new.get(key) or self.known.get(key)
            if not note or note[:-1] != stamp:
                note = [*stamp, hashlib.file_digest(file, "sha256").hexdigest()]
                self.new[key] = note
        return str(note[-1])

    def or_nothing(self, path: Path) -> str:
        """Return the SHA-256 of `path`, or "" if there is none."""
        try:
            _checked(path)
            return self.of(path)
        except (ExamsError, OSError):
            return ""


def _listed(folder: Path) -> list[Path]:
    return visible(folder) if folder.is_dir() else []


def _checked(path: Path) -> os.stat_result:
    """Return what the system says of a file; raise E105 if it is not a regular one."""
    state = path.lstat()
    _check_regular(printable(path.name), state)
    return state


def _check_regular(name: str, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        kind = _KINDS.get(stat.S_IFMT(state.st_mode), "a device")
        what = f"{name} is {kind}, not a regular file."
        raise ExamsError("E105", what, "Deliver the file itself.")


def _others(places: Places, quarter: str) -> dict[int, list[Path]]:
    """Return the regular files of all other quarters by their size."""
    found: dict[int, list[Path]] = {}
    for other in places.delivered_quarters():
        for path in _listed(places.delivery(other)) if other != quarter else ():
            try:
                size = _checked(path).st_size
            except (ExamsError, OSError):
                continue  # it is refused where it lies
            found.setdefault(size, []).append(path)
    return found


def _check_elsewhere(
    here: str, size: int, sha256: str, others: dict[int, list[Path]], hashes: _Hashes
) -> None:
    """Raise E121 if another quarter has a file with the same bytes as the one that is `here`."""
    for other in others.get(size, ()) if size else ():
        if hashes.or_nothing(other) == sha256:
            there = printable(f"{other.parent.name}/{other.name}")
            raise ExamsError(
                "E121",
                f"{here} has the same bytes as {there}.",
                "Remove the wrong one, or set same_file_twice in the contract.",
            )


def _check_same(path: Path, name: str, before: os.stat_result, now: os.stat_result) -> None:
    try:
        there = path.stat()
    except FileNotFoundError:
        raise changed(name) from None
    marks = [(s.st_ino, s.st_size, s.st_mtime_ns) for s in (before, now, there)]
    if len(set(marks)) > 1:
        raise changed(name)


def _refused(name: str, error: ExamsError | OSError) -> ExamsError:
    if isinstance(error, ExamsError):
        return error
    if isinstance(error, FileNotFoundError):
        return changed(name)
    reason = error.strerror or "the system refuses"
    return ExamsError("E120", f"{name} cannot be read: {reason}.", "Check who may read it.")
