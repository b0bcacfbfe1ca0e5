"""load: the cube of a quarter enters the warehouse."""

import numpy as np

from exams.statistics.cube import Cube
from exams.statistics.folds import Folds
from exams.warehouse.dialect import Connection
from exams.warehouse.rows import Bulk, insert, insert_columns, records
from exams.warehouse.schema import keys_of
from exams.warehouse.values import Values


def write_cube(connection: Connection, quarter: str, cube: Cube, numbers: np.ndarray) -> None:
    """Enter the cube of `quarter`, which has none; numbers: of its profiles in the warehouse."""
    present = np.flatnonzero(cube.n)
    counts = (a[present].tolist() for a in (numbers, cube.n, cube.complete, cube.at_risk))
    insert(connection, "cube", ((quarter, *row) for row in zip(*counts, strict=True)))
    key, _ = keys_of(quarter)
    _write_values(records(connection, "cube_value"), quarter, key, cube, numbers)
    moments = (
        (quarter, profile, *pair, sum_)
        for pair, total in cube.moments.items()
        for profile, sum_ in zip(numbers[present].tolist(), total[present].tolist(), strict=True)
    )
    insert(connection, "cube_moment", moments)
    made: dict[str, Values] = {"key": np.arange(len(cube.packed)) + key, "quarter": quarter}
    records(connection, "cube_combination").insert({**made, **cube.combinations()})
    _write_folds(connection, quarter, cube.folds, numbers)


def _write_values(into: Bulk, quarter: str, key: int, cube: Cube, numbers: np.ndarray) -> None:
    for field in cube.contract.reported:
        counted = cube.values[field.name]
        at, value = np.nonzero(counted)
        columns: dict[str, Values] = {
            "key": np.arange(len(at)) + key,
            "quarter": quarter,
            "profile": numbers[at],
            "score": field.name,
            "steps": value + cube.contract.parts(field) * field.minimum,
            "n": counted[at, value],
        }
        into.insert(columns)
        key += len(at)


def _write_folds(connection: Connection, quarter: str, folds: Folds, numbers: np.ndarray) -> None:
    for score in dict.fromkeys(score for score, _ in folds.sums):
        sums = {name: array for (of, name), array in folds.sums.items() if of == score}
        profile, fold = np.nonzero(sums["n"])
        columns: dict[str, Values] = {"quarter": quarter, "profile": numbers[profile], "fold": fold}
        columns |= {"score": score} if score else {}
        columns |= {name: array[profile, fold] for name, array in sums.items()}
        insert_columns(connection, "cube_fold_score" if score else "cube_fold", columns)
