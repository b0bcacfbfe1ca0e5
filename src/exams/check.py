"""What intake would do with files, found out without loading or leaving anything anywhere."""

import filecmp
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import DatabaseError
from typing import NamedTuple

import numpy as np

from exams.contract import Contract, contract_of
from exams.errors import ExamsError, printable
from exams.intake.flow import ahead
from exams.intake.judging.corrections import in_order, named_deliveries, reference
from exams.intake.judging.desk import Desk, check_limit
from exams.intake.judging.drift import Change, changes
from exams.intake.parts import Delivery, Extracted, Judged
from exams.intake.reading.arrivals import Arrival, as_if_arrived
from exams.intake.reading.delivery import Piece, delivery_from, read_delivery
from exams.intake.reading.layout import Layout, inspect
from exams.places import Places
from exams.progress import track
from exams.quarters import check_quarter, is_quarter, quarter_of
from exams.warehouse.form import Form, read_form
from exams.warehouse.store import loaded

RIGHT, HELD, REFUSED, REPEATED = "right", "quarantine", "refused", "repeat"


@dataclass(frozen=True)
class Checked:
    """What would become of a file.

    `layout` is None if its start was refused or it `repeats` another file, `judged` if it could
    not be read to its end. `first`: lines of the first records by (column, reason). `present`:
    a file of this name with the same bytes lies in the folder of the quarter already.
    """

    file: str
    bytes: int = 0
    layout: Layout | None = None
    judged: Judged | None = None
    first: Mapping[tuple[str, str], Sequence[int]] = field(default_factory=dict)
    repeats: str = ""
    present: bool = False
    refusal: ExamsError | None = None

    @property
    def verdict(self) -> str:
        """RIGHT, HELD (some records would go to quarantine), REFUSED or REPEATED."""
        if self.refusal:
            return REFUSED
        if self.repeats:
            return REPEATED
        return HELD if self.judged and self.judged.quarantined else RIGHT


@dataclass(frozen=True)
class Check:
    """What would become of files under a contract; `quarter` is empty if none was named.

    `changes` of form are those since `former`, the newest quarter loaded before; None if there
    is none.
    """

    quarter: str
    contract: Contract
    files: tuple[Checked, ...]
    former: str | None
    changes: tuple[Change, ...]

    @property
    def exit_code(self) -> int:
        """0: all of it would load; 1: some records would not; 2: a file is refused."""
        verdicts = {file.verdict for file in self.files}
        return 2 if REFUSED in verdicts else int(HELD in verdicts)


def check_files(
    files: Sequence[Path], places: Places, limit: int, quarter: str | None = None
) -> Check:
    """Check `files` under the contract of `quarter`, beside what lies in its folder.

    Without a quarter it is the one in whose folder they all lie, or else none, and the contract
    is that of today. limit: bytes to which a file may unpack. A file that does not exist (E021)
    or is hidden (E023) is refused, too.
    """
    quarter = check_quarter(quarter) if quarter else _folder_of(files, places)
    contract = contract_of(places, quarter or quarter_of(datetime.now(UTC).date()))
    files = [path if path.name else path.absolute() for path in files]  # "." has no name
    unfit = {path: error for path in files if (error := _unfit(path))}
    fit = [path for path in dict.fromkeys(files) if path not in unfit]
    arrivals, refusals = as_if_arrived(fit, places, quarter, contract.same_file_twice)
    names = {printable(path.name) for path in fit}
    done = [Checked(printable(path.name), refusal=error) for path, error in unfit.items()]
    done += [Checked(file, refusal=error) for file, error in refusals if file in names]
    readable = []
    for arrival in arrivals:
        found = _look(arrival, arrival.path in fit, contract, limit)
        if isinstance(found, Readable):
            readable.append(found)
        elif arrival.path in fit:
            done.append(found)
    done += _judge(_in_order(_needed(readable, contract), limit), contract, limit, places, quarter)
    done.sort(key=lambda checked: checked.file)
    return Check(quarter, contract, tuple(done), *_drift(done, contract, places, quarter))


class Readable(NamedTuple):
    """A file whose start was looked at; `asked`: it is checked, not just beside others."""

    arrival: Arrival
    layout: Layout
    asked: bool


def _folder_of(files: Sequence[Path], places: Places) -> str:
    """Return the quarter in whose folder all of the files lie, or nothing."""
    folders = {path.absolute().parent.resolve() for path in files}
    only = folders.pop() if len(folders) == 1 else None
    inside = only and is_quarter(only.name) and only.parent == places.deliveries.resolve()
    return only.name if only and inside else ""


def _unfit(path: Path) -> ExamsError | None:
    if not os.path.lexists(path):
        return ExamsError("E021", f"There is no file {path}.", _SPACES)
    if path.name.startswith("."):
        return ExamsError("E023", f"{path.name} starts with a dot: hidden.", "Rename it.")
    return None


def _look(arrival: Arrival, asked: bool, contract: Contract, limit: int) -> Readable | Checked:
    if arrival.repeats:
        return Checked(arrival.file, arrival.bytes, repeats=arrival.repeats)
    try:
        layout = inspect(arrival.path, arrival.file, contract, limit)
    except ExamsError as error:
        return Checked(arrival.file, arrival.bytes, refusal=error)
    return Readable(arrival, layout, asked)


def _needed(found: Sequence[Readable], contract: Contract) -> list[Readable]:
    """Return the files to read: those that are asked for, all if the others make a difference.

    They do for identifiers that shall be unique, and for corrections of their records.
    """
    corrects = any(f.asked and f.layout.header.corrects for f in found)
    if corrects or any(identifier.unique for identifier in contract.identifiers):
        return list(found)
    return [f for f in found if f.asked]


def _in_order(found: Sequence[Readable], limit: int) -> list[Readable]:
    """Return the files as transform takes them: corrections last, after what they correct."""
    corrections = {n: f for n, f in enumerate(found) if f.layout.header.corrects}
    plain = [f for f in found if not f.layout.header.corrects]
    if len(corrections) < 2:
        return [*plain, *corrections.values()]
    numbers = {reference(f.arrival.sha256): n for n, f in corrections.items()}
    named = {
        n: {numbers[word] for word in _named(f, limit) & numbers.keys()}
        for n, f in corrections.items()
    }
    return [*plain, *(corrections[n] for n in in_order(named))]


def _named(found: Readable, limit: int) -> set[str]:
    """Return the references to deliveries in a corrections file."""
    named: set[str] = set()
    with suppress(ExamsError):  # it is refused when it is judged
        for item in read_delivery(_delivery(0, found), found.arrival, found.layout, limit):
            if isinstance(item, Piece):
                named |= named_deliveries(item.records)
    return named


def _delivery(number: int, found: Readable) -> Delivery:
    return delivery_from(number, found.arrival, found.layout)


def _judge(
    found: Iterable[Readable], contract: Contract, limit: int, places: Places, quarter: str
) -> Iterator[Checked]:
    """Judge the files in this order; yield what becomes of those that are asked for."""
    desk = Desk(contract)
    for number, file in enumerate(found, 1):
        before = desk.copy()
        present = bool(quarter) and _is_present(file.arrival.path, places.delivery(quarter))
        about = Checked(file.arrival.file, file.arrival.bytes, file.layout, present=present)
        try:
            judged, first = _judged(_delivery(number, file), file, desk, limit, bool(quarter))
            about = replace(about, judged=judged, first=first)
            check_limit([judged], contract)
        except ExamsError as error:
            if not about.judged:
                desk = before
            about = replace(about, refusal=error)
        if file.asked:
            yield about


def _judged(
    delivery: Delivery, file: Readable, desk: Desk, limit: int, beside: bool
) -> tuple[Judged, dict[tuple[str, str], list[int]]]:
    """Return what became of the records, and the first lines by column and reason.

    beside: what the file might correct has been judged before.
    """
    items = ahead(read_delivery(delivery, file.arrival, file.layout, limit), most=2)
    for item in track(items, delivery.bytes, delivery.file, "B", _size):
        if isinstance(item, Extracted):
            read = item
            continue
        desk.judge(item.records, delivery.corrects and beside)
        if item.malformed:
            desk.malformed(np.array([line for line, _ in item.malformed], np.int32))
    first = desk.tally.first
    return desk.close(read), first


def _size(item: Piece | Extracted) -> int:
    return item.size if isinstance(item, Piece) else 0


def _is_present(path: Path, folder: Path) -> bool:
    """Say whether the folder has another file of this name, with the same bytes."""
    there = folder / path.name
    with suppress(OSError):
        if there.is_file() and not there.is_symlink() and not there.samefile(path):
            return filecmp.cmp(path, there, shallow=False)
    return False


def _drift(
    checked: Iterable[Checked], contract: Contract, places: Places, quarter: str
) -> tuple[str | None, tuple[Change, ...]]:
    """Return the newest quarter loaded before, and how the form of the files differs from it."""
    judged = [c.judged for c in checked if c.judged and not c.judged.delivery.corrects]
    if not judged or not (places.data / "private").is_dir():  # else asking would make it
        return None, ()
    quarters = [q for q in loaded(places.warehouse) if not quarter or q < quarter]
    if not quarters:
        return None, ()
    try:
        former = read_form(places.warehouse, max(quarters))
    except (ExamsError, DatabaseError):  # broken, or of another release: no check of files
        return None, ()
    return max(quarters), tuple(changes(former, _form(judged, contract)))


def _form(judged: Sequence[Judged], contract: Contract) -> Form:
    ranges: dict[str, tuple[int, int]] = {}
    unknown: dict[str, tuple[int, int]] = {}
    for j in judged:
        for name, low, high in j.seen:
            lowest, highest = ranges.get(name, (low, high))
            ranges[name] = min(low, lowest), max(high, highest)
        for name, values, records in j.unknown:
            most, sum_ = unknown.get(name, (0, 0))
            unknown[name] = max(most, values), sum_ + records
    columns = {j.delivery.file: {w: f or None for w, f in j.delivery.columns} for j in judged}
    return Form(contract.kept, columns, ranges, unknown)


_SPACES = "Check the path. A name with spaces needs quotes of its own: FILES=\"'a b.csv'\"."
