"""load: a quarter replaced whole in the warehouse, in one transaction, with its cube."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlite_utils import Database

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.parts import Delivery, read_manifest, read_part
from exams.stages.receipt import private_fingerprint
from exams.statistics.cube import Cube, profile_levels
from exams.warehouse.load import (
    Received,
    close_delivery,
    insert,
    profile_numbers,
    replace_deliveries,
)
from exams.warehouse.transaction import writing


@dataclass
class Loaded:
    """What the warehouse holds of a quarter.

    files: file, received, loaded, quarantined; `content` is the receipt's fingerprint.
    """

    files: pd.DataFrame
    content: str


def load(clean: Path, contract: Contract, warehouse: Path, quarter: str) -> Loaded:
    """Replace `quarter` in the warehouse by the records in `clean`; all of it or nothing.

    Raise E204 if what is loaded and what is in quarantine are not what was received.
    """
    deliveries = read_manifest(clean)
    cube = Cube.read(clean / "cube.npz", contract)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = []
    with writing(warehouse, contract) as database:
        received = [Received(d.file, d.sha256, d.bytes, d.received) for d in deliveries]
        ids = replace_deliveries(database, quarter, received, now)
        numbers = _profile_numbers(database, contract, cube)
        for delivery in deliveries:
            number = ids[delivery.file]
            for part in delivery.parts:
                insert(database.conn, "result", _results(clean / part, number, numbers))
            insert(database.conn, "quarantine", _quarantine(clean, delivery, quarter, number))
            rows.append((delivery.file, *close_delivery(database.conn, number)))
        if int(cube.n.sum()) != sum(row[2] for row in rows):
            what = "The cube does not count the loaded records."
            raise ExamsError("E205", what, "The quarter was left as it was; build it again.")
        _write_cube(database, quarter, cube, numbers)
        sums = _digest(cube)
        content = private_fingerprint(
            warehouse.parent, quarter, rows, [d.sha256 for d in deliveries], sums
        )
        database.conn.execute(
            "INSERT OR REPLACE INTO loaded VALUES (?, ?, ?, ?)",
            [quarter, content, contract.title, contract.version],
        )
    return Loaded(
        pd.DataFrame(rows, columns=["file", "received", "loaded", "quarantined"]), content
    )


def _profile_numbers(database: Database, contract: Contract, cube: Cube) -> np.ndarray:
    """Return, for each profile of the cube, its number in the warehouse (0: no student)."""
    present = np.flatnonzero(cube.n)
    columns = [d.name for d in contract.dimensions]
    wanted = (profile_levels(contract, int(profile)) for profile in present)
    numbers = np.zeros(len(cube.n), np.int64)
    numbers[present] = list(profile_numbers(database, columns, wanted))
    return numbers


def _results(part: Path, delivery: int, numbers: np.ndarray) -> Iterator[tuple[Any, ...]]:
    table = read_part(part)
    key = (delivery << 32) + table.column("line").to_numpy().astype(np.int64)
    profile = numbers[table.column("profile").to_numpy()]
    scores = [column.to_pylist() for column in table.columns[2:]]
    return zip(key.tolist(), profile.tolist(), *scores, strict=True)


def _quarantine(
    clean: Path, delivery: Delivery, quarter: str, number: int
) -> Iterator[tuple[Any, ...]]:
    for row in read_part(clean / delivery.malformed).to_pylist():
        value = row["value"].decode("utf-8")
        yield quarter, delivery.file, row["line"], row["column"], value, row["reason"], number


def _write_cube(database: Database, quarter: str, cube: Cube, numbers: np.ndarray) -> None:
    connection = database.conn
    for table in ("cube", "cube_value", "cube_moment", "cube_combination"):
        connection.execute(f"DELETE FROM {table} WHERE quarter = ?", [quarter])
    present = np.flatnonzero(cube.n)
    counts = (a[present].tolist() for a in (numbers, cube.n, cube.complete, cube.at_risk))
    insert(connection, "cube", ((quarter, *row) for row in zip(*counts, strict=True)))
    for field in cube.contract.scores:
        counted = cube.values[field.name]
        at, value = np.nonzero(counted)
        steps, n = (value + field.minimum).tolist(), counted[at, value].tolist()
        values = zip(numbers[at].tolist(), steps, n, strict=True)
        insert(connection, "cube_value", ((quarter, p, field.name, v, n) for p, v, n in values))
    for pair, total in cube.moments.items():
        sums = zip(numbers[present].tolist(), total[present].tolist(), strict=True)
        insert(connection, "cube_moment", ((quarter, p, *pair, t) for p, t in sums))
    combined = (column.tolist() for column in cube.combinations().values())
    rows = ((quarter, *row) for row in zip(*combined, strict=True))
    insert(connection, "cube_combination", rows)


def _digest(cube: Cube) -> str:
    """Return a fingerprint of everything that the cube counts."""
    digest = hashlib.sha256(repr(cube.contract).encode())
    arrays = [cube.n, cube.complete, cube.at_risk, cube.packed, cube.packed_n]
    for array in [*arrays, *cube.values.values(), *cube.moments.values()]:
        digest.update(array.tobytes())
    return digest.hexdigest()
