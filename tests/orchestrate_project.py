"""A small project with the real pipeline.yaml and six notebooks that only pass text on."""

import inspect
import shutil
import sys
from pathlib import Path

import nbformat

from exams.places import STAGES, Places, Warehouse


def store(place: Warehouse, quarter: str, content: str, table: str = "loaded") -> None:
    """Write what `exams.warehouse.store` reads of a warehouse: loads, or figures (modelled)."""
    from exams.places import home, mark_of
    from exams.warehouse import store as warehouse
    from exams.warehouse.deliveries import DELIVERY, SCORE_LEVEL
    from exams.warehouse.dialect import structure
    from exams.warehouse.schema import LOADED, MODELLED

    with warehouse.changing(place) as connection:
        tables = structure(connection)
        tables.ready(connection)
        tables.set_release(connection, warehouse.LAYOUT)
        tables.create(connection, [DELIVERY, SCORE_LEVEL, LOADED, MODELLED])
        connection.execute(f"DELETE FROM {table} WHERE quarter = ?", [quarter])
        row = {"quarter": quarter, "content": content}
        row |= {"office": mark_of(home(place))} if table == "loaded" else {}
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])


ROOT = Path(__file__).parent.parent
NAMES = ["quarter", "data", "reports", "code", "inputs", "upstream", "product"]
COMMON = """
import json
from pathlib import Path
from exams.places import Places
places = Places.of(data, reports)
text = "".join(f.read_text() for f in sorted(places.delivery(quarter).iterdir()))
part = places.interim(quarter, "{stage}") / "part"
part.write_text(text)
content = text
"""
FULL = """
if (places.data / "full-{when}-{stage}").exists():  # as if others filled the disk now
    with (places.data / "ballast").open("wb", buffering=0) as ballast:
        size = 1 << 20
        while size:
            try:
                ballast.write(b"0" * size)
            except OSError:
                size //= 2
"""
STORING = f"""
from exams.places import Warehouse
{inspect.getsource(store)}
"""
OWN = {
    "transform": """
from exams.errors import ExamsError
if "refused" in text:
    raise ExamsError("E104", "a.csv line 2: score is above 100.", "Correct it.")
if "crash" in text:
    int(text)
if "several" in text:
    raise ExceptionGroup("several", [ValueError(text)])
if "slow" in text:
    import time
    time.sleep(60)
""",
    "load": f"""{STORING}
from exams.warehouse import store as warehouse
if "impatient" in text:
    warehouse.BUSY = warehouse.TURN = 0.2
store(places.warehouse, quarter, text)
""",
    "model": f"""{STORING}
store(places.warehouse, quarter, text, "modelled")
""",
    "publish": """
from exams import published
nothing = {table.name: [] for table in published.CONTENT}
content = published.publish(places.published, quarter, nothing, ("contract", "1"))
""",
    "visualize": """
from exams.datapackage import write_package
write_package(places)
places.index.write_text("every quarter")
""",
}
RECEIPT = """
file = {{"in": "data", "path": str(part.relative_to(places.data)), "bytes": part.stat().st_size}}
receipt = dict(quarter=quarter, stage="{stage}", rows_in=3, rows_out=1234, content=content)
Path(product["receipt"]).write_text(json.dumps(receipt | {{"files": [file]}}))
"""


def make_project(folder: Path) -> Places:
    """Make the project in `folder`; its data lie in folder/data."""
    (folder / "notebooks").mkdir(parents=True)
    for name in ("pipeline.yaml", "env.yaml"):
        shutil.copy(ROOT / name, folder)
    for stage in STAGES:
        source = COMMON.format(stage=stage) + FULL.format(stage=stage, when="before")
        source += OWN.get(stage, "") + RECEIPT.format(stage=stage)
        source += FULL.format(stage=stage, when="after")
        names = [*NAMES, "largest_file", "refused_files"] if stage == "extract" else NAMES
        parameters = nbformat.v4.new_code_cell("\n".join(f"{name} = None" for name in names))
        parameters.metadata["tags"] = ["parameters"]
        cells = [parameters, nbformat.v4.new_code_cell(source)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, folder / "notebooks" / f"{stage}.ipynb")
    places = Places.of(folder / "data", folder / "reports")
    places.deliveries.mkdir(parents=True)
    places.contract.write_text("title: contract\n")
    return places


def deliver(places: Places, quarter: str, text: str, name: str = "a.csv") -> Path:
    """Put a file that holds `text` into a quarter's folder."""
    file = places.delivery(quarter) / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def ploomber(*arguments: str) -> int:
    """Run `ploomber` in this process, in the current folder; return the exit code."""
    import ploomber.cli.build
    import ploomber.cli.task

    command, *rest = arguments
    former, sys.argv = sys.argv, ["ploomber", *rest]
    try:
        {"build": ploomber.cli.build.main, "task": ploomber.cli.task.main}[command]()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = former
    return 0


def main() -> None:
    """Run `ploomber` in a process of its own."""
    from exams.orchestrate import locks

    code = ploomber(*sys.argv[1:])
    locks.release()
    sys.exit(code)


if __name__ == "__main__":
    main()
