"""Sample deliveries: seeded, so that a quarter is the same bytes on every machine.

data/sample.json holds every constant, header and level; this module only knows the formula.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from exams.files import replacing
from exams.places import Places, private
from exams.quarters import last_complete
from exams.warehouse import store

SEED = 20190101
QUARTERS = 4
SIZE_VARIES_BY = 0.04  # a quarter has 4 % more or fewer records than the constant says

Columns = dict[str, NDArray[Any]]


def write_samples(places: Places, today: date) -> list[Path]:
    """Write the sample deliveries of the last four complete quarters; return their paths.

    Where a quarter is delivered or loaded already, nothing is written: samples never mix with
    real results, nor take their place while the folder of deliveries is not to be seen.
    """
    if places.delivered_quarters() or store.loaded(places.warehouse):
        return []
    sample = read_sample(places)
    return [
        path
        for quarter in last_complete(today, QUARTERS)
        for path in write_quarter(sample, quarter, places.delivery(quarter))
    ]


def read_sample(places: Places) -> dict[str, Any]:
    """Return the constants of data/sample.json."""
    content: dict[str, Any] = json.loads((places.data / "sample.json").read_text("utf-8"))
    return content


def write_quarter(sample: Mapping[str, Any], quarter: str, folder: Path) -> Iterator[Path]:
    """Write the files of one quarter into `folder`, a few records of each spoilt."""
    random = np.random.default_rng([SEED, _ordinal(quarter)])
    vary = random.uniform(1 - SIZE_VARIES_BY, 1 + SIZE_VARIES_BY)
    for name, share in sample["files"].items():
        count = round(sample["records"] * vary * share)
        columns = draw(sample, count, random, drift(sample, quarter))
        yield _write(private(folder) / name, _rows(sample, columns, random))


def drift(sample: Mapping[str, Any], quarter: str) -> dict[str, float]:
    """Return how far the mean of each score has moved in `quarter`, in points."""
    wave = math.sin(2 * math.pi * _ordinal(quarter) / sample["drift"]["quarters"])
    return {score: crest * wave for score, crest in sample["drift"]["amplitude"].items()}


def draw(
    sample: Mapping[str, Any], count: int, random: Generator, moved: Mapping[str, float]
) -> Columns:
    """Draw `count` records: one array for each field, texts for dimensions, ints for scores.

    A score is its mean, moved by `moved`, plus the effects of the levels, plus a residual that
    correlates with those of the other scores; rounded half up and clipped to its bounds.
    """
    columns: Columns = {}
    scores = sample["scores"]
    expected = {name: np.full(count, s["mean"] + moved.get(name, 0)) for name, s in scores.items()}
    for field, dimension in sample["dimensions"].items():
        levels = dimension["levels"]
        codes = random.choice(len(levels), count, p=[level["share"] for level in levels.values()])
        columns[field] = np.array(list(levels))[codes]
        for name in scores:
            expected[name] += np.array([level["effect"][name] for level in levels.values()])[codes]
    normals = _correlated(sample, random.standard_normal((len(scores), count)))
    for z, (name, score) in zip(normals, scores.items(), strict=True):
        y = expected[name] + score["sd"] * _bent(z, score["skew"])
        rounded = np.floor(y + 0.5).astype(int)
        columns[name] = rounded.clip(score["minimum"], score["maximum"])
    return columns


def _correlated(sample: Mapping[str, Any], normals: NDArray[Any]) -> NDArray[Any]:
    names = list(sample["scores"])
    matrix = np.eye(len(names))
    for one, others in sample["correlations"].items():
        for other, rho in others.items():
            i, j = names.index(one), names.index(other)
            matrix[i, j] = matrix[j, i] = rho
    return np.linalg.cholesky(matrix) @ normals


def _bent(z: NDArray[Any], a: float) -> NDArray[Any]:
    """Return `z` with a longer lower tail; mean 0 and variance 1 stay."""
    return (z - a * (z**2 - 1)) / math.sqrt(1 + 2 * a**2)


def _rows(sample: Mapping[str, Any], columns: Columns, random: Generator) -> list[list[str]]:
    """Return header and records as text; some records, all different, are spoilt."""
    fields = list(columns)
    headers = {**sample["dimensions"], **sample["scores"]}
    rows = [list(map(str, record)) for record in zip(*columns.values(), strict=True)]
    texts = sample["dirt"]["texts"]
    *spoilt, ragged = random.choice(len(rows), len(texts) + 1, replace=False)
    for index, (field, text) in zip(spoilt, texts, strict=True):
        rows[index][fields.index(field)] = text
    rows[ragged].pop()
    return [[headers[field]["header"] for field in fields], *rows]


def _write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return path


def _ordinal(quarter: str) -> int:
    return int(quarter[:4]) * 4 + int(quarter[5])
