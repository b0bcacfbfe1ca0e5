"""PostgreSQL beside SQLite, and the load beside a bare `\\copy`.

    PYTHONPATH=tests python benchmarks/postgresql.py --rows 1000000 --pairs 5

Whole processes, in turns whose order alternates, on a server of its own with its usual settings.
The three stages replace an earlier load each time. The load alone is that of clean parts into an
empty table, by its own clock; `\\copy` puts the same rows into the same table. CPU is that of
the client. Lines of JSON go to benchmarks/results/postgresql.jsonl.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from intake import HERE, PRODUCT, QUARTER, delivery, scratch_data
from process import cost

from postgres import Cluster, cluster

RESULT = f'exams."result_{QUARTER}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, cluster(durable=True) as server:
        source = delivery(Path(scratch), wish.rows)
        lines = [*stages(Path(scratch), source, server, wish.pairs)]
        lines += loads(Path(scratch) / "server", server, wish.pairs)
    for one, other in (("server", "file"), ("load", "copy")):
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
    rows = data / "rows.csv"
    psql = [server.program("psql"), "-q", "-d", server.address(), "-c"]
    cost([*psql, f"\\copy {RESULT} to '{rows}' csv"])
    load = [PRODUCT / "python", __file__, "load", data]
    cost([PRODUCT / "python", __file__, "parts", data])
    for turn in range(1, pairs + 1):
        for what in ("load", "copy") if turn % 2 else ("copy", "load"):
            server.execute(f"TRUNCATE {RESULT}")
            server.execute("VACUUM")
            begin = time.perf_counter()
            if what == "copy":
                cost([*psql, f"\\copy {RESULT} from '{rows}' csv"])
            else:
                cost(load, env={"EXAMS_WAREHOUSE": server.address()})
            taken = time.perf_counter() - begin
            if what == "load":
                taken = float((data / "seconds").read_text())
            print(f"turn {turn}: {what} {taken:.2f} s", flush=True)
            yield {"what": what, "turn": turn, "seconds": taken}


def step(what: str, data: Path) -> None:
    """Make the clean parts in `data`; or load them, and note how long that took."""
    from stages import steps

    *before, (_, loading) = steps(data)
    if what == "parts":
        for _, make in before:
            make()
        return
    begin = time.perf_counter()
    loading()
    (data / "seconds").write_text(str(time.perf_counter() - begin))


if __name__ == "__main__":
    if sys.argv[1:2] in (["load"], ["parts"]):
        step(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
