"""Other tools that take a CSV file into a table: python benchmarks/tools.py TOOL CSV DATABASE.

Each as its own manual does it. They check nothing and hold nothing back. Their packages are in
benchmarks/requirements.lock.
"""

import csv
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path


def duckdb(source: Path, database: Path) -> None:
    import duckdb

    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE t AS FROM read_csv(?)", [str(source)])


def pandas(source: Path, database: Path) -> None:
    import pandas

    with closing(sqlite3.connect(database)) as connection:
        pandas.read_csv(source).to_sql("t", connection, index=False)


def sqlite_utils(source: Path, database: Path) -> None:
    from sqlite_utils.cli import cli

    cli(["insert", str(database), "t", str(source), "--csv"])


def dlt(source: Path, database: Path) -> None:
    import dlt

    def records() -> Iterator[dict[str, str]]:
        with source.open(newline="") as file:
            yield from csv.DictReader(file)

    destination = dlt.destinations.duckdb(str(database))
    work = str(database.parent / "dlt")
    pipeline = dlt.pipeline("t", destination=destination, pipelines_dir=work)
    pipeline.run(records(), table_name="t", write_disposition="replace")


TOOLS = {"duckdb": duckdb, "pandas": pandas, "sqlite-utils": sqlite_utils, "dlt": dlt}

if __name__ == "__main__":
    TOOLS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
