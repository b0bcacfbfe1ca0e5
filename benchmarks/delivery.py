"""Writes a big delivery: python benchmarks/delivery.py ROWS FILE.

Its records follow data/sample.json. Two in a hundred are dirty: a score beyond its bounds, one
that is no number, an empty one, an unknown level. Written in chunks, so memory stays flat.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from exams import samples

ROOT = Path(__file__).parents[1]
CHUNK = 1_000_000
DIRTY = 0.02


def write_delivery(path: Path, rows: int) -> None:
    sample = json.loads((ROOT / "data/sample.json").read_text(encoding="utf-8"))
    fields = [*sample["dimensions"], *sample["scores"]]
    schema = pa.schema([(field, pa.string()) for field in fields])
    plain = csv.WriteOptions(include_header=False, quoting_style="none")
    random = np.random.default_rng(1)
    with path.open("wb") as file:
        file.write(",".join(fields).encode() + b"\n")
        with csv.CSVWriter(file, schema, write_options=plain) as writer:
            for start in range(0, rows, CHUNK):
                writer.write_table(_chunk(sample, schema, min(CHUNK, rows - start), random))


def _chunk(sample: dict, schema: pa.Schema, rows: int, random: np.random.Generator) -> pa.Table:
    columns = samples.draw(sample, rows, random, {})
    arrays = {name: pa.array(column).cast(pa.string()) for name, column in columns.items()}
    spoilt = np.where(random.random(rows) < DIRTY, random.integers(0, 4, rows), -1)
    first, *_, third, second, last = schema.names
    for kind, (name, text) in enumerate(
        [(last, "999"), (second, "absent"), (third, ""), (first, "unknown")]
    ):
        arrays[name] = pc.if_else(pa.array(spoilt == kind), text, arrays[name])
    return pa.table(arrays, schema)


if __name__ == "__main__":
    write_delivery(Path(sys.argv[2]), int(sys.argv[1]))
