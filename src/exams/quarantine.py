"""What is in quarantine and why; its records, to be corrected and delivered again."""

import csv
from itertools import count, groupby
from pathlib import Path

from exams.contract import Contract, contract_of
from exams.errors import ExamsError
from exams.files import replacing, shown
from exams.intake.judging.corrections import reference
from exams.intake.reading.arrivals import Arrival, find_arrivals
from exams.intake.reading.cells import read_cells
from exams.intake.reading.header import ADDED, is_added
from exams.intake.reading.layout import inspect
from exams.places import Places
from exams.spreadsheet import safe
from exams.warehouse.read import Held, read_quarantine, read_reconciliation


def summary(places: Places, quarter: str) -> list[tuple[str, str, str, int]]:
    """Return how many records are in quarantine: file, column, reason, records."""
    counts = read_reconciliation(places.warehouse, quarter)["quarantine_count"]
    columns = counts[["file", "column", "reason", "records"]]
    return list(columns.itertuples(index=False, name=None))


def summary_lines(places: Places, quarter: str) -> list[str]:
    """Return the summary as a table, with what can be done."""
    counts = summary(places, quarter)
    if not counts:
        return [f"No record of {quarter} is in quarantine."]
    rows = [("file", "column", "reason", "records"), *((*r, f"{n:,}") for *r, n in counts)]
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = [
        "  ".join([*(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=False)), f"{row[3]:>7}"])
        for row in rows
    ]
    how = f"A record with two reasons counts twice. `exams quarantine {quarter} --csv` writes them."
    return [*lines, "", how]


def exported(places: Places, quarter: str, limit: int) -> list[str]:
    """Export the quarantine of `quarter`; return a line per file, and what to do next."""
    files = export(places, quarter, contract_of(places, quarter), limit)
    if not files:
        return [f"No record of {quarter} is in quarantine."]
    next_step = f"Correct the values, then `exams deliver FILE --quarter {quarter}`, and build."
    return [*(str(shown(file)) for file in files), next_step]


def export(places: Places, quarter: str, contract: Contract, limit: int) -> list[Path]:
    """Write the records in quarantine as corrections files, one per delivered file; return them.

    Each has the delivery's columns and those of ADDED; readable by its owner alone (0600).
    Raise E209 if a delivered file is not the one that was loaded any more.
    """
    present = {a.sha256: a for a in find_arrivals(places, quarter, same_file_twice=True)[0]}
    held = read_quarantine(places.warehouse, quarter)
    written = []
    for sha256, rows in groupby(held, key=lambda row: row.sha256):
        listed = list(rows)
        if sha256 not in present:
            what = f"{listed[0].file} has changed since {quarter} was loaded."
            raise ExamsError("E209", what, "Run `exams build --due` first.")
        written.append(_write(places, quarter, present[sha256], listed, contract, limit))
    return written


def _write(
    places: Places, quarter: str, arrival: Arrival, held: list[Held], contract: Contract, limit: int
) -> Path:
    layout = inspect(arrival.path, arrival.file, contract, limit)
    words = layout.header.words
    own = [at for at, word in enumerate(words) if not is_added(word)]
    reasons: dict[int, list[str]] = {}
    for row in held:
        reasons.setdefault(row.line, []).append(f"{row.column}: {row.reason}")
    target = _free(places, quarter, f"{Path(arrival.file).stem[:40]}-{arrival.sha256[:8]}")
    with replacing(target) as draft, draft.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=layout.delimiter or ",")
        writer.writerow([*(safe(words[at]) for at in own), *ADDED])
        for line, cells in read_cells(arrival.path, arrival.file, layout, limit):
            if line in reasons:
                told = [arrival.file, reference(arrival.sha256), str(line)]
                told += ["; ".join(reasons[line]), _whole(cells, len(words))]
                kept = (cells[at] if at < len(cells) else "" for at in own)
                writer.writerow([safe(cell) for cell in [*kept, *told]])
    return target


def _free(places: Places, quarter: str, stem: str) -> Path:
    """Return a file that is neither here nor delivered: work on a former one stays as it is."""
    folder, delivered = places.corrections(quarter), places.delivery(quarter)
    names = (f"{stem}.{number}.corrections.csv" for number in count(1))
    free = (n for n in names if not (folder / n).exists() and not (delivered / n).exists())
    return folder / next(free)


def _whole(cells: list[str], width: int) -> str:
    """Return a record of the wrong number of columns as one text, so that nothing is lost."""
    return "" if len(cells) == width else " | ".join(cells)
