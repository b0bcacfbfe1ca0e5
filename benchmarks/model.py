"""The model stage at 1,000,000 and 10,000,000 records: python benchmarks/model.py.

Its cost shall not grow with the students: it reads the cube alone. The cells of the notebook run
one after the other in a process of their own, with whatever they import; its time and memory are
counted by the system. benchmarks/page.py makes a table of benchmarks/results/model.json.

    python benchmarks/model.py --rows 1000000 10000000 --turns 3
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from intake import PRODUCT, QUARTER, ROOT, delivery, scratch_data
from process import cost

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the generated files here")
    parser.add_argument("--cells", type=Path, help=argparse.SUPPRESS)  # what the child runs
    wish = parser.parse_args()
    if wish.cells:
        run_cells(wish.cells)
        return
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        places = {rows: loaded(wish.folder or work, work / str(rows), rows) for rows in wish.rows}
        lines = [
            {"rows": rows, "turn": turn, **measured(data)}
            for turn in range(1, wish.turns + 1)
            for rows, data in places.items()
        ]
    results = HERE / "results/model.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(lines, indent=1), encoding="utf-8")


def loaded(folder: Path, data: Path, rows: int) -> Path:
    """Return a data folder in which so many records are loaded."""
    scratch_data(data, delivery(folder, rows))
    cost([PRODUCT / "python", HERE / "stages.py", data])
    return data


def measured(data: Path) -> dict[str, float]:
    """Return seconds, cpu, peak (MB) of the stage, and the seconds of its slowest cell."""
    spent = cost([PRODUCT / "python", __file__, "--cells", data])
    slowest = max(json.loads((data / "cells.json").read_text(encoding="utf-8")).values())
    print(f"{data.name}: {spent.seconds:.1f} s, {spent.peak:.0f} MB, slowest cell {slowest:.1f} s")
    return {**spent._asdict(), "slowest": slowest}


def run_cells(data: Path) -> None:
    """Run the notebook's cells in this process; note the seconds of each in cells.json."""
    notebook = json.loads((ROOT / "notebooks/model.ipynb").read_text(encoding="utf-8"))
    receipt = data / "reports" / QUARTER / "model.receipt.json"
    given = {"quarter": QUARTER, "data": str(data), "reports": str(data / "reports")}
    names = {**given, "code": None, "product": {"receipt": str(receipt)}}
    spent = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
            begin = time.perf_counter()
            exec("".join(cell["source"]), names)
            spent[cell["id"]] = time.perf_counter() - begin
    (data / "cells.json").write_text(json.dumps(spent, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
