"""PostgreSQL beside SQLite, and the load beside bare `\\copy`.

    PYTHONPATH=tests python benchmarks/postgresql.py --rows 1000000 --pairs 5

Whole processes, in turns whose order alternates, on a server of its own with its usual settings.
The three stages replace an earlier load each time. The load alone is that of clean parts into
empty tables, by its own clock, and of it the time that its records take; `\\copy` puts the same
records, or the same rows of all tables, into the same tables. CPU is that of the client. Lines of
JSON go to benchmarks/results/postgresql.jsonl.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from statistics import median
from unittest import mock

from intake import HERE, PRODUCT, QUARTER, delivery, scratch_data
from process import cost

from exams.schema import quoted
from exams.warehouse.values import Values
from postgres import Cluster, cluster

RECORDS = f"result_{QUARTER}"
FILLED = (RECORDS, "quarantine", "cube", "cube_value", "cube_moment", "cube_combination")
FILLED += ("cube_fold", "cube_fold_score")  # the tables with the rows that a load writes, but few
PAIRS = (("server", "file"), ("load", "copy"), ("load", "copies"), ("records", "copy"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, cluster(durable=True) as server:
        source = delivery(Path(scratch), wish.rows)
        lines = [*stages(Path(scratch), source, server, wish.pairs)]
        lines += loads(Path(scratch) / "server", server, wish.pairs)
    for one, other in PAIRS:
        taken = {what: [x["seconds"] for x in lines if x["what"] == what] for what in (one, other)}
        ratio = median(a / b for a, b in zip(taken[one], taken[other], strict=True))
        shown = ", ".join(f"{what} {median(found):.2f} s" for what, found in taken.items())
        print(f"{shown}: ratio {ratio:.2f}")
    text = "".join(json.dumps({"rows": wish.rows, **line}) + "\n" for line in lines)
    (HERE / "results/postgresql.jsonl").write_text(text, encoding="utf-8")


def stages(work: Path, source: Path, server: Cluster, pairs: int) -> Iterator[dict[str, object]]:
    """Yield what the three stages cost in each store: what, turn, seconds, cpu, peak (MB)."""
    stores = {"file": "", "server": server.address()}
    commands = {
        what: [PRODUCT / "python", HERE / "stages.py", scratch_data(work / what, source)]
        for what in stores
    }
    for turn in range(pairs + 1):  # turn 0: makes what later ones replace
        for what in list(stores) if turn % 2 else reversed(stores):
            server.execute("VACUUM")  # quarters pass between two loads, and it does so by itself
            spent = cost(commands[what], env={"EXAMS_WAREHOUSE": stores[what]})
            print(f"turn {turn}: {what} {spent.seconds:.2f} s, {spent.peak:.0f} MB", flush=True)
            if turn:
                yield {"what": what, "turn": turn, **spent._asdict()}


def loads(data: Path, server: Cluster, pairs: int) -> Iterator[dict[str, object]]:
    """Yield how long the load of clean parts takes, and `\\copy` of the same rows."""
    psql = [server.program("psql"), "-q", "-1", "-d", server.address()]
    named = {table: f"exams.{quoted(table)} ({columns(server, table)})" for table in FILLED}
    for table, name in named.items():
        cost([*psql, "-c", f"\\copy {name} to '{data / table}' csv"])
    copies = {
        table: ["-c", f"\\copy {name} from '{data / table}' csv"] for table, name in named.items()
    }
    commands = {
        "load": [PRODUCT / "python", __file__, "load", data],
        "copy": [*psql, *copies[RECORDS]],
        "copies": [*psql, *chain(*copies.values())],
    }
    cost([PRODUCT / "python", __file__, "parts", data])
    for turn in range(1, pairs + 1):
        for what in list(commands) if turn % 2 else reversed(commands):
            server.execute(f"TRUNCATE {', '.join(f'exams.{quoted(table)}' for table in FILLED)}")
            server.execute("VACUUM")
            begin = time.perf_counter()
            cost(commands[what], env={"EXAMS_WAREHOUSE": server.address()})
            taken = {what: time.perf_counter() - begin}
            if what == "load":
                taken = json.loads((data / "taken.json").read_text())
            for name, seconds in taken.items():
                print(f"turn {turn}: {name} {seconds:.2f} s", flush=True)
                yield {"what": name, "turn": turn, "seconds": seconds}


def columns(server: Cluster, table: str) -> str:
    """Return the columns of a table but for those that the server fills."""
    found = server.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'exams'"
        f" AND table_name = '{table}' AND is_identity = 'NO' ORDER BY ordinal_position"
    )
    return ", ".join(quoted(name) for (name,) in found)


def step(what: str, data: Path) -> None:
    """Make the clean parts in `data`; or load them, and note how long that took."""
    from stages import steps

    *before, (_, loading) = steps(data)
    if what == "parts":
        for _, make in before:
            make()
        return
    with timed_records() as records:
        begin = time.perf_counter()
        loading()
        taken = {"load": time.perf_counter() - begin, "records": sum(records)}
    (data / "taken.json").write_text(json.dumps(taken))


@contextmanager
def timed_records() -> Iterator[list[float]]:
    """Yield the seconds that each part's records take: a list that grows within the block."""
    from exams.warehouse.postgresql.rows import Records

    insert, seconds = Records.insert, list[float]()

    def timed(self: Records, columns: Mapping[str, Values]) -> None:
        begin = time.perf_counter()
        insert(self, columns)
        if self.table == RECORDS:
            seconds.append(time.perf_counter() - begin)

    with mock.patch.object(Records, "insert", timed):
        yield seconds


if __name__ == "__main__":
    if sys.argv[1:2] in (["load"], ["parts"]):
        step(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
