"""load: a quarter replaced whole in the warehouse, in one transaction, with its cube."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from exams.contract import Contract
from exams.contract.profiles import profile_levels, profiles
from exams.errors import ExamsError
from exams.intake.arrays import to_numpy, to_optional
from exams.intake.flow import ahead, started
from exams.intake.judging.desk import check_limit
from exams.intake.parts import (
    Delivery,
    Judged,
    LeftOut,
    Part,
    damaged,
    handed_on,
    read_left_out,
    read_manifest,
    read_part,
    watched,
)
from exams.moments import moment
from exams.places import Warehouse, home, mark_of
from exams.stages.load_cube import write_cube
from exams.stages.receipt import private_fingerprint
from exams.stages.writer import CUBE
from exams.statistics.cube import Cube
from exams.warehouse.dialect import Connection
from exams.warehouse.load import (
    close_delivery,
    empty_quarter,
    enter_delivery,
    profile_numbers,
    resolve,
    retire,
)
from exams.warehouse.offices import check_own
from exams.warehouse.results import clear_result, show_results
from exams.warehouse.rows import insert, insert_columns, records
from exams.warehouse.transaction import writing
from exams.warehouse.values import Optional, Values

Judging = Delivery | Part | Judged


@dataclass(frozen=True)
class Loaded:
    """What the warehouse holds of a quarter.

    files: per file its name and the records received, loaded, quarantined and resolved;
    `content` is the receipt's fingerprint.
    """

    files: list[dict[str, Any]]
    content: str


def load(clean: Path, contract: Contract, warehouse: Warehouse, quarter: str) -> Loaded:
    """Replace `quarter` in the warehouse by the records in `clean`; all of it or nothing.

    Raise E204 if what is loaded, in quarantine and resolved is not what was received, E208 if
    more is in quarantine than the contract allows, E217 if the quarter is another office's.
    """
    judged = read_manifest(clean, Judged)
    items = watched(ahead(handed_on(judged)), judged, "load")
    return loading(items, clean, contract, warehouse, quarter, read_left_out(clean))


def loading(
    items: Iterable[Judging],
    clean: Path,
    contract: Contract,
    warehouse: Warehouse,
    quarter: str,
    left_out: Sequence[LeftOut],
) -> Loaded:
    """Load the stream of transform as it comes: see `load`."""
    items = started(items)
    with writing(warehouse, contract) as connection:
        check_own(connection, warehouse, quarter)
        former = empty_quarter(connection, quarter)
        office = mark_of(home(warehouse))
        desk = _Desk(connection, contract, clean, quarter, office)
        for item in items:
            desk.take(item)
        retire(connection, former, desk.current(), desk.now)
        files = desk.close()
        check_limit(desk.judged, contract)
        cube = _cube(clean / CUBE, contract)
        if int(cube.n.sum()) != sum(file["loaded"] for file in files):
            what = "The cube does not count the loaded records."
            raise ExamsError("E205", what, "The quarter was left as it was; build it again.")
        write_cube(connection, quarter, cube, desk.numbers)
        hashes = sorted(judged.delivery.sha256 for judged in desk.judged)
        counts = [list(file.values()) for file in files]
        content = private_fingerprint(home(warehouse), quarter, counts, hashes, _digest(cube))
        receipt = (quarter, content, contract.title, contract.version, office)
        insert(connection, "loaded", [receipt])
        _write_notes(connection, quarter, contract, left_out)
        show_results(connection, contract, quarter)
    return Loaded(files, content)


def _cube(path: Path, contract: Contract) -> Cube:
    try:
        return Cube.read(path, contract)
    except (OSError, ValueError, KeyError, BadZipFile):
        raise damaged(path) from None


class _Desk:
    """Where deliveries enter the warehouse, one after the other."""

    def __init__(
        self,
        connection: Connection,
        contract: Contract,
        clean: Path,
        quarter: str,
        office: str,
    ) -> None:
        self.connection, self.contract = connection, contract
        self.clean, self.quarter, self.office = clean, quarter, office
        self.now = moment()
        self.records = records(connection, clear_result(connection, contract, quarter).name)
        self.numbers = np.zeros(profiles(contract), np.int64)  # in the warehouse; 0: none yet
        self.ids: dict[int, int] = {}  # number in the warehouse by number in the quarter
        self.judged: list[Judged] = []

    def take(self, item: Judging) -> None:
        """Enter a delivery, insert a part of it, or note what became of it."""
        if isinstance(item, Delivery):
            found = (self.quarter, item.file, item.sha256, item.bytes)
            self.ids[item.number] = enter_delivery(self.connection, found, self.now, self.office)
        elif isinstance(item, Part):
            if not item.malformed:
                self._insert_results(item)
            self._insert_quarantine(item)
        else:
            self._note(item)

    def current(self) -> dict[str, int]:
        """Return the numbers of the deliveries by file."""
        return {j.delivery.file: self.ids[j.delivery.number] for j in self.judged}

    def close(self) -> list[dict[str, Any]]:
        """Write what became of each delivery's records, and return it."""
        rows = []
        ascending = sorted(self.judged, key=lambda j: j.received)
        numbers = [self.ids[judged.delivery.number] for judged in ascending]
        loaded = dict(zip(numbers, self.records.counts(numbers), strict=True))
        for judged in sorted(self.judged, key=lambda j: j.delivery.file):
            number = self.ids[judged.delivery.number]
            found = (loaded[number], number, judged.received, judged.delivery.read_as)
            counts = close_delivery(self.connection, *found)
            rows.append({"file": judged.delivery.file} | dict(zip(COUNTS, counts, strict=True)))
        return rows

    def _insert_results(self, part: Part) -> None:
        batch = read_part(self.clean / part.name)
        key = to_numpy(batch.column("line")).astype(np.int64)
        key += self.ids[part.delivery.number] << 32
        profile = to_numpy(batch.column("profile"))
        columns: dict[str, Values] = {"key": key, "profile": self._profile_numbers(profile)}
        for place, name in enumerate(batch.schema.names[2:], 2):
            columns[name] = _values(batch.column(place))
        self.records.insert(columns)

    def _profile_numbers(self, profile: np.ndarray) -> np.ndarray:
        present = np.flatnonzero(np.bincount(profile, minlength=len(self.numbers)))
        new = present[self.numbers[present] == 0]
        if len(new):
            names = [d.name for d in self.contract.dimensions]
            levels = (profile_levels(self.contract, int(number)) for number in new)
            self.numbers[new] = list(profile_numbers(self.connection, names, levels))
        return self.numbers[profile]

    def _insert_quarantine(self, part: Part) -> None:
        batch = read_part(self.clean / part.quarantine)
        columns: dict[str, Values] = {
            "quarter": self.quarter,
            "file": part.delivery.file,
            "line": _values(batch.column("line")),
            "delivery": np.full(len(batch), self.ids[part.delivery.number]),
        }
        for name in ("column", "value", "reason"):
            columns[name] = _values(batch.column(name).view(pa.string()))  # a cast imports much
        insert_columns(self.connection, "quarantine", columns)

    def _note(self, judged: Judged) -> None:
        """Note what is worth knowing of a delivery beside its records."""
        self.judged.append(judged)
        number = self.ids[judged.delivery.number]
        if judged.resolved:
            columns = read_part(self.clean / judged.resolved).to_pydict()
            targets = [self.ids[delivery] for delivery in columns["delivery"]]
            resolve(self.connection, number, zip(targets, columns["line"], strict=True))
        insert(self.connection, "repair", ((number, *row) for row in judged.repairs))
        # Corrections have the form of the file that they correct.
        words = enumerate(() if judged.delivery.corrects else judged.delivery.columns)
        header = ((number, at, word, field or None) for at, (word, field) in words)
        insert(self.connection, "header", header)
        seen = ((number, score, low, high, None, None) for score, low, high in judged.seen)
        unknown = ((number, name, None, None, values, n) for name, values, n in judged.unknown)
        insert(self.connection, "observed", [*seen, *unknown])


COUNTS = ("received", "loaded", "quarantined", "resolved")


def _values(column: pa.Array) -> Values:
    """Return a column as numbers, with what is missing, or as objects: texts, bytes."""
    if not pa.types.is_integer(column.type):
        return np.array(column.to_pylist(), object)
    if column.null_count:
        return Optional(*to_optional(column))
    return to_numpy(column).astype(np.int64)


def _write_notes(
    connection: Connection, quarter: str, contract: Contract, left_out: Sequence[LeftOut]
) -> None:
    insert(connection, "left_out", ((quarter, f.file, f.code, f.why) for f in left_out))
    insert(
        connection,
        "contract_field",
        (
            (quarter, at, f.name, f.title, f.role, json.dumps(f.levels), None, None, None)
            if f.levels
            else (quarter, at, f.name, f.title, f.role, None, f.minimum, f.maximum, f.decimals)
            for at, f in enumerate(contract.kept)
        ),
    )
    levels = ((f, band) for f in contract.reported for band in f.bands)
    rows = ((quarter, f.name, b.code, b.label, f.units(b.low)) for f, b in levels)
    insert(connection, "score_level", rows)


def _digest(cube: Cube) -> str:
    """Return a fingerprint of everything that the cube counts."""
    digest = hashlib.sha256(repr(cube.contract).encode())
    arrays = [cube.n, cube.complete, cube.at_risk, cube.packed, cube.packed_n]
    sums = [*cube.values.values(), *cube.moments.values(), *cube.folds.sums.values()]
    for array in [*arrays, *sums]:
        digest.update(array.tobytes())
    return digest.hexdigest()
