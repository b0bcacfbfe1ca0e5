"""Reproduces a published quarter: everything again in a scratch folder, then cell by cell.

The notebooks on disk are executed with the parameters of the published run, under the package
and the contract on disk, from the delivered files. What the quarter is compared with, the other
quarters in warehouse and publication, is copied, not made again: `--all` takes its turn at each.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import nbformat
import papermill

from exams import lineage, published, status
from exams.errors import ExamsError
from exams.files import closed, draft_of, settled, sweep
from exams.notebook import injected
from exams.orchestrate import locks
from exams.orchestrate.changed import changes
from exams.orchestrate.failures import explain_exception
from exams.orchestrate.products import products
from exams.orchestrate.stopping import terminable
from exams.outputs import notebook_differences
from exams.places import STAGES, Places, made, private, private_key
from exams.progress import track
from exams.quarters import check_quarter
from exams.schema import Table
from exams.warehouse.copying import copy_to_file

_LINES = 20  # of differences that are listed
_OWN = {"version", "published_at", "fingerprint"}  # of a publication: these count and date it


@dataclass(frozen=True)
class Outcome:
    """What came of it: lines on what differs, lines on what has changed on disk, cells compared."""

    quarter: str
    differences: list[str]
    changes: list[str]
    cells: int

    def lines(self) -> list[str]:
        """Return what a person should know of it."""
        same = f"{len(STAGES)} notebooks and {self.cells:,} published cells are the same"
        said = [f"{self.quarter} is reproduced: {same}."]
        if self.differences:
            said = [f"{self.quarter} is not reproduced:"]
            said += [f"  {line}" for line in self.differences[:_LINES]]
            more = len(self.differences) - _LINES
            said += [f"  and {more:,} more"] if more > 0 else []
        if self.changes:
            return [*said, "Changed since it was made:", *(f"  {line}" for line in self.changes)]
        if self.differences:
            said.append("Nothing that was noted when it was made has changed.")
        return said


def reproduce(root: Path, places: Places, quarters: Sequence[str]) -> Iterator[Outcome]:
    """Yield the outcome for each of `quarters`, which are published; show a bar for several.

    root: the project's folder. Nothing in data/ and reports/ changes. Raise E331 for a quarter
    that is not published, E334 if an executed notebook of it is missing.
    """
    for quarter in quarters:
        lineage.check_published(places, check_quarter(quarter))
    several = len(quarters) > 1
    shown = track(quarters, len(quarters), "reproduce", " quarters") if several else quarters
    for quarter in shown:
        yield _reproduced(root, places, quarter)


def _reproduced(root: Path, places: Places, quarter: str) -> Outcome:
    references = {stage: _executed(places, quarter, stage) for stage in STAGES}
    found: list[str] = []
    with _scratch(places) as scratch:
        for stage in STAGES:
            if failure := _execute(root, places, scratch, quarter, stage):
                return Outcome(quarter, [*found, failure], changes(root, places, quarter), 0)
            text = products(scratch, quarter, stage)[0].read_text(encoding="utf-8")
            for copy, real in _folders(scratch, places).items():
                text = text.replace(copy, real)
            again = nbformat.reads(text, as_version=4)
            found += [f"{stage} {what}" for what in notebook_differences(references[stage], again)]
        cells, differing = _compared(places.published, scratch.published, quarter)
    return Outcome(quarter, [*found, *differing], changes(root, places, quarter), cells)


def _executed(places: Places, quarter: str, stage: str) -> nbformat.NotebookNode:
    path = products(places, quarter, stage)[0]
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        what = f"The executed notebook of {stage} for {quarter} is missing or broken."
        raise ExamsError(
            "E334", what, f"`exams build --quarter {quarter}` makes it anew."
        ) from None


@contextmanager
def _scratch(places: Places) -> Iterator[Places]:
    """Yield places in a folder of its own, closed to others, that goes afterwards.

    It has the contracts, the key to pseudonyms and the databases as copies, the deliveries as a
    link. Those of processes that were killed go first.
    """
    sweep(Path(gettempdir()))
    folder = draft_of(Path(gettempdir()) / "exams")
    with terminable(), _private_folder(folder):
        scratch = Places(made(folder / "data").resolve(), made(folder / "reports").resolve())
        scratch.mark_as_copy()
        shutil.copy(places.contract, scratch.contract)
        if places.contracts.is_dir():
            shutil.copytree(places.contracts, scratch.contracts)
        scratch.deliveries.symlink_to(places.deliveries)
        key = scratch.private / "key"
        key.write_bytes(private_key(places.private))
        key.chmod(0o600)
        _copy_warehouse(places, scratch)
        for name in ("ledger", "published", "status"):
            _copy(getattr(places, name), closed(getattr(scratch, name)))
        _reopen(scratch.published)
        try:
            yield scratch
        finally:
            locks.release()


@contextmanager
def _private_folder(folder: Path) -> Iterator[None]:
    private(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_warehouse(places: Places, scratch: Places) -> None:
    copy = closed(scratch.private / "warehouse.db")
    if isinstance(places.warehouse, Path):
        _copy(places.warehouse, copy)
    else:
        copy_to_file(places.warehouse, copy)


def _copy(real: Path, copy: Path) -> None:
    if not real.is_file():
        return
    with (
        closing(sqlite3.connect(f"{settled(real).as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


def _reopen(database: Path) -> None:
    """Let the copy be written anew even where its fingerprint says that it holds all already.

    What is written is then the same version again.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE publication SET fingerprint = '', version = version - 1")


def _execute(root: Path, places: Places, scratch: Places, quarter: str, stage: str) -> str:
    """Execute a stage's notebook in `scratch`; return what it failed of, empty if it did not."""
    target = products(scratch, quarter, stage)[0]
    given = injected(_executed(places, quarter, stage))
    moved = _moved(given, _folders(places, scratch))
    scratch.report(quarter)
    try:
        papermill.execute_notebook(
            root / "notebooks" / f"{stage}.ipynb",
            target,
            parameters=moved,
            engine_name="papermill",
            progress_bar=False,
            cwd=root,
        )
    except Exception as error:
        code, reason = explain_exception(error)
        return f"{stage} fails: {f'{code} {reason}' if code else reason}"
    status.end(scratch.status, quarter, stage, "done")
    return ""


def _folders(one: Places, other: Places) -> dict[str, str]:
    return {str(one.data): str(other.data), str(one.reports): str(other.reports)}


def _moved(value: Any, folders: Mapping[str, str]) -> Any:
    """Return parameters with the folders in them replaced."""
    if isinstance(value, dict):
        return {key: _moved(inner, folders) for key, inner in value.items()}
    if isinstance(value, str):
        for real, copy in folders.items():
            if value == real or value.startswith(f"{real}/"):
                return copy + value.removeprefix(real)
    return value


def _compared(before: Path, now: Path, quarter: str) -> tuple[int, list[str]]:
    """Return how many published cells there are, and a line for each that differs."""
    cells, found = 0, []
    for table in published.TABLES:
        rows = [_keyed(table, published.read(path, table.name, quarter)) for path in (before, now)]
        names = [c.name for c in table.columns if c.name not in _OWN]
        cells += len(rows[0]) * len(names)
        for key in dict.fromkeys([*rows[0], *rows[1]]):
            where = f"{table.name} {', '.join(map(str, key[1:]))}".strip()
            old, new = (part.get(key) for part in rows)
            if old is None or new is None:
                found.append(f"{where}: the row is {'new' if old is None else 'gone'}")
                continue
            found += [
                f"{where}: {name} {_said(old[name])} is now {_said(new[name])}"
                for name in names
                if old[name] != new[name]
            ]
    return cells, found


def _keyed(table: Table, rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in table.key): row for row in rows}


def _said(value: object) -> str:
    return "hidden or none" if value is None else str(value)
