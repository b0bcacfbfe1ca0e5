"""A small project with the real pipeline.yaml and six notebooks that only pass text on."""

import json
import shutil
import sys
from pathlib import Path

import nbformat

from exams.places import STAGES, Places

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
"""
OWN = {
    "transform": """
from exams.errors import ExamsError
if "refused" in text:
    raise ExamsError("E104", "a.csv line 2: score is above 100.", "Correct it.")
if "crash" in text:
    int(text)
if "slow" in text:
    import time
    time.sleep(60)
""",
    "load": """
old = json.loads(places.warehouse.read_text()) if places.warehouse.is_file() else {}
places.warehouse.write_text(json.dumps(old | {quarter: text}))
""",
    "publish": """
from exams import published
nothing = {table.name: [] for table in published.CONTENT}
published.publish(places.published, quarter, nothing, ("contract", "1"))
""",
}
RECEIPT = """
file = {{"path": str(part.relative_to(places.data)), "bytes": part.stat().st_size}}
receipt = dict(quarter=quarter, stage="{stage}", rows_in=3, rows_out=1234, content=text)
Path(product["receipt"]).write_text(json.dumps(receipt | {{"files": [file]}}))
"""


def make_project(folder: Path) -> Places:
    """Make the project in `folder`; its data lie in folder/data."""
    (folder / "notebooks").mkdir(parents=True)
    for name in ("pipeline.yaml", "env.yaml"):
        shutil.copy(ROOT / name, folder)
    for stage in STAGES:
        source = COMMON.format(stage=stage) + OWN.get(stage, "") + RECEIPT.format(stage=stage)
        parameters = nbformat.v4.new_code_cell("\n".join(f"{name} = None" for name in NAMES))
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


def loaded_content(path: Path, quarter: str) -> str | None:
    """Read the text file that stands in for the warehouse."""
    return json.loads(path.read_text()).get(quarter) if path.is_file() else None


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
    """Run `ploomber` in a process of its own, with the same stand-in for the warehouse."""
    from exams.orchestrate import locks
    from exams.warehouse import store

    store.loaded_content = loaded_content
    code = ploomber(*sys.argv[1:])
    locks.release()
    sys.exit(code)


if __name__ == "__main__":
    main()
